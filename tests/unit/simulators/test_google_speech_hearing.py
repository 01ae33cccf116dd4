"""What the simulated speech-to-text takes audio for."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.google_speech_behaviour import Behaviour, Utterance
from simulators.google_speech_hearing import Hearing, Said, Script, is_loud
from simulators.google_tts_audio import FRAME, RATE_HZ, silence, speech

FRAME_S = FRAME / RATE_HZ
TEXT = "two beds please"


class Stand:
    """A stream that is played in real time, on a clock of its own."""

    def __init__(self, languages: tuple[str, ...] = ("en-US",), **behaviour: Any) -> None:
        made = Behaviour(**behaviour)
        self.script = Script(made)
        self.hearing = Hearing(made, self.script, languages)
        self.now = 0.0
        self.told: list[tuple[float, Said]] = []

    def play(self, audio: bytes) -> Stand:
        for place in range(0, len(audio), FRAME):
            self.hearing.hear(audio[place : place + FRAME], self.now)
            self.look()
            self.now += FRAME_S
        return self

    def look(self) -> None:
        self.told += [(self.now, said) for said in self.hearing.take(self.now)]

    def kinds(self) -> list[str]:
        return [said.kind for _, said in self.told]

    def finals(self) -> list[str]:
        return [said.text for _, said in self.told if said.kind == "final"]


def test_speech_is_loud_and_silence_is_not() -> None:
    audio = speech(TEXT)
    assert all(is_loud(audio[place : place + FRAME]) for place in range(0, len(audio), FRAME))
    assert not is_loud(silence(FRAME_S))


def test_a_known_text_is_known_by_its_sound() -> None:
    stand = Stand(known=[Utterance(text="other"), Utterance(text=TEXT)])
    stand.play(silence(0.2) + speech(TEXT) + silence(0.3))
    assert stand.finals() == [TEXT]
    assert stand.kinds()[0] == "began"
    assert stand.kinds()[-2:] == ["ended", "final"]


def test_a_known_text_is_known_from_its_middle_on() -> None:
    stand = Stand(known=[Utterance(text=TEXT)])
    stand.play(speech(TEXT)[FRAME * 10 :] + silence(0.3))
    assert stand.finals() == [TEXT]


def test_other_speech_is_the_next_of_the_script_and_then_noise() -> None:
    stand = Stand(script=[Utterance(text="one"), Utterance(text="two")])
    stand.play((speech("something else") + silence(0.3)) * 3)
    assert stand.finals() == ["one", "two"]
    assert stand.kinds().count("began") == 3


@pytest.mark.parametrize("final_ms", [40, 100, 700])
def test_words_are_final_so_long_after_the_first_quiet_frame(final_ms: float) -> None:
    stand = Stand(known=[Utterance(text=TEXT)], final_ms=final_ms, quiet_ms=40)
    audio = speech(TEXT)
    stand.play(audio + silence(1))
    (final_at,) = [at for at, said in stand.told if said.kind == "final"]
    assert final_at - len(audio) / RATE_HZ == pytest.approx(final_ms / 1000, abs=FRAME_S)


def test_words_are_final_although_no_more_audio_comes() -> None:
    stand = Stand(known=[Utterance(text=TEXT)])
    stand.play(speech(TEXT) + silence(FRAME_S))
    assert stand.finals() == []
    due_at = stand.hearing.due_at
    assert due_at is not None
    stand.now = due_at
    stand.look()
    assert stand.finals() == [TEXT]


def test_a_short_gap_does_not_end_an_utterance() -> None:
    stand = Stand(known=[Utterance(text=TEXT)])
    stand.play(speech(TEXT) + silence(0.06) + speech(TEXT) + silence(0.3))
    assert stand.finals() == [TEXT]


def test_audio_that_comes_at_once_has_its_pauses() -> None:
    stand = Stand(known=[Utterance(text=TEXT), Utterance(text="no")])
    stand.hearing.hear(speech(TEXT) + silence(0.5) + speech("no") + silence(0.5), 0.0)
    stand.now = 10
    stand.look()
    assert stand.finals() == [TEXT, "no"]


def test_interims_grow_word_by_word_and_end_stable() -> None:
    stand = Stand(known=[Utterance(text="one two")], interim_ms=40).play(speech("one two") + silence(0.3))
    interims = [(said.text, said.stability) for _, said in stand.told if said.kind == "interim"]
    assert interims == [("one", 0.6), ("one two", 0.6), ("one two", 0.9)]


def test_garbled_interims_end_in_the_right_words() -> None:
    stand = Stand(known=[Utterance(text=TEXT)], interim_ms=40, garbled_interims=True)
    stand.play(speech(TEXT) + silence(0.3))
    interims = [said.text for _, said in stand.told if said.kind == "interim"]
    assert not any(TEXT.startswith(text) for text in interims)
    assert stand.finals() == [TEXT]


def test_a_language_that_was_not_asked_for_is_not_understood() -> None:
    stand = Stand(known=[Utterance(text="שלום לכם", language="iw-IL")])
    stand.play(speech("שלום לכם") + silence(0.3))
    (final,) = [said for _, said in stand.told if said.kind == "final"]
    assert final.text != "שלום לכם"
    assert final.confidence < 0.5
    assert final.language == "en-us"


def test_an_utterance_that_was_not_final_is_heard_by_the_next_stream() -> None:
    stand = Stand(script=[Utterance(text="one"), Utterance(text="two")])
    stand.play(speech("something"))
    stand.hearing.drop()
    again = Hearing(Behaviour(), stand.script, ["en-US"])
    again.hear(speech("something") + silence(0.3), 0.0)
    assert [said.text for said in again.take(1.0) if said.kind == "final"] == ["one"]


def test_a_noise_that_is_too_short_is_no_voice() -> None:
    assert Stand().play(speech(TEXT)[: 2 * FRAME] + silence(0.3)).kinds() == []

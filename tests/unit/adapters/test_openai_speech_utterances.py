"""A call is cut where the caller pauses, so that each utterance can be asked about as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.adapters.openai_speech_utterances import Began, Heard, Over, Paused, UtteranceLimits, Utterances
from server.voice import mulaw

VOICE, LIMITS = b"\x10", UtteranceLimits(pause_s=0.5, longest_s=4.0)
LEAD_S, TELLS_AFTER_S = 0.3, 0.2


class LoudDetector:
    """Takes whatever is no silence for a voice."""

    window_bytes = mulaw.FRAME_BYTES
    doubt_s = 0.0

    def probability(self, window: bytes) -> float:
        return float(any(sample != 0xFF for sample in window))


def voice(seconds: float) -> bytes:
    return VOICE * round(seconds * 8_000)


def heard(*audio: bytes) -> list[Heard]:
    return list(Utterances(LoudDetector(), LIMITS).hear(b"".join(audio)))


def kinds(news: Sequence[Heard]) -> list[type[Heard]]:
    return [type(one) for one in news]


def test_an_utterance_is_asked_about_at_a_short_pause_and_over_after_a_longer_one() -> None:
    news = heard(mulaw.silence(1), voice(1), mulaw.silence(1))
    assert kinds(news) == [Began, Paused, Over]
    began, paused, over = news
    assert isinstance(began, Began)
    assert began.at_s == pytest.approx(1)
    assert isinstance(paused, Paused)
    assert len(paused.audio) == pytest.approx(8_000 * (LEAD_S + 1 + TELLS_AFTER_S), abs=160)
    assert VOICE * 8_000 in paused.audio
    assert over == Over(paused.number, paused.at_s)
    assert paused.at_s == pytest.approx(2)


def test_after_a_short_pause_all_of_the_utterance_is_asked_about_again() -> None:
    news = heard(voice(1), mulaw.silence(0.3), voice(1), mulaw.silence(1))
    assert kinds(news) == [Began, Paused, Began, Paused, Over]
    first, second = (one for one in news if isinstance(one, Paused))
    assert first.number == second.number
    assert second.audio.startswith(first.audio)
    assert second.audio.count(VOICE) == 2 * 8_000


def test_after_a_longer_pause_another_utterance_begins() -> None:
    news = heard(*[voice(1), mulaw.silence(1)] * 2)
    assert kinds(news) == [Began, Paused, Over] * 2
    numbers = [one.number for one in news if isinstance(one, Over)]
    assert len(set(numbers)) == 2
    assert all(one.audio.count(VOICE) == 8_000 for one in news if isinstance(one, Paused))


def test_a_noise_is_not_asked_about() -> None:
    news = heard(voice(0.06), mulaw.silence(1))
    assert kinds(news) == [Began, Paused]
    assert isinstance(news[1], Paused)
    assert not news[1].audio


def test_what_is_too_long_is_cut_and_nothing_of_it_is_lost() -> None:
    news = heard(voice(10), mulaw.silence(1))
    asked = {one.number: one.audio for one in news if isinstance(one, Paused)}
    assert len(asked) == 3
    assert sum(audio.count(VOICE) for audio in asked.values()) == 10 * 8_000
    assert [one.number for one in news if isinstance(one, Over)] == list(asked)


@pytest.mark.parametrize("length", [1, 37, 160, 1_000])
def test_the_pieces_that_audio_comes_in_make_no_difference(length: int) -> None:
    audio = mulaw.silence(0.5) + voice(1) + mulaw.silence(1) + voice(0.5) + mulaw.silence(1)
    utterances = Utterances(LoudDetector(), LIMITS)
    piecewise = [
        news
        for place in range(0, len(audio), length)
        for news in utterances.hear(audio[place : place + length])
    ]
    assert kinds(piecewise) == kinds(heard(audio))
    spoken = [one.audio.count(VOICE) for one in piecewise if isinstance(one, Paused)]
    assert spoken == [8_000, 4_000]


def test_an_utterance_is_open_from_its_first_sound_until_it_is_over() -> None:
    utterances = Utterances(LoudDetector(), LIMITS)
    states = []
    for audio in (mulaw.silence(1), voice(0.5), mulaw.silence(0.3), mulaw.silence(1)):
        list(utterances.hear(audio))
        states.append(utterances.is_open)
    assert states == [False, True, True, False]

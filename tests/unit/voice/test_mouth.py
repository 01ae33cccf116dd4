"""Sentences leave whole and in order, made one ahead, and nothing else comes between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from server.errors import ProviderUnavailable
from server.voice.frames import Outgoing
from server.voice.mouth import Mouth, Sentence, as_sentence
from tests.fakes.speech import FakeTextToSpeech

SENTENCES = [as_sentence(text, "en") for text in ("One is here.", "Two is here.", "Three is here.")]


class Wire:
    """What was sent, in order: media, marks, clears."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    async def send(self, frame: str) -> None:
        """Keep it, and let others run."""
        self.frames.append(json.loads(frame))
        await asyncio.sleep(0)

    @property
    def kinds(self) -> list[str]:
        return [frame["event"] for frame in self.frames]


@pytest.fixture
def tts() -> FakeTextToSpeech:
    return FakeTextToSpeech()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def mouth(tts: FakeTextToSpeech, wire: Wire) -> Mouth:
    return Mouth(tts, wire.send, Outgoing("MZ1"), asyncio.get_running_loop().time)


async def given(*sentences: Sentence) -> AsyncGenerator[Sentence, None]:
    for sentence in sentences:
        sentence.audio = asyncio.Queue()
        yield sentence


def at_once() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def test_each_sentence_is_sent_whole_with_its_mark_behind_it(mouth: Mouth, wire: Wire) -> None:
    began: list[str] = []
    await mouth.say(given(*SENTENCES), at_once(), lambda sentence: began.append(sentence.text))
    assert wire.kinds == ["media", "media", "mark"] * 3
    assert began == [sentence.text for sentence in SENTENCES]
    assert mouth.playback.waits_for_marks


async def test_nothing_leaves_before_it_may_though_two_are_made(
    mouth: Mouth, wire: Wire, tts: FakeTextToSpeech
) -> None:
    may_begin = asyncio.Event()
    saying = asyncio.create_task(mouth.say(given(*SENTENCES), may_begin, lambda _: None))
    await asyncio.sleep(0.02)
    assert (wire.kinds, len(tts.spoken)) == ([], 2)
    may_begin.set()
    await saying
    assert wire.kinds.count("mark") == 3


async def test_a_sentence_that_became_void_is_passed_over(mouth: Mouth, wire: Wire) -> None:
    may_begin = asyncio.Event()
    void = as_sentence("It costs nothing.", "en")
    saying = asyncio.create_task(mouth.say(given(void, SENTENCES[0]), may_begin, lambda _: None))
    await asyncio.sleep(0.02)
    void.is_void = True
    may_begin.set()
    await saying
    assert wire.kinds.count("mark") == 1


async def test_a_voice_that_fails_ends_it_after_what_came_before(
    mouth: Mouth, wire: Wire, tts: FakeTextToSpeech
) -> None:
    tts.outages = [("", asyncio.Event()), ("first", ProviderUnavailable("tts", "gone"))]
    with pytest.raises(ProviderUnavailable):
        await mouth.say(given(*SENTENCES), at_once(), lambda _: None)
    assert wire.kinds == ["media", "media", "mark"]


async def test_who_stops_it_sends_nothing_more_and_leaves_no_task(mouth: Mouth, wire: Wire) -> None:
    saying = asyncio.create_task(mouth.say(given(*SENTENCES), at_once(), lambda _: None))
    while "media" not in wire.kinds:
        await asyncio.sleep(0)
    saying.cancel()
    await mouth.interrupt()
    await asyncio.gather(saying, return_exceptions=True)
    assert wire.kinds[-1] == "clear"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_said_besides_is_never_mixed_with_a_sentence(mouth: Mouth, wire: Wire) -> None:
    filler = Sentence("", "One moment, please.", "en")
    await asyncio.gather(
        mouth.say(given(*SENTENCES), at_once(), lambda _: None),
        mouth.interject(filler, lambda: True),
    )
    assert wire.kinds == ["media", "media", "mark"] * 4
    assert (
        mouth.playback.heard(asyncio.get_running_loop().time() + 99)
        == "One is here. Two is here. Three is here."
    )


async def test_what_is_not_wanted_any_more_is_not_said_besides(mouth: Mouth, wire: Wire) -> None:
    await mouth.interject(Sentence("", "One moment, please.", "en"), lambda: False)
    assert wire.kinds == []


@pytest.mark.parametrize(("text", "language"), [("Breakfast", "en"), ("ארוחת בוקר", "he"), ("12:30", "he")])
def test_a_sentence_is_in_the_language_that_it_tells(text: str, language: str) -> None:
    assert as_sentence(text, "he").language == language


def test_what_cannot_be_said_is_void() -> None:
    assert as_sentence("***", "en").is_void

"""A recogniser that fails in a call hands over to another, and no word is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from server.adapters.second_ears import KEEP_S, SecondEars, SecondHearing
from server.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from server.llm.breaker import Breaker
from server.ports.speech import (
    FinalTranscript,
    InterimTranscript,
    ListenRequest,
    SpeechBegan,
    SpeechEnded,
    SpeechEvent,
)
from tests.fakes.speech import FakeRecognition, FakeSpeechToText

REQUEST = ListenRequest(("en", "he"), ("Sea View",))
SECOND = b"\x10" * 8_000
BROKEN = ProviderUnavailable("first", "UNAVAILABLE")


class Scene:
    """Two recognisers; one failure switches the first one off for ten seconds of ``now``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.first, self.second = FakeSpeechToText(), FakeSpeechToText()
        self.ears = SecondEars(self.first, self.second, Breaker(lambda: self.now, in_a_row=1, pause_s=10))
        self.told: list[SpeechEvent] = []
        self.error: ProviderError | None = None

    @property
    def words(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, FinalTranscript)]

    @asynccontextmanager
    async def call(self) -> AsyncIterator[SecondHearing]:
        hearing = self.ears.listen(REQUEST)
        listening = asyncio.create_task(self._listen(hearing))
        yield hearing
        await settle()
        await hearing.aclose()
        await listening

    async def _listen(self, hearing: SecondHearing) -> None:
        try:
            async with aclosing(hearing.events()) as events:
                async for event in events:
                    self.told.append(event)
        except ProviderError as error:
            self.error = error

    async def hears(self, ears: FakeSpeechToText) -> FakeRecognition:
        """The recognition that has begun."""
        await settle()
        return ears.recognitions[-1]


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_the_second_is_not_asked_while_the_first_hears(scene: Scene) -> None:
    async with scene.call() as hearing:
        hearing.hear(SECOND)
        (await scene.hears(scene.first)).say("Two beds")
    assert scene.words == ["Two beds"]
    assert scene.second.recognitions == []


async def test_what_was_not_understood_yet_is_heard_by_the_second(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        hearing.hear(SECOND)
        first.say("Hello.")
        await settle()
        hearing.hear(SECOND)
        first.tell(SpeechBegan(1.2), InterimTranscript("Two", 0.5, "en"))
        first.fail(BROKEN)
        second = await scene.hears(scene.second)
        assert bytes(second.audio) == SECOND
        hearing.hear(SECOND)
        second.say("Two beds")
    assert scene.words == ["Hello.", "Two beds"]
    assert second.request == REQUEST
    assert first.is_closed


async def test_times_are_those_of_the_call_whoever_hears(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        hearing.hear(SECOND)
        first.say("Hello.")
        await settle()
        hearing.hear(SECOND)
        first.fail(BROKEN)
        (await scene.hears(scene.second)).say("Two beds")
    final = scene.told[-1]
    assert isinstance(final, FinalTranscript)
    assert final.until_s == pytest.approx(2)


async def test_voices_begin_and_end_in_turn_over_both(scene: Scene) -> None:
    async with scene.call() as hearing:
        hearing.hear(SECOND)
        first = await scene.hears(scene.first)
        first.tell(SpeechBegan(0.1))
        first.fail(BROKEN)
        (await scene.hears(scene.second)).say("Two beds")
    turns = [type(event) for event in scene.told if isinstance(event, SpeechBegan | SpeechEnded)]
    assert turns == [SpeechBegan, SpeechEnded] * (len(turns) // 2)


async def test_words_that_the_first_did_not_tell_in_time_are_expected_of_the_second(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        hearing.hear(SECOND)
        hearing.expect_words()
        first.fail(ProviderTimeout("first", "no words in time"))
        second = await scene.hears(scene.second)
        assert second.expected == 1
        assert bytes(second.audio) == SECOND
        second.say("Two beds")
    assert scene.words == ["Two beds"]


async def test_the_language_that_was_learnt_is_kept(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        hearing.lock("he")
        first.fail(BROKEN)
        second = await scene.hears(scene.second)
    assert first.locked == ["he"]
    assert second.request.languages == ["he"]


async def test_if_the_second_fails_too_it_is_an_error(scene: Scene) -> None:
    async with scene.call():
        (await scene.hears(scene.first)).fail(BROKEN)
        (await scene.hears(scene.second)).fail(ProviderTimeout("second", "no words in time"))
    assert isinstance(scene.error, ProviderTimeout)


async def test_the_next_call_begins_with_the_second_for_a_while(scene: Scene) -> None:
    async with scene.call():
        (await scene.hears(scene.first)).fail(BROKEN)
        await scene.hears(scene.second)
    async with scene.call():
        (await scene.hears(scene.second)).say("Two beds")
    assert len(scene.first.recognitions) == 1
    scene.now += 10
    async with scene.call():
        (await scene.hears(scene.first)).say("Two beds")
    assert len(scene.first.recognitions) == 2


async def test_of_a_long_silence_no_more_than_its_end_is_heard_again(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        for _ in range(60):
            hearing.hear(SECOND)
        first.fail(BROKEN)
        second = await scene.hears(scene.second)
    assert len(second.audio) < KEEP_S * 8_000


async def test_a_call_that_ends_as_the_first_fails_asks_nobody_else(scene: Scene) -> None:
    async with scene.call() as hearing:
        first = await scene.hears(scene.first)
        first.fail(BROKEN)
        await hearing.aclose()
    assert scene.second.recognitions == []

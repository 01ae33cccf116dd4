"""What one voice does not begin to say another one says; nothing is begun twice."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from server.adapters.second_voice import SecondVoice
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.llm.breaker import Breaker
from tests.fakes.speech import FakeTextToSpeech

TEXT = "We have two rooms."
BROKEN = ProviderUnavailable("first", "UNAVAILABLE")


class Scene:
    """Two voices; three failures in a row switch the first one off for ten seconds of ``now``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.first, self.second = FakeTextToSpeech(first_s=0.01), FakeTextToSpeech(("en",))
        breaker = Breaker(lambda: self.now, in_a_row=3, pause_s=10)
        self.voice = SecondVoice(self.first, self.second, breaker)

    async def says(self, text: str = TEXT, language: str = "en") -> bytes:
        async with aclosing(self.voice.speak(text, language)) as audio:
            return b"".join([piece async for piece in audio])

    async def first_fails(self, times: int) -> None:
        self.first.outages += [("first", BROKEN)] * times
        for _ in range(times):
            await self.says()


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_the_second_is_not_asked_while_the_first_speaks(scene: Scene) -> None:
    assert await scene.says()
    assert scene.second.spoken == []


@pytest.mark.parametrize(
    "outage",
    [BROKEN, ProviderRejected("first", "PERMISSION_DENIED"), asyncio.Event()],
    ids=["broken", "rejected", "hanging"],
)
async def test_what_the_first_does_not_begin_the_second_says_whole(
    scene: Scene, outage: ProviderError | asyncio.Event
) -> None:
    whole = await scene.says()
    scene.first.outages.append(("first", outage))
    assert await scene.says() == whole
    assert scene.second.spoken == [(TEXT, "en")]


async def test_a_sentence_that_breaks_off_is_not_begun_again(scene: Scene) -> None:
    scene.first.outages.append(("middle", BROKEN))
    with pytest.raises(ProviderUnavailable):
        await scene.says()
    assert scene.second.spoken == []


async def test_if_neither_begins_it_is_an_error_of_the_last(scene: Scene) -> None:
    scene.first.outages.append(("first", BROKEN))
    scene.second.outages.append(("first", ProviderTimeout("second", "no audio in time")))
    with pytest.raises(ProviderTimeout):
        await scene.says()


async def test_a_language_of_the_first_alone_is_an_error_when_that_is_out_of_order(scene: Scene) -> None:
    scene.first.outages.append(("first", BROKEN))
    with pytest.raises(ProviderRejected):
        await scene.says("שלום", "he")


async def test_after_failures_in_a_row_the_first_is_left_alone_for_a_while(scene: Scene) -> None:
    await scene.first_fails(3)
    before = len(scene.first.spoken)
    await scene.says()
    assert len(scene.first.spoken) == before
    scene.now += 10
    await scene.says()
    assert len(scene.first.spoken) == before + 1
    await scene.says()
    assert len(scene.first.spoken) == before + 2


async def test_while_the_first_is_left_alone_it_still_says_what_the_second_cannot(scene: Scene) -> None:
    await scene.first_fails(3)
    assert await scene.says("שלום", "he")
    assert scene.first.spoken[-1] == ("שלום", "he")


async def test_who_stops_listening_stops_both(scene: Scene) -> None:
    scene.first.outages.append(("first", asyncio.Event()))
    async with aclosing(scene.voice.speak(TEXT, "en")) as audio:
        await anext(audio)
    assert scene.second.left_early == [TEXT]

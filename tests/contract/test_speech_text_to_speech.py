"""What every ``TextToSpeech`` keeps: the fake, Google's, streamed and whole, OpenAI's, and a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Protocol

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_tts import GoogleTts, GoogleVoice, GoogleVoices, VoiceLimits
from server.adapters.openai_clients import OpenAIClients
from server.adapters.openai_tts import OpenAITts, OpenAIVoice, OpenAIVoiceLimits
from server.adapters.second_voice import SecondVoice
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.llm.breaker import Breaker
from server.ports.speech import TextToSpeech
from simulators.google_client import GoogleSimulator, start_google_tts
from simulators.openai_client import OpenAISimulator
from tests.fakes.speech import FakeTextToSpeech

TEXT = "We have two rooms by the sea."
LIMIT_S = 0.4


class Stage(Protocol):
    """A voice, and how to make it behave from the next sentence on."""

    @property
    def voice(self) -> TextToSpeech: ...

    def is_well(self) -> None: ...

    def never_begins(self) -> None: ...

    def breaks(self) -> None: ...

    def refuses(self) -> None: ...

    async def has_begun(self) -> bool:
        """Whether a sentence was asked for."""
        ...

    async def left_early(self) -> int:
        """How many sentences were given up by us."""
        ...


class FakeStage:
    """Drives the fake."""

    def __init__(self) -> None:
        self.fake = FakeTextToSpeech(first_s=LIMIT_S)
        self.voice: TextToSpeech = self.fake

    def is_well(self) -> None:
        """It is."""

    def never_begins(self) -> None:
        self.fake.outages.append(("first", asyncio.Event()))

    def breaks(self) -> None:
        self.fake.outages.append(("middle", ProviderUnavailable("tts", "UNAVAILABLE")))

    def refuses(self) -> None:
        self.fake.outages.append(("first", ProviderRejected("tts", "PERMISSION_DENIED")))

    async def has_begun(self) -> bool:
        return bool(self.fake.spoken)

    async def left_early(self) -> int:
        return len(self.fake.left_early)


class GoogleStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: GoogleSimulator, family: str) -> None:
        self._simulator = simulator
        voices = {"en": GoogleVoice("en-US", f"en-US-{family}")}
        self.voice: TextToSpeech = GoogleTts(
            GoogleEndpoint(simulator.endpoint), GoogleVoices(voices), VoiceLimits(LIMIT_S, LIMIT_S, 5)
        )
        self.is_well()

    def is_well(self) -> None:
        self._simulator.control()

    def never_begins(self) -> None:
        self._simulator.control(fault={"kind": "hang"})

    def breaks(self) -> None:
        self._simulator.control(fault={"kind": "break", "after_s": 0.2})

    def refuses(self) -> None:
        self._simulator.control(fault={"kind": "refuse", "status": "PERMISSION_DENIED"})

    async def has_begun(self) -> bool:
        return bool(await asyncio.to_thread(self._simulator.records))

    async def left_early(self) -> int:
        records = await asyncio.to_thread(self._simulator.records, settled=True)
        return [record["outcome"] for record in records].count("client_left")


class OpenAIStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        self._simulator = simulator
        self.voice: TextToSpeech = OpenAITts(
            OpenAIClients().of(simulator.base_url, "sk-test"),
            OpenAIVoice("tts-1", "alloy", ("en", "he")),
            OpenAIVoiceLimits(LIMIT_S, LIMIT_S, 5),
        )
        self.is_well()

    def is_well(self) -> None:
        self._simulator.control()

    def never_begins(self) -> None:
        self._goes_wrong(kind="hang")

    def breaks(self) -> None:
        self._goes_wrong(kind="cut", after_s=0.2)

    def refuses(self) -> None:
        self._goes_wrong(kind="error", status=401)

    async def has_begun(self) -> bool:
        return bool(await asyncio.to_thread(self._simulator.requests))

    async def left_early(self) -> int:
        requests = await asyncio.to_thread(self._simulator.requests, settled=True)
        return [request["outcome"] for request in requests].count("client_left")

    def _goes_wrong(self, **fault: object) -> None:
        self._simulator.control(audio={"speech_fault": fault})


class SecondStage(FakeStage):
    """Drives a voice whose first one is out of order."""

    def __init__(self) -> None:
        super().__init__()
        broken = FakeTextToSpeech()
        broken.outages += [("first", ProviderUnavailable("tts", "UNAVAILABLE")) for _ in range(10)]
        self.voice: TextToSpeech = SecondVoice(broken, self.fake, Breaker(time.monotonic))


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_tts() as running:
        yield running


@pytest.fixture(params=["fake", "Chirp3-HD-Aoede", "Neural2-F", "openai", "second"])
async def stage(
    request: pytest.FixtureRequest, simulator: GoogleSimulator, openai_simulator: OpenAISimulator
) -> AsyncIterator[Stage]:
    made: Stage
    match request.param:
        case "fake":
            made = FakeStage()
        case "openai":
            made = OpenAIStage(openai_simulator)
        case "second":
            made = SecondStage()
        case family:
            made = GoogleStage(simulator, family)
    await made.voice.warm()
    yield made
    await made.voice.aclose()


async def spoken(stage: Stage, text: str = TEXT, language: str = "en") -> list[bytes]:
    async with aclosing(stage.voice.speak(text, language)) as pieces:
        return [piece async for piece in pieces]


async def test_a_sentence_becomes_audio_of_its_length(stage: Stage) -> None:
    pieces = await spoken(stage)
    assert all(pieces)
    # 60 ms a character, and no header in front of it.
    assert len(b"".join(pieces)) == pytest.approx(len(TEXT) * 480, abs=160)
    assert not b"".join(pieces).startswith(b"RIFF")


async def test_sentences_do_not_mix(stage: Stage) -> None:
    first, second, again = await asyncio.gather(*(spoken(stage, text) for text in (TEXT, "No.", TEXT)))
    assert b"".join(first) == b"".join(again)
    assert b"".join(first) != b"".join(second)


async def test_a_voice_that_never_begins_is_given_up_at_the_limit(stage: Stage) -> None:
    stage.never_begins()
    with pytest.raises(ProviderTimeout):
        await spoken(stage)


async def test_a_voice_that_breaks_off_is_an_error_and_may_work_later(stage: Stage) -> None:
    stage.breaks()
    with pytest.raises(ProviderUnavailable):
        await spoken(stage)
    stage.is_well()
    assert await spoken(stage)


async def test_a_refused_sentence_is_final(stage: Stage) -> None:
    stage.refuses()
    with pytest.raises(ProviderRejected):
        await spoken(stage)


async def test_a_language_without_a_voice_is_refused(stage: Stage) -> None:
    with pytest.raises(ProviderRejected):
        await spoken(stage, language="xx")


async def test_a_listener_that_is_cancelled_cancels_the_call(stage: Stage) -> None:
    stage.never_begins()
    reading = asyncio.create_task(spoken(stage))
    while not await stage.has_begun():
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert reading.cancelled()
    assert await stage.left_early() == 1


async def test_closing_the_voice_twice_is_harmless(stage: Stage) -> None:
    await stage.voice.aclose()
    await stage.voice.aclose()

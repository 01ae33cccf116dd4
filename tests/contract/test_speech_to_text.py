"""What every ``SpeechToText`` keeps: the fake, Google's in both versions, OpenAI's, and one with a second."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, Protocol

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech import GoogleSpeech, SpeechLimits
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.adapters.openai_clients import OpenAIClients
from server.adapters.openai_speech import ListeningLimits, OpenAIEars, OpenAISpeech
from server.adapters.openai_speech_utterances import UtteranceLimits
from server.adapters.second_ears import SecondEars
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.llm.breaker import Breaker
from server.ports.speech import (
    BYTES_PER_SECOND,
    FinalTranscript,
    InterimTranscript,
    ListenRequest,
    Recognition,
    SpeechBegan,
    SpeechEnded,
    SpeechEvent,
    SpeechToText,
)
from simulators.google_client import GoogleSimulator, start_google_speech
from simulators.google_tts_audio import FRAME, silence, speech
from simulators.openai_client import OpenAISimulator
from tests.fakes.speech import FakeRecognition, FakeSpeechToText

ENGLISH = "Two beds please"
HEBREW = "שלום לכם"
CODES = {"he": "iw-IL", "en": "en-US"}
REQUEST = ListenRequest(["en", "he"], ["Sea View"])
FRAME_S = FRAME / BYTES_PER_SECOND
ANSWER_S = 0.3


class Stage(Protocol):
    """Ears, and how to make the world sound or go wrong for them."""

    @property
    def ears(self) -> SpeechToText: ...

    async def say(self, recognition: Recognition, text: str, language: str) -> None:
        """Let a caller say so, and be silent for a moment."""
        ...

    def is_out_of_order(self) -> None: ...

    def refuses(self) -> None: ...

    def hangs(self) -> None: ...

    async def under_way(self) -> int:
        """How many recognitions have not ended."""
        ...


class FakeStage:
    """Drives the fake."""

    def __init__(self) -> None:
        self.fake = FakeSpeechToText(ANSWER_S)
        self.ears: SpeechToText = self.fake

    async def say(self, recognition: Recognition, text: str, language: str) -> None:
        assert isinstance(recognition, FakeRecognition)
        recognition.hear(speech(text))
        recognition.say(text, language)

    def is_out_of_order(self) -> None:
        self.fake.outages.append(ProviderUnavailable("speech", "UNAVAILABLE"))

    def refuses(self) -> None:
        self.fake.outages.append(ProviderRejected("speech", "PERMISSION_DENIED"))

    def hangs(self) -> None:
        """It says nothing unless it is told to."""

    async def under_way(self) -> int:
        return sum(not recognition.is_closed for recognition in self.fake.recognitions)


class GoogleStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: GoogleSimulator, version: str) -> None:
        self._simulator = simulator
        known = [
            {"text": ENGLISH, "language": "en-US"},
            {"text": HEBREW, "language": "iw-IL"},
        ]
        self._usual: dict[str, Any] = {"known": known, "final_ms": 50, "quiet_ms": 50}
        simulator.control(**self._usual)
        values: dict[str, Any] = {"version": version, "project": "house"}
        self.ears: SpeechToText = GoogleSpeech(
            GoogleEndpoint(simulator.endpoint),
            GoogleSpeechSettings(**values),
            SpeechLimits(answer_s=ANSWER_S, reconnect_s=0.3),
        )

    async def say(self, recognition: Recognition, text: str, language: str) -> None:  # noqa: ARG002 - heard
        audio = speech(text) + silence(0.2)
        for place in range(0, len(audio), FRAME):
            recognition.hear(audio[place : place + FRAME])
            await asyncio.sleep(FRAME_S / 2)

    def is_out_of_order(self) -> None:
        self._simulator.control(fault={"kind": "refuse"})

    def refuses(self) -> None:
        self._simulator.control(fault={"kind": "refuse", "status": "PERMISSION_DENIED"})

    def hangs(self) -> None:
        self._simulator.control(**self._usual, fault={"kind": "hang"})

    async def under_way(self) -> int:
        records = await asyncio.to_thread(self._simulator.records, settled=True)
        return [record["outcome"] for record in records].count("under_way")


class OpenAIStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        self._simulator = simulator
        known = [{"text": ENGLISH, "language": "en"}, {"text": HEBREW, "language": "he"}]
        self._usual: dict[str, Any] = {"known": known}
        simulator.control(audio=self._usual)
        endpoint = OpenAIClients().of(simulator.base_url, "sk-test")
        # Each utterance is a request of its own, which a machine under load answers late.
        limits = ListeningLimits(answer_s=1.0, gap_s=30.0, utterances=UtteranceLimits(pause_s=0.4))
        self.ears: SpeechToText = OpenAISpeech(endpoint, OpenAIEars("whisper-1", ("en", "he")), limits)

    async def say(self, recognition: Recognition, text: str, language: str) -> None:  # noqa: ARG002 - heard
        # At once, as its times are those of the audio: with a pause that ends an utterance.
        audio = speech(text) + silence(1)
        for place in range(0, len(audio), FRAME):
            recognition.hear(audio[place : place + FRAME])
            await asyncio.sleep(0)

    def is_out_of_order(self) -> None:
        self._simulator.control(audio={"transcription_fault": {"kind": "error", "status": 503}})

    def refuses(self) -> None:
        self._simulator.control(audio={"transcription_fault": {"kind": "error", "status": 401}})

    def hangs(self) -> None:
        self._simulator.control(audio={**self._usual, "transcription_fault": {"kind": "hang"}})

    async def under_way(self) -> int:
        requests = await asyncio.to_thread(self._simulator.requests, settled=True)
        return [request["outcome"] for request in requests].count("under_way")


class SecondStage(FakeStage):
    """Drives a recogniser whose first one is out of order."""

    def __init__(self) -> None:
        super().__init__()
        broken = FakeSpeechToText(ANSWER_S)
        broken.outages += [ProviderUnavailable("speech", "UNAVAILABLE") for _ in range(10)]
        self.ears: SpeechToText = SecondEars(broken, self.fake, Breaker(time.monotonic))

    async def say(self, recognition: Recognition, text: str, language: str) -> None:
        recognition.hear(speech(text))
        self._saying = asyncio.create_task(self._tell(text, language))
        await asyncio.sleep(0)

    async def _tell(self, text: str, language: str) -> None:
        """The second one understands it, once it has heard it."""
        while not (heard := [one for one in self.fake.recognitions if one.audio.endswith(speech(text))]):
            await asyncio.sleep(0)
        heard[-1].say(text, language)


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


@pytest.fixture(params=["fake", "v1", "v2", "openai", "second"])
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
        case version:
            made = GoogleStage(simulator, version)
    await made.ears.warm()
    yield made
    await made.ears.aclose()


async def until_final(events: AsyncIterator[SpeechEvent]) -> list[SpeechEvent]:
    heard: list[SpeechEvent] = []
    async for event in events:
        heard.append(event)
        if isinstance(event, FinalTranscript):
            break
    return heard


async def hear(stage: Stage, recognition: Recognition, text: str, language: str) -> list[SpeechEvent]:
    async with aclosing(recognition.events()) as events:
        heard, _ = await asyncio.gather(until_final(events), stage.say(recognition, text, language))
        return heard


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (HEBREW, "he")])
async def test_what_a_caller_says_is_told_with_its_language(stage: Stage, text: str, language: str) -> None:
    final = (await hear(stage, stage.ears.listen(REQUEST), text, language))[-1]
    assert isinstance(final, FinalTranscript)
    assert (final.text, final.language) == (text, language)
    assert 0 < final.confidence <= 1
    assert final.until_s == pytest.approx(len(speech(text)) / BYTES_PER_SECOND, abs=0.05)


async def test_words_are_told_before_they_are_final(stage: Stage) -> None:
    heard = await hear(stage, stage.ears.listen(REQUEST), ENGLISH, "en")
    interims = [event for event in heard if isinstance(event, InterimTranscript)]
    assert interims
    assert all(ENGLISH.startswith(interim.text) for interim in interims)
    assert all(0 <= interim.stability <= 1 for interim in interims)


async def test_a_voice_begins_before_it_ends(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    async with aclosing(recognition.events()) as events:
        told: list[SpeechEvent] = []
        for _ in range(2):
            heard, _ = await asyncio.gather(until_final(events), stage.say(recognition, ENGLISH, "en"))
            told += heard
    turns = [event for event in told if isinstance(event, SpeechBegan | SpeechEnded)]
    assert [type(turn) for turn in turns] == [SpeechBegan, SpeechEnded] * 2
    assert all(one.at_s <= other.at_s for one, other in itertools.pairwise(turns))


async def test_what_was_said_before_the_events_are_read_is_heard(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    await stage.say(recognition, ENGLISH, "en")
    async with aclosing(recognition.events()) as events:
        heard = await until_final(events)
    assert [event.text for event in heard if isinstance(event, FinalTranscript)] == [ENGLISH]


async def test_callers_do_not_mix(stage: Stage) -> None:
    said = [(ENGLISH, "en"), (HEBREW, "he")]
    heard = await asyncio.gather(*(hear(stage, stage.ears.listen(REQUEST), *words) for words in said))
    assert [[event.text for event in one if isinstance(event, FinalTranscript)] for one in heard] == [
        [ENGLISH],
        [HEBREW],
    ]


async def test_a_locked_language_is_still_heard(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    async with aclosing(recognition.events()) as events:
        await asyncio.gather(until_final(events), stage.say(recognition, HEBREW, "he"))
        recognition.lock("he")
        heard, _ = await asyncio.gather(until_final(events), stage.say(recognition, HEBREW, "he"))
    assert isinstance(final := heard[-1], FinalTranscript)
    assert (final.text, final.language) == (HEBREW, "he")


async def test_closing_ends_the_events(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)

    async def read() -> list[SpeechEvent]:
        return [event async for event in recognition.events()]

    reading = asyncio.create_task(read())
    await stage.say(recognition, ENGLISH, "en")
    await recognition.aclose()
    async with asyncio.timeout(5):
        await reading
    assert await stage.under_way() == 0


async def test_a_closed_recognition_takes_audio_and_another_close(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    await recognition.aclose()
    await recognition.aclose()
    recognition.hear(silence(0.02))
    assert [event async for event in recognition.events()] == []


async def test_closing_the_iterator_ends_the_recognition(stage: Stage) -> None:
    await hear(stage, stage.ears.listen(REQUEST), ENGLISH, "en")
    assert await stage.under_way() == 0


async def test_a_reader_that_is_cancelled_leaves_nothing_under_way(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(recognition.events()) as events:
            async for _ in events:
                begun.set()

    reading = asyncio.create_task(read())
    await stage.say(recognition, ENGLISH, "en")
    await begun.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert reading.cancelled()
    assert await stage.under_way() == 0


async def read_to_the_end(recognition: Recognition) -> None:
    async with aclosing(recognition.events()) as events:
        async for _ in events:
            pass


async def test_a_service_out_of_order_may_work_later(stage: Stage) -> None:
    stage.is_out_of_order()
    with pytest.raises(ProviderUnavailable):
        await read_to_the_end(stage.ears.listen(REQUEST))


async def test_a_refused_request_is_final(stage: Stage) -> None:
    stage.refuses()
    with pytest.raises(ProviderRejected):
        await read_to_the_end(stage.ears.listen(REQUEST))


async def test_a_language_that_nobody_knows_is_refused(stage: Stage) -> None:
    with pytest.raises(ProviderRejected):
        await read_to_the_end(stage.ears.listen(ListenRequest(["xx"])))


async def test_words_that_are_expected_and_do_not_come_are_an_error(stage: Stage) -> None:
    stage.hangs()
    recognition = stage.ears.listen(REQUEST)
    recognition.expect_words()
    with pytest.raises(ProviderTimeout):
        await read_to_the_end(recognition)


async def test_silence_is_no_error(stage: Stage) -> None:
    recognition = stage.ears.listen(REQUEST)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4 * ANSWER_S):
            await read_to_the_end(recognition)


async def test_closing_the_ears_twice_is_harmless(stage: Stage) -> None:
    await stage.ears.aclose()
    await stage.ears.aclose()

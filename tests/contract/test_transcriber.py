"""What every ``Transcriber`` keeps: the fake, Google's in both versions, and OpenAI's."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech_batch import GoogleTranscriber
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.adapters.openai_clients import OpenAIClients
from server.adapters.openai_speech import OpenAIEars
from server.adapters.openai_speech_batch import OpenAITranscriber
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.speech import Transcriber
from simulators.google_client import GoogleSimulator, start_google_speech
from simulators.openai_client import OpenAISimulator
from tests.fakes.speech import FakeTranscriber
from tests.support.opus import a_recording

ENGLISH, HEBREW = "When is check-in?", "מתי אפשר להגיע?"
CODES = {"en": "en-US", "he": "iw-IL"}
RECORDING = a_recording(3)
ANSWER_S = 0.3


class Stage(Protocol):
    """Ears, and how to make the world sound or go wrong for them."""

    @property
    def ears(self) -> Transcriber: ...

    def says(self, recording: bytes, text: str, language: str) -> None: ...

    def is_out_of_order(self) -> None: ...

    def refuses(self) -> None: ...

    def hangs(self) -> None: ...


class FakeStage:
    """Drives the fake."""

    def __init__(self) -> None:
        self.fake = FakeTranscriber()
        self.ears: Transcriber = self.fake

    def says(self, recording: bytes, text: str, language: str) -> None:  # noqa: ARG002 - it hears what is next
        self.fake.words = [text]

    def is_out_of_order(self) -> None:
        self.fake.words = [ProviderUnavailable("speech", "UNAVAILABLE")]

    def refuses(self) -> None:
        self.fake.words = [ProviderRejected("speech", "PERMISSION_DENIED")]

    def hangs(self) -> None:
        self.fake.words = [ProviderTimeout("speech", "no answer in time")]


class GoogleStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: GoogleSimulator, version: str) -> None:
        self._simulator = simulator
        simulator.control()
        values: dict[str, Any] = {"version": version, "project": "house"}
        self.ears: Transcriber = GoogleTranscriber(
            GoogleEndpoint(simulator.endpoint), GoogleSpeechSettings(**values), ANSWER_S
        )

    def says(self, recording: bytes, text: str, language: str) -> None:
        known = {hashlib.sha256(recording).hexdigest(): {"text": text, "language": CODES[language]}}
        self._simulator.control(recordings=known)

    def is_out_of_order(self) -> None:
        self._simulator.control(fault={"kind": "refuse"})

    def refuses(self) -> None:
        self._simulator.control(fault={"kind": "refuse", "status": "PERMISSION_DENIED"})

    def hangs(self) -> None:
        self._simulator.control(fault={"kind": "hang"})


class OpenAIStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        self._simulator = simulator
        simulator.control()
        endpoint = OpenAIClients().of(simulator.base_url, "sk-test")
        # The first request loads the SDK.
        self.ears: Transcriber = OpenAITranscriber(endpoint, OpenAIEars("whisper-1", ("en", "he")), 2.0)

    def says(self, recording: bytes, text: str, language: str) -> None:
        known = {hashlib.sha256(recording).hexdigest(): {"text": text, "language": language}}
        self._simulator.control(audio={"recordings": known})

    def is_out_of_order(self) -> None:
        self._simulator.control(audio={"transcription_fault": {"kind": "error", "status": 503}})

    def refuses(self) -> None:
        self._simulator.control(audio={"transcription_fault": {"kind": "error", "status": 401}})

    def hangs(self) -> None:
        self._simulator.control(audio={"transcription_fault": {"kind": "hang"}})


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


@pytest.fixture(params=["fake", "v1", "v2", "openai"])
async def stage(
    request: pytest.FixtureRequest, simulator: GoogleSimulator, openai_simulator: OpenAISimulator
) -> AsyncIterator[Stage]:
    made: Stage
    match request.param:
        case "fake":
            made = FakeStage()
        case "openai":
            made = OpenAIStage(openai_simulator)
        case version:
            made = GoogleStage(simulator, version)
    yield made
    await made.ears.aclose()


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (HEBREW, "he")])
async def test_a_recording_has_words_and_a_language(stage: Stage, text: str, language: str) -> None:
    stage.says(RECORDING, text, language)
    heard = await stage.ears.transcribe(RECORDING, ["en", "he"])
    assert (heard.text, heard.language) == (text, language)
    assert 0 < heard.confidence <= 1


async def test_a_recording_without_words_has_no_text(stage: Stage) -> None:
    heard = await stage.ears.transcribe(a_recording(3, seed=1), ["en", "he"])
    assert heard.text == ""


async def test_recordings_do_not_mix(stage: Stage) -> None:
    stage.says(RECORDING, ENGLISH, "en")
    said, nothing = await asyncio.gather(
        stage.ears.transcribe(RECORDING, ["en"]), stage.ears.transcribe(a_recording(3, seed=1), ["en"])
    )
    assert (said.text, nothing.text) == (ENGLISH, "")


async def test_what_is_no_voice_message_is_refused(stage: Stage) -> None:
    with pytest.raises(ProviderRejected):
        await stage.ears.transcribe(b"ID3 a song", ["en"])


async def test_a_language_that_nobody_knows_is_refused(stage: Stage) -> None:
    with pytest.raises(ProviderRejected):
        await stage.ears.transcribe(RECORDING, ["xx"])


async def test_a_service_out_of_order_may_work_later(stage: Stage) -> None:
    stage.is_out_of_order()
    with pytest.raises(ProviderUnavailable):
        await stage.ears.transcribe(RECORDING, ["en"])
    stage.says(RECORDING, ENGLISH, "en")
    assert (await stage.ears.transcribe(RECORDING, ["en"])).text == ENGLISH


async def test_a_refused_request_is_final(stage: Stage) -> None:
    stage.refuses()
    with pytest.raises(ProviderRejected):
        await stage.ears.transcribe(RECORDING, ["en"])


async def test_an_answer_that_does_not_come_is_not_waited_for(stage: Stage) -> None:
    stage.hangs()
    with pytest.raises(ProviderTimeout):
        await stage.ears.transcribe(RECORDING, ["en"])


async def test_closing_the_ears_twice_is_harmless(stage: Stage) -> None:
    await stage.ears.aclose()
    await stage.ears.aclose()

"""How Google is asked about recordings: as a client of its own would, in both versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech_batch import GoogleTranscriber
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.speech import Transcript
from simulators.google_client import GoogleSimulator, start_google_speech
from tests.support.opus import a_recording

RECONNECTS_WITHIN_S = 10.0
SAID = {"text": "Two beds please", "language": "en-US"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
async def ears(
    request: pytest.FixtureRequest, simulator: GoogleSimulator
) -> AsyncIterator[GoogleTranscriber]:
    simulator.control(script=[SAID] * 3)
    values: dict[str, Any] = {"version": request.param, "project": "house"}
    made = GoogleTranscriber(GoogleEndpoint(simulator.endpoint), GoogleSpeechSettings(**values))
    yield made
    await made.aclose()


async def test_the_model_for_phone_lines_is_not_asked(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    await ears.transcribe(a_recording(), ["en", "he"])
    (record,) = simulator.records()
    assert record["model"] in ("", "long")
    assert record["languages"] == ["en-US", "iw-IL"]


async def test_all_of_the_recording_arrives_as_it_was(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    recording = a_recording(50)
    assert (await ears.transcribe(recording, ["en"])).text == SAID["text"]
    (record,) = simulator.records()
    assert (record["bytes"], record["is_recording"]) == (len(recording), True)


@pytest.mark.parametrize(("rate_hz", "told"), [(16_000, 16_000), (24_000, 24_000), (44_100, 48_000)])
async def test_version_1_is_told_a_rate_that_it_takes(
    simulator: GoogleSimulator, rate_hz: int, told: int
) -> None:
    simulator.control(script=[SAID])
    ears = GoogleTranscriber(GoogleEndpoint(simulator.endpoint), GoogleSpeechSettings())
    await ears.transcribe(a_recording(rate_hz=rate_hz), ["en"])
    assert [record["rate_hz"] for record in simulator.records()] == [told]
    await ears.aclose()


async def test_a_way_that_google_refuses_is_asked_once_and_never_again(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    simulator.control(script=[SAID] * 3, multilingual_models=[])
    assert (await ears.transcribe(a_recording(), ["en", "he"])).text == SAID["text"]
    await ears.transcribe(a_recording(), ["en", "he"])
    assert [record["outcome"] for record in simulator.records()] == ["refused", "finished", "finished"]


async def test_a_recording_that_google_refuses_closes_no_way(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    with pytest.raises(ProviderRejected):
        await ears.transcribe(a_recording(61), ["en"])
    assert (await ears.transcribe(a_recording(), ["en"])).text == SAID["text"]


async def test_a_connection_that_breaks_is_an_error_and_another_takes_its_place(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    simulator.control(script=[SAID], fault={"kind": "cut"}, fault_times=1)
    with pytest.raises(ProviderUnavailable):
        await ears.transcribe(a_recording(), ["en"])
    assert (await over_another_connection(ears)).text == SAID["text"]


async def over_another_connection(ears: GoogleTranscriber) -> Transcript:
    """What is heard after a break, which gRPC may see late: what comes next may go into the broken one."""
    async with asyncio.timeout(RECONNECTS_WITHIN_S):
        while True:
            with suppress(ProviderUnavailable):
                return await ears.transcribe(a_recording(), ["en"])


async def test_recordings_are_counted_apart_from_streams(
    ears: GoogleTranscriber, simulator: GoogleSimulator
) -> None:
    await ears.transcribe(a_recording(), ["en"])
    counts = simulator.counts()
    assert (counts["recordings"], counts["streams"], counts["audio_s"]) == (1, 0, 0)

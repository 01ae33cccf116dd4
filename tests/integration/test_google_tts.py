"""Google's text-to-speech through its own client, over the wire, with the simulator at the other end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_tts import GoogleTts, GoogleVoice, GoogleVoices, VoiceLimits
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from simulators.google_client import GoogleSimulator, start_google_tts
from simulators.google_tts_audio import speech
from simulators.wire import Switchboard
from tests.support.hanging import SLACK_S, Hang, hanging_server

TEXT = "We have two rooms by the sea."
VOICE = "en-US-Chirp3-HD-Aoede"
WHOLE_VOICE = "en-US-Neural2-F"
LIMIT_S = 0.4


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_tts() as running:
        yield running


def a_voice(address: str, name: str = VOICE, total_s: float = 5) -> GoogleTts:
    voices = GoogleVoices({"en": GoogleVoice("en-US", name)})
    return GoogleTts(GoogleEndpoint(address), voices, VoiceLimits(LIMIT_S, LIMIT_S, total_s))


@pytest.fixture(params=[VOICE, WHOLE_VOICE])
async def voice(request: pytest.FixtureRequest, simulator: GoogleSimulator) -> AsyncIterator[GoogleTts]:
    made = a_voice(simulator.endpoint, request.param)
    await made.warm()
    yield made
    await made.aclose()


@pytest.fixture
async def streaming(simulator: GoogleSimulator) -> AsyncIterator[GoogleTts]:
    made = a_voice(simulator.endpoint)
    await made.warm()
    yield made
    await made.aclose()


async def read(voice: GoogleTts, text: str = TEXT) -> bytes:
    async with aclosing(voice.speak(text, "en")) as pieces:
        return b"".join([piece async for piece in pieces])


async def calls(simulator: GoogleSimulator) -> list[dict[str, Any]]:
    return await asyncio.to_thread(simulator.records, settled=True)


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s + SLACK_S


async def test_the_audio_is_what_was_made_bit_by_bit(voice: GoogleTts, simulator: GoogleSimulator) -> None:
    simulator.control()
    audio = await read(voice)
    (call,) = await calls(simulator)
    assert call["text"] == TEXT
    assert audio == speech(TEXT, call["voice"])


async def test_the_first_audio_comes_before_the_last_is_made(
    streaming: GoogleTts, simulator: GoogleSimulator
) -> None:
    simulator.control(speed=4, piece_ms=100)
    async with aclosing(streaming.speak(TEXT, "en")) as pieces:
        assert await anext(pieces)
        (call,) = await asyncio.to_thread(simulator.records)
        assert call["outcome"] == "under_way"
    (call,) = await calls(simulator)
    # Closing it has cancelled the call.
    assert call["outcome"] == "client_left"
    assert call["bytes"] < len(TEXT) * 480


async def test_both_connections_of_a_voice_are_used(streaming: GoogleTts, simulator: GoogleSimulator) -> None:
    simulator.control()
    for _ in range(4):
        await read(streaming)
    assert len({call["peer"] for call in await calls(simulator)}) == 2


@pytest.mark.parametrize("kind", ["break", "cut"])
async def test_a_voice_that_breaks_off_in_the_middle_is_an_error(
    streaming: GoogleTts, simulator: GoogleSimulator, kind: str
) -> None:
    simulator.control(fault={"kind": kind, "after_s": 0.3})
    heard = b""
    with pytest.raises(ProviderUnavailable):  # noqa: PT012 - some of it is heard
        async with aclosing(streaming.speak(TEXT, "en")) as pieces:
            async for piece in pieces:
                heard += piece
    assert speech(TEXT, VOICE).startswith(heard)
    assert heard or kind == "cut"


async def test_a_voice_that_falls_silent_in_the_middle_is_left_at_the_limit(
    streaming: GoogleTts, simulator: GoogleSimulator
) -> None:
    simulator.control(fault={"kind": "hang", "after_s": 0.3})
    with within(LIMIT_S), pytest.raises(ProviderTimeout, match="next audio"):
        await read(streaming)


async def test_a_voice_that_is_too_slow_altogether_is_left_at_the_limit(simulator: GoogleSimulator) -> None:
    simulator.control(speed=0.5, piece_ms=100)
    voice = a_voice(simulator.endpoint, total_s=2 * LIMIT_S)
    await voice.warm()
    with within(2 * LIMIT_S), pytest.raises(ProviderTimeout):
        await read(voice)
    await voice.aclose()


@pytest.mark.parametrize("hang", [Hang.CONNECT, Hang.HEADERS])
@pytest.mark.parametrize("name", [VOICE, WHOLE_VOICE])
async def test_a_server_that_hangs_at_connect_is_left_at_the_limit(hang: Hang, name: str) -> None:
    with hanging_server(hang) as port, within(LIMIT_S):
        voice = a_voice(f"127.0.0.1:{port}", name)
        with pytest.raises(ProviderTimeout):
            await read(voice)
        await voice.aclose()


async def test_a_call_over_a_stalled_wire_is_left_at_the_limit(simulator: GoogleSimulator) -> None:
    simulator.control()
    with Switchboard() as switchboard:
        wire = switchboard.wire("desk", [("google", simulator.port)])
        voice = a_voice(f"127.0.0.1:{wire.port}")
        await voice.warm()
        await asyncio.to_thread(switchboard.do, wire.stall())
        with within(LIMIT_S), pytest.raises(ProviderTimeout):
            await read(voice)
        await asyncio.to_thread(switchboard.do, wire.mend())
        await voice.aclose()


async def test_connections_that_are_closed_under_a_sentence_are_an_error(
    voice: GoogleTts, simulator: GoogleSimulator
) -> None:
    simulator.control(fault={"kind": "hang"})
    reading = asyncio.create_task(read(voice))
    while not await asyncio.to_thread(simulator.records):
        await asyncio.sleep(0)
    await voice.aclose()
    with pytest.raises(ProviderUnavailable, match="closed"):
        await reading


async def test_warming_up_in_vain_is_no_failure(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.adapters.google_tts.WARM_UP_S", LIMIT_S)
    voice = a_voice(f"127.0.0.1:{unused_tcp_port}")
    with within(LIMIT_S):
        await voice.warm()
    await voice.aclose()


# What the service does not take.


@pytest.mark.parametrize(
    ("name", "text"),
    [("en-US-Nobody", TEXT), ("he-IL-Chirp3-HD-Aoede", TEXT), (VOICE, "x" * 5001), (WHOLE_VOICE, "x" * 5001)],
)
async def test_a_wrong_voice_and_a_text_that_is_too_long_are_refused(
    simulator: GoogleSimulator, name: str, text: str
) -> None:
    simulator.control()
    voice = a_voice(simulator.endpoint, name)
    await voice.warm()
    with pytest.raises(ProviderRejected, match="INVALID_ARGUMENT"):
        await read(voice, text)
    await voice.aclose()


async def test_without_credentials_nothing_is_asked_outside_this_machine() -> None:
    voice = a_voice("texttospeech.googleapis.example:443")
    with pytest.raises(ProviderRejected, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await read(voice)
    await voice.aclose()

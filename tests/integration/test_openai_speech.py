"""OpenAI's audio API through its own SDK, over the wire, with the simulator at the other end."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import pytest

from server.adapters.openai_clients import OpenAIClients
from server.adapters.openai_speech import ListeningLimits, OpenAIEars, OpenAISpeech
from server.adapters.openai_speech_utterances import UtteranceLimits
from server.adapters.openai_tts import OpenAITts, OpenAIVoice, OpenAIVoiceLimits
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.speech import FinalTranscript, InterimTranscript, ListenRequest, Recognition, SpeechEvent
from simulators.google_tts_audio import FRAME, silence, speech
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from tests.support.hanging import SLACK_S, Hang, hanging_server

FIRST, SECOND = "Two beds please", "Is there a room by the sea?"
KNOWN = [{"text": FIRST}, {"text": SECOND}, {"text": "שלום לכם", "language": "he"}]
LIMIT_S = 0.4
WITHIN_S = 30.0
BOTH = ("en", "he")


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@asynccontextmanager
async def ears(
    base_url: str, model: str = "whisper-1", answer_s: float = 2.0, gap_s: float = 30.0
) -> AsyncIterator[OpenAISpeech]:
    limits = ListeningLimits(answer_s, gap_s, UtteranceLimits(pause_s=0.4))
    made = OpenAISpeech(OpenAIClients().of(base_url, "sk-test"), OpenAIEars(model, BOTH), limits)
    await made.warm()
    yield made
    await made.aclose()


@asynccontextmanager
async def voice(base_url: str, **limits: float) -> AsyncIterator[OpenAITts]:
    allowed = OpenAIVoiceLimits(**({"first_s": LIMIT_S, "silence_s": LIMIT_S} | limits))
    made = OpenAITts(OpenAIClients().of(base_url, "sk-test"), OpenAIVoice("tts-1", "alloy", BOTH), allowed)
    await made.warm()
    yield made
    await made.aclose()


def say(recognition: Recognition, *audio: bytes) -> None:
    """Faster than anybody talks: its times are those of the audio, not of the clock."""
    whole = b"".join(audio)
    for place in range(0, len(whole), FRAME):
        recognition.hear(whole[place : place + FRAME])


async def understood(recognition: Recognition, finals: int) -> list[SpeechEvent]:
    """What is told until so many finals were."""
    told: list[SpeechEvent] = []
    async with asyncio.timeout(WITHIN_S), aclosing(recognition.events()) as events:
        async for event in events:
            told.append(event)
            if len(words_of(told)) == finals:
                break
    return told


def words_of(told: Sequence[SpeechEvent]) -> list[str]:
    return [event.text for event in told if isinstance(event, FinalTranscript)]


async def asked(simulator: OpenAISimulator) -> list[dict[str, Any]]:
    """What was to be understood; the silence that a call begins with is left out."""
    requests = await asyncio.to_thread(simulator.requests, settled=True)
    return [one for one in requests if one["audio"] and (one["audio"]["text"] or one["audio"]["fault"])]


async def spoken(made: OpenAITts) -> bytes:
    async with aclosing(made.speak(FIRST, "en")) as pieces:
        return b"".join([piece async for piece in pieces])


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s + SLACK_S


async def test_utterances_are_told_in_the_order_in_which_they_were_said(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"known": KNOWN})
    async with ears(simulator.base_url) as made:
        recognition = made.listen(ListenRequest(BOTH))
        say(recognition, speech(FIRST), silence(1), speech(SECOND), silence(1))
        told = await understood(recognition, 2)
    assert words_of(told) == [FIRST, SECOND]


async def test_words_before_a_short_pause_are_told_while_the_caller_may_go_on(
    simulator: OpenAISimulator,
) -> None:
    simulator.control(audio={"known": KNOWN})
    async with ears(simulator.base_url) as made:
        recognition = made.listen(ListenRequest(BOTH))
        told: list[SpeechEvent] = []
        async with asyncio.timeout(WITHIN_S), aclosing(recognition.events()) as events:
            say(recognition, speech(FIRST), silence(0.3))
            async for event in events:
                told.append(event)
                if isinstance(event, InterimTranscript) and event.text == FIRST:
                    say(recognition, speech(SECOND), silence(1))
                if isinstance(event, FinalTranscript):
                    break
    assert words_of(told) == [f"{FIRST} {SECOND}"]


async def test_a_line_over_which_nothing_comes_any_more_ends_the_utterance(
    simulator: OpenAISimulator,
) -> None:
    simulator.control(audio={"known": KNOWN})
    async with ears(simulator.base_url, gap_s=0.1) as made:
        recognition = made.listen(ListenRequest(BOTH))
        say(recognition, speech(FIRST))
        assert words_of(await understood(recognition, 1)) == [FIRST]


async def test_likely_words_and_one_language_are_told_to_the_service(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"known": KNOWN})
    async with ears(simulator.base_url, "gpt-4o-mini-transcribe") as made:
        recognition = made.listen(ListenRequest(("en", "he", "xx"), ("Sea View",)))
        say(recognition, speech(FIRST), silence(1))
        recognition.lock("en")
        (final,) = [event for event in await understood(recognition, 1) if isinstance(event, FinalTranscript)]
    (request,) = await asked(simulator)
    assert request["audio"]["languages"] == ["en"]
    assert request["audio"]["prompt"] == "Sea View"
    assert 0.8 < final.confidence < 1


async def test_a_connection_that_breaks_once_is_not_noticed(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"known": KNOWN, "transcription_fault": {"kind": "cut", "times": 1}})
    async with ears(simulator.base_url) as made:
        recognition = made.listen(ListenRequest(BOTH))
        say(recognition, speech(FIRST), silence(1))
        assert words_of(await understood(recognition, 1)) == [FIRST]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "error", "status": 500}, ProviderUnavailable),
        ({"kind": "error", "status": 429}, ProviderUnavailable),
        ({"kind": "error", "status": 401}, ProviderRejected),
        ({"kind": "cut"}, ProviderUnavailable),
        ({"kind": "hang"}, ProviderTimeout),
    ],
)
async def test_a_service_that_fails_shows_before_the_caller_has_spoken(
    simulator: OpenAISimulator, fault: dict[str, Any], error: type[ProviderError]
) -> None:
    simulator.control(audio={"transcription_fault": fault})
    async with ears(simulator.base_url, answer_s=LIMIT_S) as made:
        with pytest.raises(error):
            await understood(made.listen(ListenRequest(BOTH)), 1)


async def test_a_service_that_hangs_later_shows_once_words_are_expected(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"known": KNOWN})

    async def hangs_behind_first_words(recognition: Recognition) -> None:
        async with asyncio.timeout(WITHIN_S), aclosing(recognition.events()) as events:
            async for event in events:
                if isinstance(event, FinalTranscript):
                    hang = {"transcription_fault": {"kind": "hang"}}
                    await asyncio.to_thread(simulator.control, audio=hang)
                    recognition.expect_words()

    async with ears(simulator.base_url, answer_s=1.0) as made:
        recognition = made.listen(ListenRequest(BOTH))
        say(recognition, speech(FIRST), silence(1))
        with pytest.raises(ProviderTimeout):
            await hangs_behind_first_words(recognition)


async def test_both_languages_are_told_to_a_model_that_takes_them(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"known": KNOWN})
    async with ears(simulator.base_url, "gpt-transcribe") as made:
        recognition = made.listen(ListenRequest(("he", "en")))
        say(recognition, speech("שלום לכם"), silence(1))
        told = await understood(recognition, 1)
    (request,) = await asked(simulator)
    assert request["audio"]["languages"] == ["he", "en"]
    assert [event.language for event in told if isinstance(event, FinalTranscript)] == ["he"]


async def test_a_model_that_there_is_not_is_refused(simulator: OpenAISimulator) -> None:
    simulator.control()
    async with ears(simulator.base_url, "whisper-9") as made:
        with pytest.raises(ProviderRejected, match="404"):
            await understood(made.listen(ListenRequest(BOTH)), 1)


@pytest.mark.parametrize("hang", Hang)
async def test_ears_of_a_server_that_hangs_are_left_at_the_limit(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("openai")
    monkeypatch.setattr("server.adapters.openai_clients.WARM_UP_S", 0.01)
    with hanging_server(hang) as port:
        async with ears(f"http://127.0.0.1:{port}/v1", answer_s=LIMIT_S) as made:
            with within(LIMIT_S), pytest.raises(ProviderTimeout):
                await understood(made.listen(ListenRequest(BOTH)), 1)


@pytest.mark.parametrize("hang", [Hang.CONNECT, Hang.HEADERS, Hang.TRICKLED_HEAD])
async def test_a_voice_of_a_server_that_hangs_is_left_at_the_limit(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("openai")
    monkeypatch.setattr("server.adapters.openai_clients.WARM_UP_S", 0.01)
    with hanging_server(hang) as port:
        async with voice(f"http://127.0.0.1:{port}/v1") as made:
            with within(LIMIT_S), pytest.raises(ProviderTimeout):
                await spoken(made)


async def test_a_voice_that_falls_silent_in_the_middle_is_left_at_the_limit(
    simulator: OpenAISimulator,
) -> None:
    simulator.control(audio={"speech_fault": {"kind": "hang", "after_s": 0.3}})
    async with voice(simulator.base_url) as made:
        with within(LIMIT_S), pytest.raises(ProviderTimeout, match="next audio"):
            await spoken(made)


async def test_a_voice_that_is_too_slow_altogether_is_left_at_the_limit(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"speed": 0.5, "piece_ms": 100})
    async with voice(simulator.base_url, total_s=2 * LIMIT_S) as made:
        with within(2 * LIMIT_S), pytest.raises(ProviderTimeout):
            await spoken(made)


async def test_a_voice_sends_its_first_words_before_its_last(simulator: OpenAISimulator) -> None:
    simulator.control(audio={"speed": 4})
    async with (
        voice(simulator.base_url, first_s=WITHIN_S, silence_s=WITHIN_S) as made,
        aclosing(made.speak(SECOND, "en")) as pieces,
    ):
        await anext(pieces)
        (request,) = [one for one in await asyncio.to_thread(simulator.requests) if one["audio"]]
    assert request["outcome"] == "under_way"


async def test_a_file_in_place_of_samples_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers give MP3 whatever they are asked for; a caller would hear noise."""
    monkeypatch.setattr("server.adapters.openai_clients.WARM_UP_S", 0.01)
    with hanging_server(Hang.MID_STREAM) as port:
        async with voice(f"http://127.0.0.1:{port}/v1") as made:
            with pytest.raises(ProviderRejected, match="PCM"):
                await spoken(made)

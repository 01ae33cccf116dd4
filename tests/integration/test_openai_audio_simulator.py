"""The audio routes of the simulated model server through the real SDK: what they take and refuse."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from simulators.google_tts_audio import speech
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.twilio import mulaw

TEXT = "Two beds please"


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@pytest.fixture
def client(simulator: OpenAISimulator) -> Iterator[openai.OpenAI]:
    simulator.control(audio={"known": [{"text": TEXT}], "script": [{"text": "One"}, {"text": "Two"}]})
    with openai.OpenAI(api_key="sk-one", base_url=simulator.base_url, max_retries=0, timeout=5) as made:
        yield made


def transcribe(client: openai.OpenAI, content: bytes, name: str = "a.wav", **changes: Any) -> Any:
    asked = {"model": "whisper-1", "response_format": "verbose_json"} | changes
    return client.audio.transcriptions.create(file=(name, content), **asked)


def speak(client: openai.OpenAI, **changes: Any) -> bytes:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "pcm"}
    return client.audio.speech.create(**(asked | changes)).content


def a_wav(seconds: float, rate: int = 8_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(bytes(round(seconds * rate) * 2))
    return file.getvalue()


def test_a_text_is_spoken_at_24_khz_and_always_sounds_the_same(client: openai.OpenAI) -> None:
    assert len(speak(client)) == 3 * 2 * len(speech(TEXT, "alloy"))
    assert speak(client) == speak(client)
    assert speak(client) != speak(client, voice="nova")


def test_what_is_known_is_understood_wherever_in_the_recording_it_begins(client: openai.OpenAI) -> None:
    told = transcribe(client, mulaw.wav(b"\xff" * 1_003 + speech(TEXT)))
    assert (told.text, told.language) == (TEXT, "english")


def test_what_is_loud_is_taken_for_the_script_and_for_the_same_where_it_goes_on(
    client: openai.OpenAI,
) -> None:
    unknown = speech("Something else")
    heard = [
        transcribe(client, mulaw.wav(audio)).text
        for audio in (unknown[:4_000], unknown, unknown[:4_000], b"\xff" * 8_000)
    ]
    assert heard == ["One", "One", "Two", ""]


def test_a_language_that_was_not_asked_for_is_not_understood(client: openai.OpenAI) -> None:
    assert transcribe(client, mulaw.wav(speech(TEXT)), language="he").text == "uh uh uh"


@pytest.mark.parametrize(
    ("content", "changes", "code"),
    [
        (a_wav(0.05), {}, "audio_too_short"),
        (b"", {}, "invalid_value"),
        (b"RIFFnothing", {}, "invalid_value"),
        (a_wav(1), {"name": "a.txt"}, None),
        (a_wav(1), {"model": "whisper-9"}, "model_not_found"),
        (a_wav(1), {"model": "gpt-transcribe"}, "unsupported_value"),
        (a_wav(1), {"include": ["logprobs"]}, "unsupported_value"),
        (a_wav(1), {"language": "English"}, "invalid_language_format"),
        (a_wav(1), {"extra_body": {"surprise": "x"}}, "unknown_parameter"),
    ],
)
def test_recordings_and_forms_that_the_service_refuses(
    client: openai.OpenAI, content: bytes, changes: dict[str, Any], code: str | None
) -> None:
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as raised:
        transcribe(client, content, **changes)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"model": "tts-9"}, 404),
        ({"voice": "nobody"}, 400),
        ({"input": ""}, 400),
        ({"input": "x" * 4_097}, 400),
        ({"speed": 5}, 400),
        ({"response_format": "midi"}, 400),
    ],
)
def test_speech_that_the_service_refuses(client: openai.OpenAI, changes: dict[str, Any], status: int) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        speak(client, **changes)
    assert raised.value.status_code == status


def test_a_fault_is_met_so_many_times(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    simulator.control(audio={"speech_fault": {"kind": "error", "status": 503, "times": 1}})
    with pytest.raises(openai.InternalServerError):
        speak(client)
    assert speak(client)
    first, second = (request["audio"]["fault"] for request in simulator.requests())
    assert (first, second) == ("error", None)

"""How OpenAI's models are asked, and what any server's answer is read as."""

from __future__ import annotations

import io
import math
import wave
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.openai_speech_wire import form, transcript, wav
from server.errors import ProviderUnavailable
from server.ports.speech import Transcript
from server.voice import mulaw

BOTH = ("he", "en")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def a_segment(**changes: Any) -> dict[str, Any]:
    return {"text": " Two beds.", "avg_logprob": -0.2, "no_speech_prob": 0.01} | changes


@pytest.mark.parametrize(
    ("model", "special"),
    [
        ("whisper-1", {"response_format": "verbose_json"}),
        ("Systran/faster-whisper-small", {"response_format": "verbose_json"}),
        ("gpt-4o-mini-transcribe", {"response_format": "json", "include": ["logprobs"]}),
        ("gpt-transcribe", {"response_format": "json", "languages": ["he", "en"]}),
        ("voxtral", {"response_format": "json"}),
    ],
)
def test_each_model_is_asked_for_what_it_can_tell(model: str, special: dict[str, Any]) -> None:
    assert form(model, BOTH, ()) == {"model": model, "temperature": 0} | special


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe"])
def test_one_language_is_told_alone(model: str) -> None:
    asked = form(model, ["he"], ())
    assert asked["language"] == "he"
    assert "languages" not in asked


def test_likely_words_are_told() -> None:
    assert form("whisper-1", BOTH, ["Sea View", "Dana"])["prompt"] == "Sea View, Dana"


def test_a_plain_answer_is_its_words() -> None:
    assert transcript({"text": " Two  beds.\n"}, BOTH) == Transcript("Two beds.", "", 0.0)


@pytest.mark.parametrize("name", ["hebrew", "Hebrew", "he"])
def test_whisper_tells_the_language_and_how_sure_it_is(name: str) -> None:
    told = transcript({"text": "שלום", "language": name, "segments": [a_segment(avg_logprob=-0.5)]}, BOTH)
    assert told.language == "he"
    assert told.confidence == pytest.approx(math.exp(-0.5))


def test_a_language_that_nobody_asked_for_is_not_believed() -> None:
    assert transcript({"text": "Hallo", "language": "german"}, BOTH).language == ""


def test_the_confidence_of_words_is_that_of_their_tokens() -> None:
    told = transcript({"text": "Two", "logprobs": [{"logprob": -0.1}, {"logprob": -0.3}]}, BOTH)
    assert told.confidence == pytest.approx(math.exp(-0.2))


def test_words_that_whisper_invents_for_a_noise_are_none() -> None:
    noise = a_segment(text=" Thank you.", no_speech_prob=0.9, avg_logprob=-1.4)
    assert transcript({"text": "Thank you.", "segments": [noise]}, BOTH).text == ""
    assert transcript({"text": "Thank you.", "segments": [noise, a_segment()]}, BOTH).text == "Thank you."


@pytest.mark.parametrize("answer", [None, "words", [], {}, {"text": None}, {"text": 3}])
def test_what_has_no_words_is_no_answer(answer: object) -> None:
    with pytest.raises(ProviderUnavailable):
        transcript(answer, BOTH)


@given(JSON, st.dictionaries(st.sampled_from(["language", "segments", "logprobs"]), JSON))
def test_whatever_a_server_sends_it_is_an_answer_or_none(junk: object, more: dict[str, Any]) -> None:
    told = transcript(more | {"text": "Two beds."}, BOTH)
    assert 0 <= told.confidence <= 1
    with pytest.raises(ProviderUnavailable):
        transcript(more | {"text": junk if not isinstance(junk, str) else None}, BOTH)


def test_audio_becomes_a_file_of_16_bits() -> None:
    audio = bytes(range(256)) * 40
    with wave.open(io.BytesIO(wav(audio))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        assert file.readframes(file.getnframes()) == mulaw.decode(audio).astype("<i2").tobytes()


def test_what_is_too_short_to_be_taken_is_made_longer() -> None:
    with wave.open(io.BytesIO(wav(b""))) as file:
        assert file.getnframes() == 4_000

"""What is asked of OpenAI's ``/audio/transcriptions``, and what its answers tell.

Source: OpenAI's API reference and the SDK's own types; models answer in different forms, which a server tells
only by refusing the others.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Mapping, Sequence
from typing import Any

from server.errors import ProviderUnavailable
from server.ports.speech import Transcript
from server.voice import mulaw

PROVIDER = "openai_speech"
# Shorter files than 0.1 s are refused.
_SHORTEST_S = 0.5
_NEVER_HEARD = Transcript("", "", 0.0)
# Whisper invents words for what is no speech, and says itself how sure it is of either. Source: the defaults
# of OpenAI's own decoder.
_NO_SPEECH = 0.6
_UNSURE_LOG_PROBABILITY = -1.0
# Whisper's names of the languages that the product speaks.
_NAMES = {"english": "en", "hebrew": "he"}


def wav(audio: bytes) -> bytes:
    """Mu-law as a WAV file of 16 bits at 8 kHz; silence makes up what is too short to be taken."""
    missing_s = _SHORTEST_S - mulaw.duration_s(len(audio))
    samples = mulaw.decode(audio + mulaw.silence(max(0.0, missing_s)))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(mulaw.SAMPLE_RATE_HZ)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def form(model: str, languages: Sequence[str], phrases: Sequence[str]) -> dict[str, Any]:
    """How *model* is asked to listen for *languages* and *phrases*; without the file."""
    asked: dict[str, Any] = {"model": model, "response_format": "json", "temperature": 0}
    if len(languages) == 1:
        asked["language"] = languages[0]
    elif model == "gpt-transcribe":
        asked["languages"] = list(languages)
    if "whisper" in model:
        asked["response_format"] = "verbose_json"
    elif model.startswith("gpt-4o") and "diarize" not in model:
        asked["include"] = ["logprobs"]
    if phrases:
        asked["prompt"] = ", ".join(phrases)
    return asked


def transcript(answer: object, languages: Sequence[str]) -> Transcript:
    """What *answer*, JSON of a server that may send anything, tells was said in one of *languages*.

    The language is empty where it was not told, or is none of them.

    Raises:
        ProviderUnavailable: this is no answer.
    """
    told = answer if isinstance(answer, Mapping) else {}
    text = told.get("text")
    if not isinstance(text, str):
        raise ProviderUnavailable(PROVIDER, "the answer cannot be read")
    segments = _rows(told, "segments")
    if segments and all(_is_noise(segment) for segment in segments):
        return _NEVER_HEARD
    language = str(told.get("language", "")).lower()
    language = _NAMES.get(language, language)
    scores = [_number(row, "avg_logprob") for row in segments] + [
        _number(row, "logprob") for row in _rows(told, "logprobs")
    ]
    known = [score for score in scores if score is not None]
    return Transcript(
        " ".join(text.split()),
        language if language in languages else "",
        min(1.0, math.exp(sum(known) / len(known))) if known else 0.0,
    )


def _is_noise(segment: Mapping[str, Any]) -> bool:
    no_speech, sure = _number(segment, "no_speech_prob"), _number(segment, "avg_logprob")
    if no_speech is None or sure is None:
        return False
    return no_speech > _NO_SPEECH and sure < _UNSURE_LOG_PROBABILITY


def _rows(whole: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = whole.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

"""Shapes of the audio API: what it takes, and how it refuses.

Source: OpenAI's API reference and its SDK's types; errors as issues of its users quote them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.formparser import parse_form_data

from simulators.openai_wire import Refusal, refusal_of
from simulators.twilio import mulaw

_LARGEST_FILE = 25 * 1024 * 1024
_SHORTEST_S = 0.1
_FORMATS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_FIELDS = frozenset(
    {
        "model",
        "language",
        "languages[]",
        "prompt",
        "keywords[]",
        "response_format",
        "temperature",
        "include[]",
        "timestamp_granularities[]",
        "stream",
        "chunking_strategy",
    }
)


class SpeechRequest(BaseModel):
    """The body of ``/audio/speech``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: str
    instructions: str | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """The form of ``/audio/transcriptions``. ``audio`` is mu-law at 8 kHz; None for a file that is no WAV.

    ``languages`` is empty where the service is to find out.
    """

    model: str
    audio: bytes | None
    file: bytes
    languages: Sequence[str]
    prompt: str
    response_format: str
    wants_logprobs: bool


def read_speech(body: object, models: Sequence[str], voices: Sequence[str]) -> SpeechRequest:
    """The request in *body*.

    Raises:
        Refusal: 400, or 404 for a model that there is not.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    try:
        request = SpeechRequest.model_validate(body)
    except ValidationError as error:
        raise refusal_of(error.errors()[0]) from None
    _check_model(request.model, models)
    if request.voice not in voices:
        raise Refusal(400, f"Invalid voice: '{request.voice}'.", param="voice", code="invalid_value")
    if request.response_format != "pcm" or request.stream_format != "audio":
        raise Refusal(400, "The simulator gives raw PCM only.", param="response_format")
    return request


def read_transcription(content_type: str, body: bytes, models: Sequence[str]) -> TranscriptionRequest:
    """The request in the form *body*.

    Raises:
        Refusal: 400, 413, or 404 for a model that there is not.
    """
    if not content_type.startswith("multipart/form-data"):
        raise Refusal(400, "Could not parse multipart form")
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    _, fields, files = parse_form_data(environ)
    for name in fields:
        if name not in _FIELDS:
            raise Refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    if "model" not in fields:
        raise Refusal(400, "you must provide a model parameter")
    if "file" not in files:
        raise Refusal(400, "Missing required parameter: 'file'.", param="file")
    model, content = fields["model"], files["file"].stream.read()
    _check_model(model, models)
    _check_options(model, fields)
    _check_name(files["file"].filename or "", content)
    return TranscriptionRequest(
        model=model,
        audio=_mulaw_of(content) if content.startswith(b"RIFF") else None,
        file=content,
        languages=_languages(fields.get("language", ""), fields.getlist("languages[]")),
        prompt=fields.get("prompt", ""),
        response_format=fields.get("response_format", "json"),
        wants_logprobs="logprobs" in fields.getlist("include[]"),
    )


def _check_model(model: str, models: Sequence[str]) -> None:
    if model not in models:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refusal(404, message, code="model_not_found")


def _check_options(model: str, fields: Mapping[str, Any]) -> None:
    """What one model takes and another does not."""
    form = fields.get("response_format", "json")
    is_whisper = model.startswith("whisper")
    if form not in ("json", "text", "srt", "verbose_json", "vtt"):
        raise _unsupported("response_format", f"Invalid value: '{form}'.")
    if form in ("srt", "vtt", "text"):
        raise _unsupported("response_format", "The simulator gives json and verbose_json only.")
    if form == "verbose_json" and not is_whisper:
        wrong = f"response_format '{form}' is not compatible with model '{model}'."
        raise _unsupported("response_format", f"{wrong} Use 'json' or 'text' instead.")
    if "include[]" in fields and not (model.startswith("gpt-4o") and form == "json"):
        raise _unsupported("include", f"include is not supported with model '{model}'.")
    for name in ("languages[]", "keywords[]"):
        if name in fields and model != "gpt-transcribe":
            raise _unsupported(name, f"{name} is not supported with model '{model}'.")


def _check_name(name: str, content: bytes) -> None:
    ending = name.rpartition(".")[2].lower()
    if ending not in _FORMATS:
        raise Refusal(400, f"Invalid file format. Supported formats: {list(_FORMATS)}", param="file")
    if len(content) > _LARGEST_FILE:
        raise Refusal(413, f"Maximum content size limit ({_LARGEST_FILE}) exceeded", param="file")
    if not content:
        raise Refusal(400, "Audio file might be corrupted or unsupported", param="file", code="invalid_value")


def _mulaw_of(content: bytes) -> bytes:
    try:
        audio = mulaw.from_wav(content)
    except ValueError as error:
        message = f"Audio file might be corrupted or unsupported ({error})"
        raise Refusal(400, message, param="file", code="invalid_value") from None
    if mulaw.duration_s(audio) < _SHORTEST_S:
        message = f"Audio file is too short. Minimum audio length is {_SHORTEST_S} seconds."
        raise Refusal(400, message, param="file", code="audio_too_short")
    return audio


def _languages(one: str, several: Sequence[str]) -> Sequence[str]:
    asked = [*([one] if one else []), *several]
    for language in asked:
        if not re.fullmatch("[a-z]{2,3}", language):
            wrong = f"Invalid language '{language}'."
            raise Refusal(
                400,
                f"{wrong} Language parameter must be specified in ISO-639-1 format.",
                param="language",
                code="invalid_language_format",
            )
    return asked


def _unsupported(param: str, message: str) -> Refusal:
    return Refusal(400, message, param=param, code="unsupported_value")

"""The routes: ``speech`` and ``transcriptions`` of OpenAI's audio API, as far as the desk asks them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

SPEECH_MODEL, HEARING_MODEL, VOICE_NAME = "piper", "whisper-tiny.en", "joe"
# What raw samples are in OpenAI's API: 16 bits, little-endian, one channel.
RATE_HZ = 24_000
_LONGEST_TEXT = 4_096
# A minute and more of 16 bits at 8 kHz.
_LARGEST_UPLOAD = 4 * 1024 * 1024
_HEBREW = re.compile("[\u0590-\u05ff]")
NO_HEBREW = "Hebrew is not supported offline: there is no voice and no recogniser for it. English is."


class NotAudio(Exception):
    """The recording cannot be read."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Some words; times are seconds of the recording, probabilities Whisper's own."""

    text: str
    start: float
    end: float
    avg_logprob: float
    no_speech_prob: float


class Engine(Protocol):
    """Speaks and hears English."""

    def speak(self, text: str) -> Iterator[bytes]:
        """The sound of *text*, bit by bit: 16 bits at 24 kHz."""
        ...

    def hear(self, recording: bytes, prompt: str) -> list[Segment]:
        """What is said in *recording*; *prompt* has words that are likely.

        Raises:
            NotAudio: it cannot be read.
        """
        ...


class _Refusal(Exception):
    """400; the message says how to mend it."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


def make_app(engine: Engine) -> Flask:
    """The server's routes over *engine*."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_UPLOAD

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        rows = [{"id": name, "object": "model"} for name in (SPEECH_MODEL, HEARING_MODEL)]
        return {"object": "list", "data": rows}

    @app.post("/v1/audio/speech")
    def speech() -> Response:
        sound = engine.speak(_text_to_speak(request.get_json()))
        # The first sentence is made before the status is told: what goes wrong with it can be told too.
        first = next(sound, b"")
        return Response(itertools.chain([first], sound), mimetype="audio/pcm")

    @app.post("/v1/audio/transcriptions")
    def transcriptions() -> dict[str, Any]:
        _check_form(request.form)
        if "file" not in request.files:
            raise _Refusal("the form has no 'file'", "file")
        try:
            heard = engine.hear(request.files["file"].read(), request.form.get("prompt", ""))
        except NotAudio:
            raise _Refusal("the file is no audio that can be read", "file") from None
        return _answer(heard, is_verbose=request.form.get("response_format") == "verbose_json")

    @app.errorhandler(_Refusal)
    def refuse(refusal: _Refusal) -> tuple[dict[str, Any], int]:
        error = {"message": str(refusal), "type": "invalid_request_error", "param": refusal.param}
        return {"error": error}, 400

    @app.errorhandler(HTTPException)
    def fail(error: HTTPException) -> tuple[dict[str, Any], int]:
        return {"error": {"message": error.description, "type": "invalid_request_error"}}, error.code or 500

    return app


def _text_to_speak(body: object) -> str:
    asked = body if isinstance(body, dict) else {}
    if asked.get("model") != SPEECH_MODEL:
        raise _Refusal(f"the only model is {SPEECH_MODEL}", "model")
    if asked.get("voice") != VOICE_NAME:
        raise _Refusal(f"the only voice is {VOICE_NAME}", "voice")
    if asked.get("response_format") != "pcm":
        raise _Refusal("the only response_format is pcm", "response_format")
    text = asked.get("input")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= _LONGEST_TEXT:
        raise _Refusal(f"input is a text of 1 to {_LONGEST_TEXT} characters", "input")
    if _HEBREW.search(text):
        raise _Refusal(NO_HEBREW, "input")
    return text


def _check_form(form: Mapping[str, str]) -> None:
    if form.get("model") != HEARING_MODEL:
        raise _Refusal(f"the only model is {HEARING_MODEL}", "model")
    language = form.get("language", "en")
    if language == "he":
        raise _Refusal(NO_HEBREW, "language")
    if language != "en":
        raise _Refusal("the only language is en", "language")
    if form.get("response_format", "json") not in ("json", "verbose_json"):
        raise _Refusal("response_format is json or verbose_json", "response_format")


def _answer(heard: Sequence[Segment], *, is_verbose: bool) -> dict[str, Any]:
    text = "".join(segment.text for segment in heard).strip()
    if not is_verbose:
        return {"text": text}
    segments = [{"id": number, **asdict(segment)} for number, segment in enumerate(heard)]
    duration = heard[-1].end if heard else 0.0
    return {
        "task": "transcribe",
        "language": "english",
        "duration": duration,
        "text": text,
        "segments": segments,
    }

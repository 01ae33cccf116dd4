"""How the audio routes of the simulated model server behave, and what they record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Ms = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpokenText(_Strict):
    """What a caller says, and its language (ISO 639-1)."""

    text: str
    language: str = "en"


class AudioFault(_Strict):
    """What goes wrong: an ``error`` with ``status``, a ``hang`` for good, or a ``cut`` of the connection.

    Speech meets it once ``after_s`` seconds of audio were sent; after the first there are no errors any more,
    as the status is told by then. At most so many ``times``.
    """

    kind: Literal["error", "hang", "cut"]
    status: Annotated[int, Field(ge=400, le=599)] = 500
    after_s: Annotated[float, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=0)] | None = None


class AudioBehaviour(_Strict):
    """How the audio routes behave from now on.

    They do not recognise words. What is said with the voice of ``google_tts_audio`` they know among
    ``known``, files that are no WAV among ``recordings`` by their SHA-256, in hex. Other audio that is loud
    they take for the next of ``script``, and for the same again where it goes on from what was asked before.
    An answer takes ``transcription_ms``.

    The first audio of speech comes after ``first_ms``, then ``piece_ms`` of it at a time, ``speed`` times as
    fast as it is spoken (0: at once).
    """

    transcription_models: Sequence[str] = (
        "whisper-1",
        "gpt-transcribe",
        "gpt-4o-transcribe",
        "gpt-4o-mini-transcribe",
    )
    speech_models: Sequence[str] = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
    voices: Sequence[str] = (
        "alloy",
        "ash",
        "ballad",
        "coral",
        "echo",
        "fable",
        "onyx",
        "nova",
        "sage",
        "shimmer",
        "verse",
        "marin",
        "cedar",
    )
    known: Sequence[SpokenText] = ()
    recordings: Mapping[str, SpokenText] = {}
    script: Sequence[SpokenText] = ()
    transcription_ms: Ms = 0
    transcription_fault: AudioFault | None = None
    first_ms: Ms = 0
    piece_ms: Annotated[int, Field(ge=20, le=5_000)] = 200
    speed: Annotated[float, Field(ge=0)] = 0
    speech_fault: AudioFault | None = None


class AudioRecord(BaseModel):
    """What was said or heard. ``audio_s`` is how much audio was sent, or was to be understood."""

    text: str = ""
    model: str = ""
    voice: str = ""
    languages: Sequence[str] = ()
    prompt: str = ""
    audio_s: float = 0
    fault: str | None = None

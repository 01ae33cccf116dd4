"""How the simulated speech-to-text behaves, and what it records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulators.google_door import Faulty

Share = Annotated[float, Field(ge=0, le=1)]
Ms = Annotated[float, Field(ge=0)]

_EVERY = ("en-US", "en-GB", "iw-IL", "ar-IL", "ru-RU", "fr-FR", "de-DE", "es-ES")
_ENGLISH = ("en-US", "en-GB")
# Which languages a model takes. That latest_short refuses iw-IL was seen (home-assistant/core 128330); that
# the other models made for English do, is assumed.
_MODELS: Mapping[str, Sequence[str]] = {
    "": _EVERY,
    "default": _EVERY,
    "command_and_search": _EVERY,
    "latest_long": _ENGLISH,
    "latest_short": _ENGLISH,
    "phone_call": _ENGLISH,
    "telephony": _ENGLISH,
    "telephony_short": _ENGLISH,
    "long": _EVERY,
    "short": _ENGLISH,
    "chirp_2": _EVERY,
}


class Interim(BaseModel):
    """What it takes the words for on the way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    stability: Share = 0.6


class Utterance(BaseModel):
    """What a caller says next. ``language`` is Google's code.

    Without ``interims`` the words come one by one, the last time with a high stability.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    language: str = "en-US"
    confidence: Share = 0.92
    interims: Sequence[Interim] | None = None

    def steps(self, *, are_garbled: bool) -> list[Interim]:
        """What it takes the words for on the way; garbled, the words come backwards."""
        if self.interims is not None:
            return list(self.interims)
        words = self.text.split()
        heard = words[::-1] if are_garbled else words
        begun = [Interim(text=" ".join(heard[:count])) for count in range(1, len(words) + 1)]
        return [*begun, Interim(text=" ".join(heard), stability=0.9)]


class Behaviour(Faulty):
    """How the server behaves from now on.

    It does not recognise words. What is said with the voice of ``google_tts_audio`` it knows among ``known``;
    anything else that is loud is taken for the next utterance of ``script``. With both at an end it hears a
    noise: a voice without words. An utterance that broke off before it was final is heard again.

    A voice is told of after ``onset_ms`` of it; interims come each ``interim_ms`` of it. ``quiet_ms`` without
    it end an utterance, and its words are final ``final_ms`` after the first quiet frame. A stream ends after
    ``longest_s``, after ``no_audio_s`` without audio, and if it is ``ahead_s`` ahead of real time.

    A recording that comes whole (``Recognize``) is not listened to: it knows those whose SHA-256, in hex, is
    among ``recordings``, and takes others for the next of ``script``. The answer takes ``batch_ms``.
    """

    known: Sequence[Utterance] = ()
    recordings: Mapping[str, Utterance] = {}
    script: Sequence[Utterance] = ()
    onset_ms: Ms = 60
    interim_ms: Annotated[float, Field(gt=0)] = 200
    quiet_ms: Ms = 100
    final_ms: Ms = 100
    batch_ms: Ms = 0
    garbled_interims: bool = False
    longest_s: Annotated[float, Field(gt=0)] = 305
    no_audio_s: Annotated[float, Field(gt=0)] = 10
    ahead_s: Annotated[float, Field(gt=0)] = 25
    models: Mapping[str, Sequence[str]] = _MODELS
    # That several languages are for voice commands and search is documented; the rest is assumed.
    multilingual_models: Sequence[str] = ("", "default", "command_and_search", "long", "chirp_2")


class Told(BaseModel):
    """Something that was answered. ``at`` is in seconds since 1970, ``audio_s`` in the stream's audio."""

    kind: Literal["began", "ended", "interim", "final"]
    text: str
    at: float
    audio_s: float


class Record(BaseModel):
    """One stream, or one recording. ``outcome`` is ``under_way`` until it has ended. Times are seconds since
    1970. ``rate_hz`` is what a recording was said to have; 0 where that was left to the service. ``line`` is
    the one whose silence was heard; see ``line_tone``."""

    version: Literal["v1", "v2"]
    is_recording: bool = False
    rate_hz: int = 0
    peer: str
    opened_at: float
    languages: Sequence[str] = ()
    model: str = ""
    phrases: Sequence[str] = ()
    line: int | None = None
    messages: int = 0
    bytes: int = 0
    first_audio_at: float | None = None
    first_loud_at: float | None = None
    last_audio_at: float | None = None
    told: list[Told] = []
    fault: str | None = None
    ended_at: float | None = None
    status: str = ""
    outcome: Literal["under_way", "finished", "refused", "broken", "client_left"] = "under_way"


def counted(records: Sequence[Record]) -> dict[str, Any]:
    """What *records* add up to."""
    outcomes = [record.outcome for record in records]
    streams = [record for record in records if not record.is_recording]
    return {
        "streams": len(streams),
        "recordings": len(records) - len(streams),
        "under_way": outcomes.count("under_way"),
        "connections": len({record.peer for record in records}),
        "audio_s": sum(record.bytes for record in streams) / 8000,
        "messages": sum(record.messages for record in records),
        "finals": sum(told.kind == "final" for record in records for told in record.told),
        "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
    }

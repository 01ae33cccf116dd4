"""How the simulated text-to-speech behaves, and what it records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from simulators.google_door import Faulty

# Names of voices, by the language that they speak. Source: Google's list of voices; Hebrew is on the newer
# versions of the page for Chirp 3.
_VOICES: Sequence[str] = (
    "en-US-Chirp3-HD-Aoede",
    "en-US-Chirp3-HD-Kore",
    "en-US-Chirp3-HD-Puck",
    "en-US-Neural2-F",
    "en-US-Standard-C",
    "he-IL-Chirp3-HD-Aoede",
    "he-IL-Chirp3-HD-Kore",
    "he-IL-Chirp3-HD-Puck",
    "he-IL-Standard-A",
    "he-IL-Wavenet-A",
)


class Behaviour(Faulty):
    """How the server behaves from now on.

    The first audio comes after ``first_ms``; a stream brings ``piece_ms`` of audio at a time, ``speed`` times
    as fast as it is spoken (0: at once).
    """

    first_ms: Annotated[float, Field(ge=0)] = 0
    speed: Annotated[float, Field(ge=0)] = 0
    piece_ms: Annotated[int, Field(ge=20, le=5_000)] = 200
    voices: Sequence[str] = _VOICES


class Record(BaseModel):
    """One call. ``outcome`` is ``under_way`` until it has ended. Times are seconds since 1970.

    ``asked_at`` is when the text was here; ``bytes`` are of audio that was sent, without a header.
    """

    method: Literal["unary", "streaming"]
    peer: str
    asked_at: float
    text: str = ""
    voice: str = ""
    bytes: int = 0
    first_audio_at: float | None = None
    last_audio_at: float | None = None
    fault: str | None = None
    status: str = ""
    outcome: Literal["under_way", "spoken", "refused", "broken", "client_left"] = "under_way"


def counted(records: Sequence[Record]) -> dict[str, Any]:
    """What *records* add up to."""
    outcomes = [record.outcome for record in records]
    return {
        "calls": len(records),
        "under_way": outcomes.count("under_way"),
        "connections": len({record.peer for record in records}),
        "characters": sum(len(record.text) for record in records),
        "audio_s": sum(record.bytes for record in records) / 8000,
        "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
    }

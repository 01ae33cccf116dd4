"""A call as those see it who look from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.domain.knowledge import Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """What was said on a call, and what came of it.

    ``told`` is what the caller heard; ``intended`` the whole reply where that was more, else None.
    ``steps_ms`` are moments of the turn, counted from the end of the caller's words.
    """

    at: datetime
    words: str
    told: str
    intended: str | None
    source: str
    language: str
    handover: bool
    reason: str
    citations: Sequence[Citation]
    steps_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RecordingView:
    """A recording; ``seconds`` is None while it is being made, and for good if that broke off."""

    name: str
    begun_at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call with what was said, oldest first. A call that was put through and came back has two recordings.

    ``caller`` is empty where the network withheld it. ``seconds`` and ``ended_at`` are None until the network
    has told of its end.
    """

    id: str
    tenant_id: str
    conversation_id: int
    caller: str
    called: str
    started_at: datetime
    ended_at: datetime | None
    ended_because: str
    seconds: int | None
    turns: Sequence[SpokenTurn]
    recordings: Sequence[RecordingView]

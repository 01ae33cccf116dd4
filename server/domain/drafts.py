"""What the desk would have answered, for staff to decide on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.knowledge import Citation


class DraftState(StrEnum):
    """What has become of a draft. A conversation has one that is open at most."""

    OPEN = "open"
    # As it was, or with words of staff's own.
    SENT = "sent"
    CHANGED = "changed"
    DROPPED = "dropped"
    # The guest wrote more, or the question was answered otherwise.
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply that nobody has sent. ``inbound_id`` is the newest message that it answers."""

    id: int
    inbound_id: int
    text: str
    source: str
    citations: Sequence[Citation]
    model: str
    prompt_version: int
    made_at: datetime

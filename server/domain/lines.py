"""The line of a business's WhatsApp number, as the sidecar tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# States that end only when a person does something.
_FOR_A_PERSON = ("logged_out", "blocked")


@dataclass(frozen=True, slots=True)
class LineState:
    """``state`` is one of the sidecar's words, or "silent": the sidecar tells nothing any more.

    ``down_since`` is None while the number is open.
    """

    state: str
    is_linked: bool
    down_since: datetime | None
    reason: str
    at: datetime

    @property
    def is_open(self) -> bool:
        """Whether guests are heard and answered."""
        return self.state == "open"

    def needs_a_person(self, patience: timedelta) -> bool:
        """Whether staff must hear of it: nothing will mend it by itself, or it has lasted too long."""
        if self.is_open:
            return False
        if self.state in _FOR_A_PERSON:
            return True
        # A number that nobody has linked, or that was unlinked on purpose, misses nothing.
        return self.is_linked and self.down_since is not None and self.at - self.down_since >= patience


@dataclass(frozen=True, slots=True)
class LastReport:
    """The last that was told of a linked number; ``down_since`` is None if it was open then."""

    tenant_id: str
    down_since: datetime | None
    at: datetime

    def gone_silent(self, now: datetime) -> LineState:
        """The line, now that nothing more is heard of it."""
        return LineState("silent", True, self.down_since or self.at, "", now)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A guest's message that arrived and could not be read, nor was sent again when asked for."""

    message_id: str
    sender: str
    at: datetime

"""What the console is made of."""

from __future__ import annotations

from dataclasses import dataclass

from server.conversation.enclosures import Enclosures
from server.inbox.takeover import Takeover
from server.ports.clock import Clock
from server.ports.recordings import RecordingShelf
from server.store.session import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """What pages ask, and what they have done by others."""

    database: Database
    clock: Clock
    takeover: Takeover
    enclosures: Enclosures
    recordings: RecordingShelf

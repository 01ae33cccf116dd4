"""Who answers a conversation, and who said so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.domain.conversations import Mode
from server.domain.messages import DeliveryState


class ModeBy(StrEnum):
    """What a conversation's mode was set by."""

    API = "api"
    CONSOLE = "console"
    COMMAND = "command"
    HOST_PHONE = "host_phone"
    TIME = "time"


class EventKind(StrEnum):
    """What happens to a conversation beside its messages."""

    TAKEOVER = "takeover"
    HAND_BACK = "hand_back"
    # From one of the modes in which people answer to the other.
    MODE = "mode"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a mode. ``name`` is a member of staff's, where one is logged in."""

    by: ModeBy
    name: str = ""

    def __str__(self) -> str:
        return f"{self.by}: {self.name}" if self.name else str(self.by)


# Whoever runs the server.
OPERATOR = Actor(ModeBy.COMMAND)


@dataclass(frozen=True, slots=True)
class ModeChange:
    """A conversation's mode after a change, and how many replies of the desk it has cancelled."""

    conversation_id: int
    mode: Mode
    cancelled: int


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """What staff wrote: its id, and how far it has got. ``is_new`` is false for a repetition."""

    conversation_id: int
    message_id: str
    state: DeliveryState
    lane: str
    is_new: bool

"""What staff do that others may ask about later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditAction(StrEnum):
    """What was done, of those that are noted here; other parts have words of their own."""

    LOGIN = "login"
    SECOND_FACTOR_REFUSED = "second_factor.refused"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    PASSWORD = "password.changed"  # noqa: S105 - what was done, not a password
    USER_ADDED = "user.added"
    USER_ROLE = "user.role"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    SESSIONS_ENDED = "user.sessions_ended"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    GUEST_EXPORTED = "guest.exported"
    GUEST_ERASED = "guest.erased"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done. ``actor`` is as `server.domain.modes.Actor` writes itself; ``action`` is an
    `AuditAction`, an `EventKind` of a conversation, or another part's word.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first; ``older`` is the cursor of the next page, if there is one."""

    entries: Sequence[AuditEntry]
    older: str | None

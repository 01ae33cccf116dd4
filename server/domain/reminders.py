"""Guests who still wait for a person after staff have heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.domain.tenants import Tenant

# What the reasons of turns begin with that tell of somebody in danger.
EMERGENCY = "emergency_"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation that waits for a person.

    ``is_urgent``: somebody may be in danger. ``is_seen_to``: somebody of the team looks after it.
    """

    conversation_id: int
    tenant: Tenant
    since: datetime
    is_urgent: bool
    is_seen_to: bool


@dataclass(frozen=True, slots=True)
class Reminder:
    """The *number*-th that a conversation waits, from 1.

    ``people`` are phone numbers and e-mail addresses to tell; None: those whom the tenant wants told. Its
    webhook hears each.
    """

    of: Waiting
    number: int
    people: Sequence[str] | None

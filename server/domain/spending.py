"""What models cost a business on one of its days, and what follows when that nears the budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from server.domain.model_calls import ModelCall
from server.domain.tenants import Tenant

MICROS = 1_000_000


class Level(IntEnum):
    """How a turn may be answered. The value is the share of the budget, in percent, from which on."""

    NORMAL = 0
    CHEAPER = 80
    EMBEDDED = 95
    HUMAN = 100


@dataclass(frozen=True, slots=True)
class Spent:
    """Millionths of a US dollar that a day has cost: the business in all, and one guest's conversation."""

    business_micros: int
    guest_micros: int


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One call, and whose it was. ``day`` is the business's, such as 2026-11-21."""

    tenant_id: str
    conversation_id: int
    turn_id: str
    day: str
    call: ModelCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A budget has reached a level; ``conversation_id`` is None where it is the whole business's."""

    tenant_id: str
    day: str
    level: Level
    spent_micros: int
    budget_usd: float
    conversation_id: int | None = None


def business_day(tenant: Tenant, moment: datetime) -> str:
    """The day that *moment* belongs to where the business is."""
    return moment.astimezone(tenant.settings.zone).date().isoformat()


def dollars(amount: float) -> str:
    """To the cent; less than a dollar to the hundredth of one, where cents do not tell it: what a guest may
    cost on a day, and an answer, is about as much.
    """
    cents = f"{amount:.2f}"
    return f"${cents}" if amount >= 1 or float(cents) == amount else f"${amount:.4f}"

"""How much what a number has sent looks like what WhatsApp bans.

Nobody outside knows WhatsApp's rules. The signs are those that people who were banned report, a refusal with
code 463 above all; the weights are our judgement, as in services/whatsapp/src/ban-risk.js, which counts in
memory what it has done itself. Any one sign raises the risk up to its weight, and none lowers it:

    risk = 1 − Π (1 − weight × sign)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod

# Of very few a share says nothing, so there are at least as many.
FEW = 10
# From here on it is worth a look, and from here on it is time to stop.
RAISED_FROM = 0.4
HIGH_FROM = 0.7


class RiskLevel(StrEnum):
    """The risk in one word."""

    LOW = "low"
    RAISED = "raised"
    HIGH = "high"


class RiskSign(StrEnum):
    """What speaks for a ban."""

    TIME_LOCK = "time_lock"
    STRANGERS = "strangers"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    HASTE = "haste"


WEIGHTS: Mapping[RiskSign, float] = {
    RiskSign.TIME_LOCK: 0.8,
    RiskSign.STRANGERS: 0.6,
    RiskSign.UNDELIVERED: 0.5,
    RiskSign.REFUSED: 0.4,
    RiskSign.HASTE: 0.4,
}

# Shares at which a sign begins and is full. Phones that are off overnight are no sign.
_STRANGERS = (0.05, 0.5)
_UNDELIVERED = (0.3, 0.8)
_REFUSED = (0.0, 0.1)
# Messages in an hour: a house that answers its guests has fewer.
_HASTE = (120.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingFacts:
    """What a number has sent in the last 24 hours; ``last_hour`` in the last one.

    ``sent`` is what WhatsApp has taken: ``strangers`` of it went to people who have never written,
    ``delivered`` has reached a phone, ``undelivered`` has not within ten minutes. ``time_locks`` are
    refusals with code 463, ``refused`` those with other codes.
    """

    sent: int = 0
    last_hour: int = 0
    strangers: int = 0
    delivered: int = 0
    undelivered: int = 0
    time_locks: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class BanRisk:
    """``value`` is 0 to 1, to the hundredth. ``signs`` are what raises it, the weightiest first."""

    value: float
    signs: Sequence[RiskSign]

    @property
    def level(self) -> RiskLevel:
        """The value in one word."""
        if self.value >= HIGH_FROM:
            return RiskLevel.HIGH
        return RiskLevel.RAISED if self.value >= RAISED_FROM else RiskLevel.LOW


def ban_risk(facts: SendingFacts) -> BanRisk:
    """The risk that *facts* tell of."""
    signs = {
        # The first counts most.
        RiskSign.TIME_LOCK: 1 - 2.0**-facts.time_locks,
        RiskSign.STRANGERS: _within(_STRANGERS, _share(facts.strangers, facts.sent)),
        RiskSign.UNDELIVERED: _within(
            _UNDELIVERED, _share(facts.undelivered, facts.undelivered + facts.delivered)
        ),
        RiskSign.REFUSED: _within(_REFUSED, _share(facts.refused, facts.sent)),
        RiskSign.HASTE: _within(_HASTE, facts.last_hour),
    }
    parts = {sign: WEIGHTS[sign] * strength for sign, strength in signs.items()}
    value = round(1 - prod(1 - part for part in parts.values()), 2)
    return BanRisk(value, sorted((sign for sign in parts if parts[sign] > 0), key=lambda sign: -parts[sign]))


def _share(part: int, whole: int) -> float:
    return part / max(whole, FEW)


def _within(limits: tuple[float, float], value: float) -> float:
    begins, is_full = limits
    return min(1.0, max(0.0, (value - begins) / (is_full - begins)))

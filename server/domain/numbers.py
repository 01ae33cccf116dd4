"""A business's WhatsApp number, as its sidecar tells of it to whoever looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class NumberState(StrEnum):
    """The sidecar's words for it, and one for words that we do not know."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    QR = "qr"
    PAIRING = "pairing"
    OPEN = "open"
    DEAF = "deaf"
    LOGGED_OUT = "logged_out"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"

    @property
    def is_linking(self) -> bool:
        """Whether somebody is to act on the phone, or soon will be."""
        return self in (NumberState.CONNECTING, NumberState.QR, NumberState.PAIRING)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberView:
    """How a number is.

    ``phone`` has a plus and digits only; empty if it is not known. ``probe_ok`` is whether WhatsApp answered
    the last question on the line; None: none was asked since it was connected. ``qr`` is the text that the
    code to scan holds.
    """

    state: NumberState
    is_linked: bool = False
    phone: str = ""
    reason: str = ""
    away_since: datetime | None = None
    last_inbound_at: datetime | None = None
    last_ack_at: datetime | None = None
    probe_ok: bool | None = None
    qr: str = ""
    pairing_code: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether guests are heard and answered, as far as WhatsApp's own answer proves it."""
        return self.state is NumberState.OPEN and self.probe_ok is True

    @property
    def is_to_be_linked(self) -> bool:
        """Whether there is anything that a new code would mend."""
        return not self.is_linked or self.state in (NumberState.LOGGED_OUT, NumberState.BLOCKED)


def read_number(look: Mapping[str, Any], health: Mapping[str, Any]) -> NumberView:
    """A number from what its sidecar says of it: its look, and its line of the health; {} where it has none.

    What cannot be read is left out.
    """
    state = _state(look.get("state"))
    owner = look.get("me")
    phone = re.match(r"\d+", str(owner.get("pn") or "")) if isinstance(owner, Mapping) else None
    # A link being made has nothing to miss.
    away_since = _moment(health.get("since")) if health.get("linked") is True else None
    probe = health.get("probeOk")
    return NumberView(
        state=state,
        is_linked=health.get("linked") is True,
        phone=f"+{phone[0]}" if phone else "",
        reason=_text(look.get("reason")),
        away_since=None if state is NumberState.OPEN else away_since,
        last_inbound_at=_moment(health.get("lastInboundAt")),
        last_ack_at=_moment(health.get("lastAckAt")),
        probe_ok=probe if isinstance(probe, bool) else None,
        qr=_text(look.get("qr")),
        pairing_code=_text(look.get("pairingCode")),
    )


def _state(value: object) -> NumberState:
    try:
        return NumberState(str(value))
    except ValueError:
        return NumberState.UNKNOWN


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """Milliseconds since 1970 as a time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSetup:
    """What the installation has for its phone lines. ``base_url`` is where Twilio reaches it, without the
    last slash; empty if that is not set.
    """

    has_token: bool = False
    base_url: str = ""
    has_speech: bool = False

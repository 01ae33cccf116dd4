"""Builders that name only what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from server.domain.messages import Channel, GuestAddress, InboundMessage, MessageKind

_ids = count(1)

GUEST = "972501111111@s.whatsapp.net"


def a_message(text: str = "When is check-in?", **changes: Any) -> InboundMessage:
    """One WhatsApp text of the same guest, under a new id."""
    values: dict[str, Any] = {
        "tenant_id": "1",
        "channel": Channel.WHATSAPP,
        "address": GuestAddress(reply_to=GUEST, phone=GUEST),
        "provider_id": f"ID{next(_ids)}",
        "kind": MessageKind.TEXT,
        "text": text,
        # Just now, also for a desk that has the machine's clock: older ones go to staff.
        "sent_at": datetime.now(UTC),
    }
    return InboundMessage(**(values | changes))

"""A guest's message that is to be answered, as it is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from server.domain.conversations import WaitingMessage
from server.domain.messages import MessageKind, Quoted
from server.store.models import InboundRow


def to_waiting(row: InboundRow | Row[*tuple[Any, ...]]) -> WaitingMessage:
    """The message; a plain row needs the columns of what a turn is made of."""
    quoted = None if row.quoted is None else Quoted(str(row.quoted["id"]), row.quoted["text"])
    return WaitingMessage(
        id=row.id,
        provider_id=row.provider_id,
        kind=MessageKind(row.kind),
        text=row.text,
        quoted=quoted,
        received_at=row.received_at,
        attempts=row.attempts,
        details=row.details,
    )

"""Whether a guest has written more while an answer was made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, select

from server.domain.conversations import Turn
from server.store.models import InboundRow, table_of

_INBOUND = table_of(InboundRow)


def newer_messages() -> Select[int]:
    """What a guest has sent since a turn was made up; takes the parameters of `newer_key`."""
    return select(_INBOUND.c.id).where(
        _INBOUND.c.conversation_id == bindparam("conversation"),
        _INBOUND.c.handled_at.is_(None),
        _INBOUND.c.channel == bindparam("channel"),
        _INBOUND.c.id > bindparam("last"),
    )


def newer_key(turn: Turn) -> dict[str, Any]:
    """The parameters of `newer_messages`."""
    return {
        "conversation": turn.conversation_id,
        "channel": turn.channel,
        "last": turn.messages[-1].id,
    }

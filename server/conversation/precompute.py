"""The questions that guests ask most, answered before the next one asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from server.conversation.engine import Engine
from server.domain.conversations import lone_turn
from server.domain.messages import Channel
from server.domain.tenants import Tenant


async def precompute(
    engine: Engine, tenant: Tenant, asked: Iterable[tuple[Channel, str]], now: datetime
) -> None:
    """Answer each question as a guest's first one would be, one after the other.

    What may be kept is kept where answers are kept; nothing is said to anybody. The business pays.
    """
    for channel, question in asked:
        await engine.answer(lone_turn(tenant, channel, question, now))

"""How quick turns and models have been, read from the newest rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import QueuePool, func, select

from server.domain.conversations import ReplySource
from server.domain.messages import OutboundKind
from server.domain.model_calls import ModelCall
from server.ports.performance import MOST_ROWS, PoolState, TurnTimes
from server.store.model_calls import to_model_call
from server.store.models import ModelCallRow, OutboxRow, TurnRow
from server.store.session import Database

# Turns have no index by time. The outbox is in the order of time, all tenants together: so many of its newest
# rows are looked at for one tenant's.
LOOKED_AT = 5_000


class Performance:
    """The ``PerformanceStore`` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent_calls(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[ModelCall]:
        """The tenant's newest calls to models that began after *since*."""
        row = ModelCallRow
        wanted = (
            select(row)
            .where(row.started_at > since, row.tenant_id == tenant_id)
            .order_by(row.started_at.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return [to_model_call(found) for found in session.scalars(wanted)]

    def recent_turns(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[TurnTimes]:
        """The tenant's newest turns that were committed after *since*."""
        row = OutboxRow
        wanted = (
            select(
                TurnRow.source, TurnRow.steps_ms, row.committed_at, row.sent_at, row.delivered_at, row.read_at
            )
            .join(TurnRow, TurnRow.id == row.turn_id)
            .where(row.tenant_id == tenant_id, row.kind == OutboundKind.REPLY, row.committed_at > since)
            .order_by(row.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            newest = session.scalar(select(func.max(row.id))) or 0
            found = session.execute(wanted.where(row.id > newest - LOOKED_AT))
            return [
                TurnTimes(ReplySource(source), committed_at, _steps(steps_ms, committed_at, later))
                for source, steps_ms, committed_at, *later in found
            ]


def pool_state(database: Database) -> PoolState:
    """The connections that this process keeps to the database."""
    pool = database.engine.pool
    if not isinstance(pool, QueuePool):
        return PoolState(0, 0)
    return PoolState(pool.checkedin() + pool.checkedout(), pool.checkedout())


def _steps(
    steps_ms: dict[str, float], committed_at: datetime, later: Sequence[datetime | None]
) -> dict[str, float]:
    """With what happened after the commit, which is told as moments."""
    steps = dict(steps_ms)
    if "committed" in steps:
        for name, at in zip(("sent", "delivered", "read"), later, strict=True):
            if at is not None:
                steps[name] = round(steps["committed"] + (at - committed_at) / timedelta(milliseconds=1), 2)
    return steps

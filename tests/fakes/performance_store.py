"""A performance store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.domain.model_calls import ModelCall
from server.errors import StoreUnavailable
from server.ports.performance import MOST_ROWS, TurnTimes


class FakePerformance:
    """Keeps the ``PerformanceStore`` port; ``calls`` and ``turns`` are by tenant, ``is_away`` fails all."""

    def __init__(self) -> None:
        self.calls: dict[str, list[ModelCall]] = {}
        self.turns: dict[str, list[TurnTimes]] = {}
        self.is_away = False

    def recent_calls(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[ModelCall]:
        """The tenant's calls, newest first."""
        self._check()
        found = [call for call in self.calls.get(tenant_id, ()) if call.started_at > since]
        return sorted(found, key=lambda call: call.started_at, reverse=True)[:limit]

    def recent_turns(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[TurnTimes]:
        """The tenant's turns, newest first."""
        self._check()
        found = [turn for turn in self.turns.get(tenant_id, ()) if turn.committed_at > since]
        return sorted(found, key=lambda turn: turn.committed_at, reverse=True)[:limit]

    def _check(self) -> None:
        if self.is_away:
            raise StoreUnavailable("the database does not answer")

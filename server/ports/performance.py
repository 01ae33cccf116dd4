"""What we ask of the database about how quick the desk has been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from server.domain.conversations import ReplySource
from server.domain.model_calls import ModelCall

# So many at most: enough for a 99th percentile, and no more work in an hour with a million.
MOST_ROWS = 2000


@dataclass(frozen=True, slots=True)
class PoolState:
    """Connections that are kept open, and how many of them are at work."""

    open: int
    busy: int


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """When a turn reached each step, in milliseconds from the arrival of its oldest message.

    Beside `STEPS` there are ``sent``, ``delivered`` and ``read``, once they are known.
    """

    source: ReplySource
    committed_at: datetime
    steps_ms: Mapping[str, float]


class PerformanceStore(Protocol):
    """Reads what turns and calls have left behind. What it costs does not grow with the tables."""

    def recent_calls(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[ModelCall]:
        """The tenant's newest calls to models that began after *since*, newest first.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...

    def recent_turns(self, tenant_id: str, since: datetime, limit: int = MOST_ROWS) -> Sequence[TurnTimes]:
        """The tenant's newest turns that were committed after *since*, newest first.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...

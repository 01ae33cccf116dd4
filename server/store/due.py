"""When a row's time has come, by clocks that may jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

# Older than any clock's time: not to be waited for, whatever the clock does.
AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
# No row is put off for longer. One that seems to be was put off before the clock was set back.
LONGEST_DELAY = timedelta(minutes=2)


def is_due(due_at: datetime, now: datetime) -> bool:
    """Whether a row's time has come."""
    return not now < due_at <= now + LONGEST_DELAY


def due(column: InstrumentedAttribute[datetime], now: datetime) -> ColumnElement[bool]:
    """`is_due`, in SQL."""
    return or_(column <= now, column > now + LONGEST_DELAY)

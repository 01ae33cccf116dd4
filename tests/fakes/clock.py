"""A clock that is turned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Keeps the ``Clock`` port; stands still until `advance`."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)) -> None:
        self._start = now
        self._now = now

    def now(self) -> datetime:
        """The time it was turned to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds it was turned by."""
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Turn it forward."""
        self._now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """What an operator does to a clock that goes wrong: the stopwatch goes on as if nothing were."""
        self._now -= timedelta(seconds=seconds)
        self._start -= timedelta(seconds=seconds)

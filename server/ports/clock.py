"""Time, so that tests can turn it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time and a stopwatch."""

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

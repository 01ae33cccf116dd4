"""The moments of a turn's making."""

from __future__ import annotations

from collections.abc import Mapping

from server.ports.clock import Clock


class Steps:
    """Notes when each step was reached, in milliseconds from the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._reached: dict[str, float] = {}

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    @property
    def reached_ms(self) -> Mapping[str, float]:
        """Each step by its name."""
        return dict(self._reached)

    def reach(self, name: str) -> None:
        """Step *name* is reached now; when it was reached first counts."""
        self._reached.setdefault(name, round(self.elapsed_s * 1000, 2))

    def between_ms(self, start: str, end: str) -> float:
        """From one step to another; 0 where either was not reached."""
        if start not in self._reached or end not in self._reached:
            return 0.0
        return round(self._reached[end] - self._reached[start], 2)

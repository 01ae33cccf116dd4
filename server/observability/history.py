"""What was counted in the last minutes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from server.observability.figures import Figures, Series
from server.ports.clock import Clock

WINDOW_S = 300.0
# Figures of the past are kept so far apart.
STEP_S = 15.0


@dataclass(frozen=True, slots=True)
class Recent:
    """``total`` is everything that was ever counted, ``window`` what came in the last ``seconds``."""

    total: Figures
    window: Figures
    seconds: float


class History:
    """Figures of the last `WINDOW_S` seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[tuple[float, Figures]] = deque()
        # Names and labels are the same every time: kept once.
        self._series: dict[Series, Series] = {}

    def add(self, figures: Figures) -> None:
        """Keep what the metrics say now."""
        now = self._clock.monotonic()
        if self._kept and now - self._kept[-1][0] < STEP_S:
            return
        known = {self._series.setdefault(series, series): value for series, value in figures.samples.items()}
        self._kept.append((now, Figures(known)))
        # One is kept that is as old as the window, or older.
        while len(self._kept) > 1 and now - self._kept[1][0] >= WINDOW_S:
            self._kept.popleft()

    def recent(self, figures: Figures) -> Recent:
        """What came since the oldest that is kept."""
        if not self._kept:
            return Recent(figures, Figures({}), 0.0)
        began, oldest = self._kept[0]
        return Recent(figures, figures.since(oldest), self._clock.monotonic() - began)

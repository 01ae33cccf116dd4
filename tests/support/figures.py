"""Figures that name only what a test is about."""

from __future__ import annotations

from server.observability.figures import Figures
from server.observability.instruments import Counter, Gauge


class Counted:
    """Counters and gauges of a world of their own."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, metric: Counter | Gauge, amount: float = 1, **labels: str) -> Counted:
        """Count *amount* more."""
        assert set(labels) == set(metric.labels)
        series = (metric.name, tuple(sorted(labels.items())))
        self._samples[series] = self._samples.get(series, 0.0) + amount
        return self

    def figures(self) -> Figures:
        """What was counted so far."""
        return Figures(dict(self._samples))

"""Counters, gauges and histograms that come to life when they are first used.

prometheus_client decides while it is imported whether its figures are one process's or shared by several
(`PROMETHEUS_MULTIPROC_DIR`). Ours are declared at import too, before any setting has been read; so a
declaration only remembers what it is called, and the library is imported with the first figure. By then
`server.observability.multiprocess.share` has been called, or the figures are this process's alone.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

# How gauges of several processes become one figure. Those of processes that are gone are left out.
Merged = Literal["livesum", "livemax"]

_making = threading.RLock()
_registry: CollectorRegistry | None = None


class Instrument(ABC):
    """One metric.

    Args:
        name: as Prometheus knows it.
        help_text: one sentence for whoever reads ``/metrics``.
        labels: their names; values come from code and settings, never from guests.
    """

    def __init__(self, name: str, help_text: str, *labels: str) -> None:
        self.name = name
        self.help_text = help_text
        self.labels = labels
        self._made: Any = None

    def _child(self, labels: dict[str, str]) -> Any:
        if len(labels) != len(self.labels):
            raise TypeError(f"{self.name} has the labels {self.labels}, not {tuple(labels)}")
        made = self._made or self._make_once()
        return made.labels(*[labels[name] for name in self.labels]) if self.labels else made

    def _make_once(self) -> Any:
        with _making:
            if self._made is None:
                self._made = self._make(registry())
            return self._made

    @abstractmethod
    def _make(self, registry: CollectorRegistry) -> Any:
        """The library's own instrument."""


class Counter(Instrument):
    """Only grows. Its name ends in ``_total``."""

    def inc(self, amount: float = 1, **labels: str) -> None:
        """Add *amount*, which is not negative."""
        self._child(labels).inc(amount)

    def _make(self, registry: CollectorRegistry) -> Any:
        import prometheus_client

        return prometheus_client.Counter(self.name, self.help_text, self.labels, registry=registry)


class Gauge(Instrument):
    """Goes up and down; *merged* is how those of several processes become one."""

    def __init__(self, name: str, help_text: str, *labels: str, merged: Merged) -> None:
        super().__init__(name, help_text, *labels)
        self._merged: Merged = merged

    def set(self, value: float, **labels: str) -> None:
        """Put *value* in place of the one before."""
        self._child(labels).set(value)

    def _make(self, registry: CollectorRegistry) -> Any:
        import prometheus_client

        return prometheus_client.Gauge(
            self.name, self.help_text, self.labels, registry=registry, multiprocess_mode=self._merged
        )


class Histogram(Instrument):
    """Counts values by size; *edges* are the upper ends of its classes."""

    def __init__(self, name: str, help_text: str, *labels: str, edges: tuple[float, ...]) -> None:
        super().__init__(name, help_text, *labels)
        self._edges = edges

    def observe(self, value: float, **labels: str) -> None:
        """Count one value."""
        self._child(labels).observe(value)

    def _make(self, registry: CollectorRegistry) -> Any:
        import prometheus_client

        return prometheus_client.Histogram(
            self.name, self.help_text, self.labels, registry=registry, buckets=self._edges
        )


def registry() -> CollectorRegistry:
    """Where this process's instruments are; made with the first of them."""
    global _registry
    with _making:
        if _registry is None:
            import prometheus_client

            # When a counter began is of no use where several processes count together.
            prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
            _registry = prometheus_client.CollectorRegistry()
        return _registry

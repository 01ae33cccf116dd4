"""What the metrics say at one moment, and what happened between two moments. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from server.observability.instruments import Counter, Gauge, Histogram

# A sample's name, and its labels in order of their names.
Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Every sample of every metric, all processes together."""

    samples: Mapping[Series, float]

    def total(self, metric: Counter | Gauge, **labels: str) -> float:
        """The sum over all series that have *labels*."""
        return sum(value for _, value in self._matching(metric.name, labels))

    def worst(self, metric: Gauge, **labels: str) -> float:
        """The greatest of all series that have *labels*; 0 if there is none."""
        return max((value for _, value in self._matching(metric.name, labels)), default=0.0)

    def values(self, metric: Counter | Gauge | Histogram, label: str) -> list[str]:
        """What *label* of the metric has ever been, in order."""
        name = f"{metric.name}_count" if isinstance(metric, Histogram) else metric.name
        return sorted({found[label] for found, _ in self._matching(name, {})})

    def count(self, metric: Histogram, **labels: str) -> float:
        """How many values were counted."""
        return sum(value for _, value in self._matching(f"{metric.name}_count", labels))

    def mean(self, metric: Histogram, **labels: str) -> float | None:
        """The mean of the values; None if there were none."""
        count = self.count(metric, **labels)
        if not count:
            return None
        return sum(value for _, value in self._matching(f"{metric.name}_sum", labels)) / count

    def percentile(self, metric: Histogram, share: float, **labels: str) -> float | None:
        """The value that *share* (0 to 1) of all are below, estimated within its class; None without values.

        What is greater than the greatest edge is told as that edge.
        """
        classes: dict[float, float] = {}
        for found, value in self._matching(f"{metric.name}_bucket", labels):
            edge = float(found["le"])
            classes[edge] = classes.get(edge, 0.0) + value
        rank = share * classes.get(math.inf, 0.0)
        if rank <= 0:
            return None
        steps = [(0.0, 0.0), *sorted(classes.items())]
        for (below, before), (edge, upto) in pairwise(steps):
            if upto >= rank:
                within = (rank - before) / (upto - before)
                return below if math.isinf(edge) else below + (edge - below) * within
        return steps[-1][0]

    def since(self, earlier: Figures) -> Figures:
        """What was added after *earlier*. A series that has shrunk was begun anew: all of it counts."""
        return Figures(
            {
                series: value if value < (before := earlier.samples.get(series, 0.0)) else value - before
                for series, value in self.samples.items()
            }
        )

    def _matching(self, name: str, labels: Mapping[str, str]) -> Iterable[tuple[Mapping[str, str], float]]:
        wanted = labels.items()
        for (sample, pairs), value in self.samples.items():
            if sample == name and wanted <= (found := dict(pairs)).items():
                yield found, value

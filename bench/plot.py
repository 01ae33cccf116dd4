"""Line plots as SVG; matplotlib is loaded only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: its name and its (x, y) points."""

    name: str
    points: Sequence[tuple[float, float]]


def draw_lines(path: Path, title: str, x_label: str, y_label: str, series: Sequence[Series]) -> None:
    """Write *series* to *path*."""
    # A second that most runs need not wait.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for line in series:
        axes.plot([x for x, _ in line.points], [y for _, y in line.points], label=line.name, linewidth=1.5)
    axes.set(title=title, xlabel=x_label, ylabel=y_label, ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    # The file's own time stamp would make each run's picture another one.
    figure.savefig(path, metadata={"Date": None})

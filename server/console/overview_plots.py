"""Plots of the overview, drawn by the server: bars in units of their own, which the page stretches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.console.display import duration
from server.domain.reports import Traffic

# Of a plot, and of the place of one bar in it.
HEIGHT = 100
SLOT = 10
_BAR = 7
_MARGIN = (SLOT - _BAR) / 2

# Heights that are easily halved.
_ROUND = (2, 4, 6, 8, 10)
# The same for seconds: what people say of time.
_ROUND_S = (1, 2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14_400, 43_200)


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle; ``kind`` is what it stands for: ``desk``, ``staff`` or ``time``."""

    kind: str
    x: float
    y: float
    height: float
    width: float = _BAR


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, of pieces that stand on one another. ``x`` is where its place begins, ``told`` its words."""

    x: int
    told: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars beside one another; ``top`` is what the plot's full height stands for, ``ends`` what its axis is
    marked with, from one end to the other. ``summary`` tells those who do not see it.
    """

    bars: Sequence[Bar]
    top: str
    ends: Sequence[str]
    summary: str

    @property
    def width(self) -> int:
        """In the plot's units."""
        return SLOT * len(self.bars)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(bar.pieces for bar in self.bars)


def answers_plot(traffic: Sequence[Traffic], told: Sequence[str], ends: Sequence[str], summary: str) -> Plot:
    """Answers of the desk, and on them those of people; *told* is what each bar says."""
    top = _round_up(max((one.answers for one in traffic), default=0))
    bars = [
        Bar(place * SLOT, words, _stacked(place, top, {"desk": one.desk, "staff": one.staff}))
        for place, (one, words) in enumerate(zip(traffic, told, strict=True))
    ]
    return Plot(bars, str(top), ends, summary)


def times_plot(
    seconds: Sequence[float | None], told: Sequence[str], ends: Sequence[str], summary: str
) -> Plot:
    """How long answers took."""
    longest = max((one for one in seconds if one is not None), default=0.0)
    top = next((step for step in _ROUND_S if step >= longest), None) or longest
    bars = [
        Bar(place * SLOT, words, _stacked(place, top, {"time": one or 0.0}))
        for place, (one, words) in enumerate(zip(seconds, told, strict=True))
    ]
    return Plot(bars, duration(top * 1000), ends, summary)


def _stacked(place: int, top: float, values: dict[str, float]) -> Sequence[Piece]:
    pieces: list[Piece] = []
    y = float(HEIGHT)
    for kind, value in values.items():
        if value:
            # What is there is seen, however little it is.
            height = max(round(HEIGHT * value / top, 2), 1.0)
            y -= height
            pieces.append(Piece(kind, place * SLOT + _MARGIN, round(max(y, 0.0), 2), height))
    return pieces


def _round_up(count: int) -> int:
    scale = 1
    while count > _ROUND[-1] * scale:
        scale *= 10
    return next(step * scale for step in _ROUND if step * scale >= count)

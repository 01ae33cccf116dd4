"""What a bench prints: figures, as a table for people or one JSON object a line, and whether budgets hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_COLUMNS = ("metric", "value", "floor", "ratio", "budget", "holds")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    ``floor`` is what nothing could do without, measured in the same run; ``ratio`` is value ÷ floor. A
    ``budget`` limits the ratio where there is one, else the value; both count as held when they are equal.
    """

    bench: str
    setting: str
    metric: str
    value: float
    unit: str
    floor: float | None = None
    budget: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor the value is."""
        return None if not self.floor else self.value / self.floor

    @property
    def holds(self) -> bool | None:
        """Whether the budget holds; None without one."""
        if self.budget is None:
            return None
        limited = self.value if self.ratio is None else self.ratio
        return limited <= self.budget

    def as_json(self) -> str:
        """The line that ``--json`` prints."""
        fields = asdict(self)
        line = {
            "bench": self.bench,
            "setting": self.setting,
            "metric": self.metric,
            "value": round(self.value, 3),
            "unit": self.unit,
            "floor": None if self.floor is None else round(self.floor, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "budget": fields["budget"],
            "holds": self.holds,
        }
        return json.dumps(line, ensure_ascii=False)


class Output:
    """Where figures go: at once as JSON lines, or as one table at the end."""

    def __init__(self, *, as_json: bool, is_strict: bool) -> None:
        self.figures: list[Figure] = []
        self._as_json = as_json
        self._is_strict = is_strict

    def add(self, *figures: Figure) -> None:
        """Take up *figures* in the order in which they are to be read."""
        self.figures += figures
        if self._as_json:
            for figure in figures:
                click.echo(figure.as_json())

    def close(self) -> None:
        """Print the table; with ``--strict`` a budget that does not hold ends the program with 1."""
        if not self._as_json:
            click.echo(as_table(self.figures))
        if self._is_strict and any(figure.holds is False for figure in self.figures):
            sys.exit(1)


def json_option(command: Command) -> Command:
    """``--json``, which every bench has; given to the command as ``as_json``."""
    option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
    return option(command)


def output_options(command: Command) -> Command:
    """``--json`` and ``--strict``, for benches with budgets that may fail."""
    strict = click.option("--strict", is_flag=True, help="Exit 1 if a budget does not hold.")
    return json_option(strict(command))


def as_table(figures: Sequence[Figure]) -> str:
    """*figures* for people: a block for each setting, columns aligned over all of them."""
    rows = [_cells(figure) for figure in figures]
    widths = [max(len(row[i]) for row in [_COLUMNS, *rows]) for i in range(len(_COLUMNS))]
    lines = [_line(_COLUMNS, widths)]
    setting = None
    for figure, row in zip(figures, rows, strict=True):
        if figure.setting != setting:
            setting = figure.setting
            lines += ["", f"{figure.bench}: {setting}"]
        lines.append(_line(row, widths))
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    limited = figure.unit if figure.ratio is None else "x floor"
    return (
        f"  {figure.metric}",
        f"{_number(figure.value)} {figure.unit}",
        "" if figure.floor is None else f"{_number(figure.floor)} {figure.unit}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if figure.budget is None else f"<= {_number(figure.budget)} {limited}",
        {None: "", True: "yes", False: "NO"}[figure.holds],
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if number == 0 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()

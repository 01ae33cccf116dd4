"""Two runs of a bench side by side: ``frontdesk bench compare BEFORE AFTER``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from pydantic import BaseModel, ValidationError

from server.errors import CommandError

_COLUMNS = ("metric", "before", "after", "change")


class Line(BaseModel):
    """What `compare` reads of a line that ``--json`` printed."""

    bench: str
    setting: str
    metric: str
    value: float
    unit: str

    @property
    def name(self) -> tuple[str, str, str]:
        """What it is the value of."""
        return self.bench, self.setting, self.metric


@click.command(
    "compare",
    epilog="Example: frontdesk bench compare before.jsonl after.jsonl",
)
@click.argument("before", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
def command(before: Path, after: Path, *, as_json: bool) -> None:
    """What has changed between two runs that were printed with --json.

    Figures that only one of them has are left out.
    """
    old, new = read_lines(before), read_lines(after)
    pairs = [(old[name], line) for name, line in new.items() if name in old]
    if not pairs:
        raise CommandError("the two files have no figure in common: they are of other benches or settings")
    click.echo("\n".join(_as_json(pairs) if as_json else _as_table(pairs)))


def read_lines(path: Path) -> Mapping[tuple[str, str, str], Line]:
    """The figures of a file by their names; of one that stands there twice the last.

    Raises:
        CommandError: a line is none of ``--json``'s.
    """
    found = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = Line.model_validate_json(text)
        except ValidationError:
            raise CommandError(f"{path}, line {number}: no figure; print them with --json") from None
        found[line.name] = line
    return found


def change(before: Line, after: Line) -> float | None:
    """By how many percent the value has grown; None where there was nothing to grow from."""
    return None if before.value == 0 else 100 * (after.value - before.value) / abs(before.value)


def _as_json(pairs: list[tuple[Line, Line]]) -> Iterator[str]:
    for before, after in pairs:
        grown = change(before, after)
        names = dict(zip(("bench", "setting", "metric"), after.name, strict=True))
        percent = None if grown is None else round(grown, 1)
        values = {"before": before.value, "after": after.value, "unit": after.unit, "change_percent": percent}
        yield json.dumps({**names, **values}, ensure_ascii=False)


def _as_table(pairs: list[tuple[Line, Line]]) -> Iterator[str]:
    rows = [_COLUMNS, *(_cells(before, after) for before, after in pairs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        yield "  ".join(cells).rstrip()


def _cells(before: Line, after: Line) -> tuple[str, str, str, str]:
    grown = change(before, after)
    told = "" if grown is None else f"{grown:+.1f} %"
    name = f"{after.bench}: {after.setting}: {after.metric}"
    return name, f"{before.value:,.2f} {before.unit}", f"{after.value:,.2f} {after.unit}", told

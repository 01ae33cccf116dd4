"""``frontdesk bench ack``: how soon a webhook is acknowledged while turns run, beside a bare route's time."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from bench.answering import TURNS, answering
from bench.figures import Figure, Output, output_options
from bench.floor import PATH as FLOOR_PATH
from bench.load import Load, Outcome, generate
from bench.messages import QUESTIONS, TENANT, webhook_bodies
from bench.plot import Series, draw_lines
from bench.samples import PERCENTILES, percentile
from bench.scratch import ScratchWeb, scratch_database
from bench.settings import database_option, list_option
from bench.usage import UsageMeter

# Not counted: pools fill, guests write for the first time.
WARM_UP_S = 5.0
GUESTS = 1000
# As the sidecar has them: so many messages it forwards at once.
CONNECTIONS = 16
# A floor gets one request to so many of the product's, half-way between two of them.
FLOOR_SHARE = 4
P99_BUDGET = 2.0

_EPILOG = """\b
Examples:
  frontdesk bench ack --rate 200 --seconds 30 --database both
  frontdesk bench ack --turns embedded,model,paused --json
  frontdesk bench ack --connections kept,fresh --chats 0,200
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One run."""

    database: str
    turns: str
    connections: str
    chats: int
    rate: int
    seconds: int

    def __str__(self) -> str:
        chats = f", {self.chats} chat clients" if self.chats else ""
        return (
            f"{self.database}, {self.rate}/s for {self.seconds} s, turns: {self.turns}, "
            f"{self.connections} connections{chats}"
        )


@click.command("ack", epilog=_EPILOG)
@click.option("--rate", type=click.IntRange(1), default=200, show_default=True, help="Messages a second.")
@click.option("--seconds", type=click.IntRange(1), default=30, show_default=True, help="How long.")
@database_option(default="both")
@list_option(
    "--turns",
    of=TURNS,
    default="model",
    tells="What runs in the background: turns answered by the embedded answers; by a model that takes 0.5 s; "
    "left to staff, which is the least there is.",
)
@list_option(
    "--connections",
    of=("kept", "fresh"),
    default="kept",
    tells="Connections that are kept, as the sidecar keeps them, or a fresh one for each request.",
)
@list_option("--chats", of=int, default="0", tells="Clients of the chat API that ask all the time meanwhile.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the latencies (SVG).")
@output_options
def command(
    rate: int,
    seconds: int,
    databases: list[str],
    turns: list[str],
    connections: list[str],
    chats: list[int],
    plot: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """How soon a webhook is acknowledged at a steady rate, its message saved, while turns run.

    Lists such as `embedded,model` run one after the other. The floor is a bare Flask route that does the same
    INSERT with the same durability, its requests between the others: once in the product's own process, which
    the budget's ratio is about, once in a process of its own. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    series: list[Series] = []
    for database, turn, connection, chat in itertools.product(databases, turns, connections, chats):
        setting = Setting(
            database=database, turns=turn, connections=connection, chats=chat, rate=rate, seconds=seconds
        )
        run = measure(setting)
        output.add(*run.figures())
        series += run.series()
    output.close()
    if plot is not None:
        draw_lines(plot, "Acknowledging a webhook", "percentile", "ms", series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run has shown. Latencies are in ms, of requests after the warm-up."""

    setting: Setting
    product: Outcome
    beside: Outcome
    alone: Outcome
    saved: int
    turns: int
    meter: UsageMeter

    def figures(self) -> Iterator[Figure]:
        """All figures, the budgeted one among them."""
        product = self.product.latencies(WARM_UP_S)
        for name, floor in (("in the same process", self.beside), ("in its own process", self.alone)):
            floors = floor.latencies(WARM_UP_S)
            for share in PERCENTILES:
                # The budget speaks of the same background: that is the one in the same process.
                is_limited = share == max(PERCENTILES) and floor is self.beside
                yield self._figure(
                    f"ack p{share}, floor {name}",
                    percentile(product, share),
                    "ms",
                    floor=percentile(floors, share),
                    budget=P99_BUDGET if is_limited else None,
                )
        yield self._figure("acknowledged", self.product.answered(WARM_UP_S) / self.setting.seconds, "1/s")
        yield self._figure("errors", self.product.errors, "requests", budget=0)
        missing = max(self.product.answered() - self.saved, 0)
        yield self._figure("acknowledged and not saved", missing, "messages", budget=0)
        yield self._figure("turns meanwhile", self.turns / self.meter.elapsed_s, "1/s")
        for name, usage in self.meter.usage.items():
            yield self._figure(f"{name}: processor", self.meter.cores(name), "cores")
            yield self._figure(f"{name}: memory at most", usage.peak_mb, "MB")

    def series(self) -> Iterator[Series]:
        """Latency over the percentiles, of the product and of its floors."""
        for name, outcome in (("", self.product), (" floor", self.beside), (" floor alone", self.alone)):
            latencies = outcome.latencies(WARM_UP_S)
            points = [(share, percentile(latencies, share)) for share in (*range(1, 100), 99.5, 99.9)]
            yield Series(f"{self.setting.database}, {self.setting.turns}{name}", points)

    def _figure(
        self, metric: str, value: float, unit: str, floor: float | None = None, budget: float | None = None
    ) -> Figure:
        return Figure("ack", str(self.setting), metric, value, unit, floor, budget)


def measure(setting: Setting) -> Run:
    """Start a scratch desk and run *setting* on it."""
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name,
        scratch_database(setting.database, Path(name)) as url,
        answering(setting.turns) as settings,
    ):
        web = ScratchWeb(Path(name), url, settings)
        with web.running(), ExitStack() as stack:
            if setting.turns == "paused":
                web.lab.frontdesk("tenant", "set", TENANT, "ai_paused", "true")
            meter = stack.enter_context(UsageMeter(web.processes()))
            turns_before, messages_before = web.count("turns"), web.count("inbound_messages")
            outcomes = generate(_loads(setting, web), setting.seconds + WARM_UP_S, f"ack, {setting.database}")
            turns = web.count("turns") - turns_before
            saved = web.count("inbound_messages") - messages_before - _chat_messages(outcomes)
            stack.close()
            return Run(
                setting=setting,
                product=outcomes["product"],
                beside=outcomes["beside"],
                alone=outcomes["alone"],
                saved=saved,
                turns=turns,
                meter=meter,
            )


def _loads(setting: Setting, web: ScratchWeb) -> list[Load]:
    seconds = setting.seconds + WARM_UP_S
    gap_s = 1 / setting.rate
    floor_rate = setting.rate / FLOOR_SHARE
    loads = [_webhooks(setting, web, "product", "/webhook/whatsapp/incoming", setting.rate, 0.0)]
    for number, name in enumerate(("beside", "alone")):
        # Half-way between two of the product's, and one floor after the other.
        offset_s = gap_s * (0.5 + number * FLOOR_SHARE / 2)
        loads.append(_webhooks(setting, web, name, FLOOR_PATH, floor_rate, offset_s))
    if setting.chats:
        loads.append(_chats(setting.chats, web, seconds))
    return loads


def _webhooks(setting: Setting, web: ScratchWeb, name: str, path: str, rate: float, offset_s: float) -> Load:
    return Load(
        name=name,
        host="127.0.0.1",
        port=web.floor_port if name == "alone" else web.port,
        path=path,
        headers={"X-Internal-Secret": web.lab.secret},
        bodies=webhook_bodies(round((setting.seconds + WARM_UP_S) * rate), GUESTS, name),
        connections=CONNECTIONS,
        rate=rate,
        offset_s=offset_s,
        is_kept=setting.connections == "kept",
    )


def _chats(clients: int, web: ScratchWeb, seconds: float) -> Load:
    key = web.chat_key()
    bodies = [
        json.dumps({"tenant": TENANT, "conversation": f"chat-{number}", "message": QUESTIONS[number % 3]})
        for number in range(clients)
    ]
    return Load(
        name="chats",
        host="127.0.0.1",
        port=web.port,
        path="/api/v1/chat",
        headers={"Authorization": f"Bearer {key}"},
        bodies=bodies,
        connections=clients,
        seconds=seconds,
    )


def _chat_messages(outcomes: Mapping[str, Outcome]) -> int:
    """Messages that chat clients left in the inbox."""
    return len(outcomes["chats"].answers) if "chats" in outcomes else 0

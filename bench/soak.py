"""``frontdesk bench soak``: a long steady run, start-up, and what linked numbers take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import requests

from bench.answering import TURNS
from bench.figures import Figure, Output, output_options
from bench.linked import HOST, linked_lab
from bench.messages import reaction_body
from bench.numbers import measure_numbers
from bench.plot import Series, draw_lines
from bench.samples import percentile, percentiles
from bench.scratch import postgres_pid
from bench.settings import database_option
from bench.talk import Exchange, Guests, Watcher
from bench.usage import UsageMeter
from simulators.lab import Lab
from simulators.whatsapp_client import WhatsAppSimulator

GUESTS = 20
START_BUDGET_S = 1.5
INTERVALS = 10
PROBE_EVERY_S = 0.5
_TIMEOUT_S = 10.0
QUESTIONS = ("How much is the breakfast, please?", "Do you have parking?", "What time is check-in?", "Hello!")
_EPILOG = """\b
Examples:
  frontdesk bench soak --minutes 10 --rate 5 --plot soak.svg
  frontdesk bench soak --minutes 0 --starts 0 --numbers 20
"""


@click.command("soak", epilog=_EPILOG)
@click.option("--minutes", type=click.FloatRange(0), default=5.0, show_default=True, help="0 leaves it out.")
@click.option("--rate", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Messages a second.")
@database_option(default="sqlite")
@click.option("--turns", type=click.Choice(TURNS[:2]), default="model", show_default=True)
@click.option("--numbers", type=click.IntRange(0), default=20, show_default=True, help="0 leaves it out.")
@click.option("--starts", type=click.IntRange(0), default=5, show_default=True, help="0 leaves them out.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw memory over time (SVG).")
@output_options
def command(
    minutes: float,
    rate: float,
    databases: list[str],
    turns: str,
    numbers: int,
    starts: int,
    plot: Path | None,
    as_json: bool,
    strict: bool,
) -> None:
    """A steady load for a while: memory over time, times in each tenth, nothing lost.

    Beside it, how soon the web process is ready after its start, and what memory each linked idle number
    takes in a sidecar. See docs/bench.md.
    """
    output = Output(as_json=as_json, is_strict=strict)
    series: list[Series] = []
    for database in databases:
        with linked_lab(database, turns) as lab:
            soak = Soak(lab, database, turns)
            if starts:
                output.add(*soak.starts(starts))
            if minutes:
                output.add(*soak.run(minutes * 60, rate))
                series += soak.memory
    if numbers:
        output.add(*measure_numbers(numbers))
    output.close()
    if plot is not None:
        draw_lines(plot, "Memory under a steady load", "seconds", "MB", series)


class Soak:
    """Guests who write to a linked desk; see ``linked_lab`` for *database* and *turns*."""

    def __init__(self, lab: Lab, database: str, turns: str) -> None:
        self.memory: list[Series] = []
        self._lab = lab
        self._whatsapp = lab.whatsapp
        self._database = database
        self._turns = turns

    def starts(self, count: int) -> Iterator[Figure]:
        """How long the web process takes to be ready, *count* times."""
        took = []
        for _ in range(count):
            self._lab.web.stop()
            started = time.monotonic()
            self._lab.web.start()
            took.append(time.monotonic() - started)
        setting = f"{self._database}, {count} starts of the web process"
        yield Figure("soak", setting, "ready, median", percentile(took, 50), "s", budget=START_BUDGET_S)
        yield Figure("soak", setting, "ready, worst", max(took), "s")

    def run(self, seconds: float, rate: float) -> Iterator[Figure]:
        """Let guests write, *rate* messages a second; the figures of each tenth, then of the whole."""
        setting = f"{self._database}, turns: {self._turns}, {rate:g}/s for {seconds:g} s"
        processes = {"web": self._lab.web.pid, "sidecar": self._lab.sidecar.pid}
        if self._database == "postgres":
            processes["postgres"] = postgres_pid(self._lab.environment["DATABASE_URL"])
        count = max(1, round(seconds * rate / INTERVALS))
        with Watcher(self._whatsapp) as watcher, UsageMeter(processes) as meter, Prober(self._lab) as prober:
            guests = Guests(self._whatsapp, watcher, _numbers())
            tenths = []
            for number in range(1, INTERVALS + 1):
                tenths.append(guests.talk(QUESTIONS, count, rate, f"soak, {number}/{INTERVALS}"))
                yield from _of_tenth(setting, number, tenths[-1], prober.taken())
        yield from self._of_whole(setting, [one for tenth in tenths for one in tenth], meter)
        for name, usage in meter.usage.items():
            self.memory.append(Series(f"{name}, {self._database}", usage.memory_mb))

    def _of_whole(self, setting: str, exchanges: Sequence[Exchange], meter: UsageMeter) -> Iterator[Figure]:
        answered = [one for one in exchanges if one.replied_at]
        yield Figure("soak", setting, "answered", len(answered) / meter.elapsed_s, "1/s")
        yield Figure("soak", setting, "lost", len(exchanges) - len(answered), "messages", budget=0)
        yield Figure("soak", setting, "doubled", _doubled(self._whatsapp), "replies", budget=0)
        for name, usage in meter.usage.items():
            sizes = [mb for _, mb in usage.memory_mb]
            tenth = max(1, len(sizes) // INTERVALS)
            yield Figure("soak", setting, f"{name}: processor", meter.cores(name), "cores")
            yield Figure("soak", setting, f"{name}: memory, first tenth", percentile(sizes[:tenth], 50), "MB")
            yield Figure("soak", setting, f"{name}: memory, last tenth", percentile(sizes[-tenth:], 50), "MB")
            yield Figure("soak", setting, f"{name}: memory at most", usage.peak_mb, "MB")


class Prober:
    """Posts a reaction to the webhook now and then, which needs no answer, and times the acknowledgement."""

    def __init__(self, lab: Lab) -> None:
        self._url = f"{lab.web_url}/webhook/whatsapp/incoming"
        self._headers = {"X-Internal-Secret": lab.secret, "Content-Type": "application/json"}
        self._taken: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._probe, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def taken(self) -> list[float]:
        """Times in ms since the last call; a probe that failed counts as the time limit."""
        taken, self._taken = self._taken, []
        return taken

    def _probe(self) -> None:
        number = 0
        with requests.Session() as session:
            session.trust_env = False
            while not self._stop.wait(PROBE_EVERY_S):
                number += 1
                started = time.monotonic()
                is_saved = self._post(session, reaction_body(number).encode())
                took_s = time.monotonic() - started if is_saved else _TIMEOUT_S
                self._taken.append(took_s * 1000)

    def _post(self, session: requests.Session, body: bytes) -> bool:
        try:
            return session.post(self._url, data=body, headers=self._headers, timeout=_TIMEOUT_S).ok
        except requests.RequestException:
            return False


def _of_tenth(
    setting: str, number: int, exchanges: Sequence[Exchange], acks: Sequence[float]
) -> Iterator[Figure]:
    replies = [one.round_trip_ms for one in exchanges if one.replied_at]
    for what, values in (("reply, round trip", replies), ("ack", acks)):
        for name, value in percentiles(values) if values else ():
            yield Figure("soak", setting, f"{number}/{INTERVALS}: {what} {name}", value, "ms")


def _numbers() -> dict[str, str]:
    return {f"4477009{number:05}": HOST for number in range(GUESTS)}


def _doubled(whatsapp: WhatsAppSimulator) -> int:
    """Replies that a guest's phone got more than once."""
    return sum(
        times - 1
        for guest in _numbers()
        for times in whatsapp.guest(guest)["timesById"].values()
        if times > 1
    )

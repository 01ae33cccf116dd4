"""``frontdesk bench takeover``: nothing of the desk's leaves once staff have taken a conversation over."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from bench.figures import Figure, Output, json_option
from bench.races import run_races
from bench.scratch import scratch_database
from bench.settings import database_option
from server.observability.logs import configure_logging
from server.store.migrate import migrate
from server.store.session import Database

_EPILOG = """\b
Examples:
  frontdesk bench takeover
  frontdesk bench takeover --races 1000 --seed 7 --database sqlite
"""


@click.command("takeover", epilog=_EPILOG)
@click.option("--races", default=1000, show_default=True, type=click.IntRange(min=1), help="Takeovers.")
@click.option("--seed", default=7, show_default=True, help="Decides when each takeover comes.")
@database_option(default="both")
@json_option
def command(races: int, seed: int, databases: list[str], as_json: bool) -> None:
    """Race takeovers against replies. Exits with 1 if a message of the desk left after a takeover."""
    configure_logging("ERROR")
    output = Output(as_json=as_json, is_strict=True)
    for kind in databases:
        with tempfile.TemporaryDirectory() as folder, scratch_database(kind, Path(folder)) as url:
            output.add(*_measure(kind, url, Path(folder), races, seed))
    output.close()


def _measure(kind: str, url: str, folder: Path, races: int, seed: int) -> list[Figure]:
    database = Database(url)
    migrate(database)
    started = time.monotonic()
    verdict = run_races(database, folder, races, seed)
    took_s = time.monotonic() - started
    setting = f"{kind}, seed {seed}"

    def figure(metric: str, value: float, unit: str, budget: float | None = None) -> Figure:
        return Figure("takeover", setting, metric, value, unit, budget=budget)

    return [
        figure("takeovers", verdict.races, "races"),
        figure("messages of the desk after one", verdict.after, "messages", budget=0),
        figure("messages of staff lost", verdict.staff_lost, "messages", budget=0),
        *(figure(f"reply was {met}", count, "races") for met, count in verdict.met.items()),
        figure("time", took_s, "s"),
    ]


if __name__ == "__main__":
    command(prog_name="python -m bench.takeover")

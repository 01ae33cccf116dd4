"""``frontdesk bench faults``: kills, cut wires, full disks and the rest, and whether the promise was kept.

Real processes under load: the web process, workers, sidecars and PostgreSQL are killed at every station of
a message while simulated guests keep asking. Afterwards each message must be covered by exactly one reply, by
its words on the guest's phone and by the database.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from bench.faults import report
from bench.faults.installation import DatabaseKind
from bench.faults.run import Wish, WrongFolder, run
from bench.figures import Output, json_option
from simulators.lab import LabError

_EPILOG = """\b
Examples:
  frontdesk bench faults --kills 100 --seed 7
  frontdesk bench faults --kills 1000 --seed 7 --database postgres --folder /tmp/faults
"""


@click.command("faults", epilog=_EPILOG)
@click.option("--kills", default=100, show_default=True, type=click.IntRange(min=1), help="How many in all.")
@click.option("--seed", default=1, show_default=True, help="Draws victims, moments and troubles.")
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgres"]),
    default="sqlite",
    show_default=True,
    help="SQLite: one of each process. PostgreSQL: two.",
)
@click.option("--guests", default=24, show_default=True, type=click.IntRange(min=3), help="How many ask.")
@click.option(
    "--round",
    "kills_a_round",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Kills between two verdicts; an interrupted run goes on with the round that it was in.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keeps the state of the run and the evidence of failed rounds. Default: a scratch folder.",
)
@json_option
def command(
    kills: int,
    seed: int,
    database: DatabaseKind,
    guests: int,
    kills_a_round: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Kill processes and break wires under load; exit 1 if a message was lost, doubled or out of order."""
    signal.signal(signal.SIGTERM, _leave)
    wish = Wish(database, kills, seed, guests, kills_a_round)
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-faults-")))
        progress = stack.enter_context(_progress_bar(wish))
        try:
            results = run(wish, folder, lambda kill: progress.update(1, kill))
        except (WrongFolder, LabError) as error:
            raise click.ClickException(str(error)) from error
    output = Output(as_json=as_json, is_strict=False)
    output.add(*report.figures(database, results))
    output.close()
    if not all(result.verdict.holds for result in results):
        sys.exit(1)


def _progress_bar(wish: Wish) -> Any:
    return click.progressbar(
        length=wish.kills,
        label=f"faults, {wish.database}",
        file=sys.stderr,
        item_show_func=lambda kill: None if kill is None else f"{kill.victim}: {kill.phase or 'idle'}",
    )


def _leave(_number: int, _frame: object) -> None:
    """End as on Ctrl-C, so that no process is left behind."""
    os.write(sys.stderr.fileno(), b"\n")
    raise SystemExit(143)

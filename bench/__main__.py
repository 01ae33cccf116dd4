"""``python -m bench NAME …``, which is what ``frontdesk bench NAME …`` runs."""

from __future__ import annotations

import importlib
import signal
import sys
from dataclasses import dataclass

import click

from server.errors import AppError
from simulators.lab import LabError
from simulators.whatsapp_client import SimulatorError

_EPILOG = """\b
Examples:
  frontdesk bench ack --rate 200 --seconds 30 --database both
  frontdesk bench reply --json
  frontdesk bench soak --minutes 10 --plot soak.svg
  frontdesk bench faults --kills 100 --seed 7
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a bench is: a module that holds its click command as ``command``."""

    module: str
    tells: str


BENCHES = {
    "ablate": Bench("bench.ablate", "what each optimisation is worth, by doing without it"),
    "ack": Bench("bench.ack", "how soon a webhook is acknowledged under load"),
    "answers": Bench(
        "bench.answers", "how often the embedded answers are right, and what each signal is worth"
    ),
    "cache": Bench("bench.cache", "how often answers are known, and what that saves"),
    "chat": Bench("bench.chat", "what the chat API takes beyond the model's own time; faults, limits"),
    "compare": Bench("bench.compare", "two runs of a bench side by side"),
    "console": Bench("bench.console", "how soon the console's pages come, at a million messages"),
    "faults": Bench("bench.faults", "nothing lost and nothing twice, whatever dies"),
    "gate": Bench("bench.gate", "how well the gate tells good replies from bad ones, whole and streamed"),
    "live": Bench("bench.live", "how soon staff see a message on a page that is open"),
    "model": Bench("bench.model", "what our way to the model adds to the SDK's own time"),
    "order": Bench("bench.order", "several web and worker processes keep each guest's order"),
    "reply": Bench("bench.reply", "our own share of the time that a reply takes"),
    "retrieval": Bench("bench.retrieval", "how long finding what answers takes, by the number of documents"),
    "soak": Bench("bench.soak", "memory and times over a long run; memory of a linked number; start-up"),
    "takeover": Bench("bench.takeover", "nothing of the desk's leaves after staff took over"),
    "voice": Bench("bench.voice", "our overhead on the phone; how soon the desk gives way to a caller"),
}


class Benches(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, sorted."""
        return sorted(BENCHES)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What each bench tells, without importing it."""
        with formatter.section("Benches"):
            formatter.write_dl([(name, BENCHES[name].tells) for name in sorted(BENCHES)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The bench of that name; one that does not exist is answered with those that do."""
        if cmd_name not in BENCHES:
            ctx.fail(f"there is no bench {cmd_name!r}; there are {', '.join(sorted(BENCHES))}")
        command: click.Command = importlib.import_module(BENCHES[cmd_name].module).command
        return command


@click.group("frontdesk bench", cls=Benches, epilog=_EPILOG)
def main() -> None:
    """Measure the desk: real processes over real sockets, on scratch databases and free ports."""


def run() -> None:
    """Run the command line; a bench that could not start says so in one sentence."""
    # Whoever ends us lets us end what we have started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        main(prog_name="frontdesk bench")
    except (LabError, SimulatorError, AppError) as error:
        click.echo(f"frontdesk bench: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()

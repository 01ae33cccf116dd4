"""``frontdesk bench``: the measurements of ``bench/``, run as a program of their own.

The product knows nothing of its benches and simulators; it only starts them, with the development packages
that they need.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from server.errors import CommandError

_ROOT = Path(__file__).resolve().parents[2]
_SETUP_TIMEOUT_S = 1800
_EPILOG = """\b
Examples:
  frontdesk bench --help
  frontdesk bench ack --rate 200 --seconds 30 --database both
  frontdesk bench ack --help
"""


@click.command(
    "bench",
    epilog=_EPILOG,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the desk: real processes over real sockets, on scratch databases and free ports."""
    set_up(_ROOT / "scripts" / "setup")
    os.execv(sys.executable, [sys.executable, "-P", "-m", "bench", *arguments])  # noqa: S606 - no shell


def set_up(script: Path) -> None:
    """Make sure that the development packages are there, as the Makefile does.

    Raises:
        CommandError: they cannot be had here; what to do stands in the message or above it.
    """
    if not script.exists():
        raise CommandError("benches need a clone of the repository: what is installed here lacks them")
    # Standard output belongs to the bench's figures.
    done = subprocess.run(  # noqa: S603 - our own script
        [script, "--dev"], stdout=sys.stderr, check=False, timeout=_SETUP_TIMEOUT_S
    )
    if done.returncode != 0:
        raise CommandError("the development packages could not be set up; what stands above tells why")

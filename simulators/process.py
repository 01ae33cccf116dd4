"""Simulators that are processes of their own: started, told when they are ready, ended."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 5.0


class SimulatorError(Exception):
    """The simulator did not start, or refused a call; the message says why."""


@contextmanager
def started(module: str, *arguments: str) -> Iterator[Mapping[str, Any]]:
    """Run ``python -m module`` for as long as the context lasts; gives what it told when it was ready.

    Raises:
        SimulatorError: it did not become ready.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            yield _ready(module, process.stdout)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(module: str, output: IO[str]) -> Mapping[str, Any]:
    readable, _, _ = select.select([output], [], [], START_TIMEOUT_S)
    line = output.readline() if readable else ""
    if not line:
        raise SimulatorError(f"{module} did not become ready; its error stands above")
    return dict(json.loads(line))

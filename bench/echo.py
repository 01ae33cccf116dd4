"""The floor of a reply: a stock Baileys client, linked to a number of its own, that sends each text back."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from simulators.whatsapp_client import WhatsAppSimulator

ENTRY = Path(__file__).resolve().parents[1] / "simulators" / "whatsapp" / "testing" / "echo.js"
_READY_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 5.0


@contextmanager
def echo_on(whatsapp: WhatsAppSimulator, number: str) -> Iterator[None]:
    """Link an echo to host *number* for the time of a ``with`` block.

    Raises:
        RuntimeError: it did not become ready; what it said stands on standard error.
    """
    whatsapp.add_host(number, name="Echo")
    command = ["node", str(ENTRY), whatsapp.socket_url, whatsapp.root_key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            whatsapp.scan(number, _said(process.stdout)["qr"])
            _said(process.stdout)
            yield
        finally:
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)


def _said(output: IO[str]) -> dict[str, str]:
    readable, _, _ = select.select([output], [], [], _READY_TIMEOUT_S)
    line = output.readline() if readable else ""
    if not line:
        raise RuntimeError("the echo did not become ready; its error stands above")
    return dict(json.loads(line))

"""Memory that linked idle numbers take in a sidecar: in the process that linked them, and after a restart."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
from tqdm import tqdm

from bench.figures import Figure
from bench.usage import memory_mb
from simulators.lab import Lab
from simulators.whatsapp_client import WhatsAppSimulator, start_simulator

BUDGET_MB = 1.0
# What the process takes is read for so long, and the least counts: garbage waits for its collection.
IDLE_S = 20.0
_READ_S = 0.5
_FIRST_HOST = 972_510_000_000


def measure_numbers(count: int) -> Iterator[Figure]:
    """Memory of a sidecar with one number and with *count*. Nothing forces a collection of garbage."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        whatsapp = stack.enter_context(start_simulator())
        lab = stack.enter_context(Lab(folder, whatsapp))
        bar = stack.enter_context(tqdm(desc="linking numbers", total=count, disable=None))
        _link(lab, whatsapp, 1)
        bar.update()
        _restart(lab, 1)
        one = _idle_mb(lab)
        for number in range(2, count + 1):
            lab.frontdesk("tenant", "add", str(number), "--name", f"House {number}")
            _link(lab, whatsapp, number)
            bar.update()
        linked = _idle_mb(lab)
        _restart(lab, count)
        restarted = _idle_mb(lab)
    setting = f"{count} linked idle numbers in one sidecar"
    yield Figure("soak", setting, "sidecar with one number", one, "MB")
    yield Figure("soak", setting, "in the process that linked them", linked, "MB")
    yield Figure("soak", setting, "after a restart", restarted, "MB")
    for where, many in (("in the process that linked them", linked), ("after a restart", restarted)):
        each = (many - one) / max(count - 1, 1)
        yield Figure("soak", setting, f"each further number, {where}", each, "MB", budget=BUDGET_MB)


def _link(lab: Lab, whatsapp: WhatsAppSimulator, number: int) -> None:
    host = str(_FIRST_HOST + number)
    whatsapp.add_host(host, name=f"House {number}")
    lab.link(str(number), host)


def _restart(lab: Lab, numbers: int) -> None:
    lab.sidecar.stop()
    lab.sidecar.start()
    for number in range(1, numbers + 1):
        lab.await_link(str(number), "open")


def _idle_mb(lab: Lab) -> float:
    process = psutil.Process(lab.sidecar.pid)
    least = memory_mb(process)
    ends = time.monotonic() + IDLE_S
    while time.monotonic() < ends:
        time.sleep(_READ_S)
        least = min(least, memory_mb(process))
    return least

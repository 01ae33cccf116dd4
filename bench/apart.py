"""Runs a module of the benches in a process of its own, so that it blurs nobody else's times; shows a bar."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
_SHOW_S = 0.25


def run_apart(module: str, wish: object, seconds: float, margin_s: float, label: str) -> Any:
    """Give *wish* as JSON to ``python -m MODULE`` and return what it prints; a bar shows on standard error.

    Args:
        seconds: how long it is expected to take; it gets *margin_s* more.

    Raises:
        RuntimeError: it failed; what it said stands on standard error.
    """
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        showing = threading.Thread(target=_show, args=(process, seconds, label))
        showing.start()
        try:
            found, _ = process.communicate(json.dumps(wish).encode(), timeout=seconds + margin_s)
        finally:
            process.kill()
            showing.join()
    if process.returncode != 0:
        raise RuntimeError("the load generator failed; what it said stands above")
    return json.loads(found)


def _show(process: subprocess.Popen[bytes], seconds: float, label: str) -> None:
    started = time.monotonic()
    total = round(seconds)
    with tqdm(desc=label, total=total, unit=" s", disable=None) as bar:
        shown = 0
        while process.poll() is None:
            now = min(int(time.monotonic() - started), total)
            bar.update(now - shown)
            shown = now
            time.sleep(_SHOW_S)

"""The worker process: takes the turns of conversations that `web` processes received, on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from server.desk import Desk
from server.observability.multiprocess import share
from server.ports.queue import Work, WorkSource
from server.settings import Settings
from server.store.session import Database
from server.wiring import make_turn_source, real_ports

BEAT_EVERY_S = 2.0
# So old a beat is of a worker that hangs or is gone.
ALIVE_S = 20.0
LOOK_EVERY_S = 5.0
NOT_NEEDED = (
    "frontdesk: no worker is needed here: the web process takes the turns itself. Idling until stopped."
)

log = structlog.get_logger(__name__)


class Beat:
    """A file that is touched by the worker's event loop for as long as the loop turns.

    Named after host and process, so that containers may share the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{socket.gethostname()}-{os.getpid()}"

    async def run(self) -> None:
        """Touch the file until cancelled."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            while True:
                self._path.touch()
                await asyncio.sleep(BEAT_EVERY_S)
        finally:
            self._path.unlink(missing_ok=True)


class CountedSource:
    """A ``WorkSource`` with a beat that counts what it brings.

    ``count`` includes the turns under way.
    """

    def __init__(self, source: WorkSource, beat: Beat) -> None:
        self._source = source
        self._beat = beat
        self.count = 0

    async def run(self, work: Work) -> None:
        """Bring work until cancelled."""

        async def counted(key: str) -> None:
            self.count += 1
            await work(key)

        beating = asyncio.create_task(self._beat.run())
        try:
            await self._source.run(counted)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


def work(settings: Settings) -> None:
    """Take turns until SIGTERM or SIGINT, or until it is time to be started afresh; turns under way end."""
    stop = _stop_signal()
    if not settings.has_workers:
        print(NOT_NEEDED, file=sys.stderr)  # noqa: T201 - said to whoever started it
        stop.wait()
        return
    share(settings.data_dir)
    database = Database(settings.database)
    source = CountedSource(make_turn_source(settings, database), Beat(settings.data_dir / "workers"))
    desk = Desk(settings, real_ports(settings, database), source, role="worker")
    desk.start()
    log.info("worker.started")
    is_worn = _wear(settings, lambda: source.count)
    while not stop.wait(LOOK_EVERY_S) and not is_worn():
        pass
    desk.stop()
    log.info("worker.stopped", runs=source.count)


def is_alive(settings: Settings) -> bool:
    """Whether a worker on this host has shown in the last `ALIVE_S` seconds that its event loop turns."""
    now = time.time()
    beats = (settings.data_dir / "workers").glob(f"{socket.gethostname()}-*")
    # One that was killed has left its file behind.
    return any(_is_running(path) and now - _modified_at(path) < ALIVE_S for path in beats)


def _is_running(beat: Path) -> bool:
    try:
        os.kill(int(beat.name.rpartition("-")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        # It is there, and somebody else's.
        return True
    return True


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _stop_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _wear(settings: Settings, count: Callable[[], int]) -> Callable[[], bool]:
    """Tells whether the process has done its share and should be started afresh by its supervisor."""
    # Up to a tenth sooner: workers that started together do not end together.
    spread = random.uniform(0.9, 1.0)  # noqa: S311 - guards no secret
    ends_at = time.monotonic() + settings.worker_max_hours * 3600 * spread

    def is_worn() -> bool:
        reasons = {
            "turns": 0 < settings.worker_max_turns * spread <= count(),
            "hours": settings.worker_max_hours > 0 and time.monotonic() >= ends_at,
            "memory": 0 < settings.worker_max_mb <= _peak_mb(),
        }
        worn = [reason for reason, holds in reasons.items() if holds]
        if worn:
            log.info("worker.recycled", because=worn)
        return bool(worn)

    return is_worn


def _peak_mb() -> float:
    """The most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024

"""Every few seconds: publishes what this process takes, and looks whether something is wrong.

All processes look; one of them, whoever has the lock, decides and tells operators. When it ends another goes
on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from server.observability import metrics
from server.observability.alert_file import AlertFile
from server.observability.alerts import Alert
from server.observability.figures import Figures
from server.observability.herald import Herald, Report
from server.observability.history import History, Recent
from server.observability.locks import FileLock
from server.observability.multiprocess import FOLDER, read_figures
from server.observability.process import ProcessFigures
from server.ports.clock import Clock
from server.ports.performance import PoolState

TICK_S = 5.0
STOP_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gauged:
    """What a process has to show besides itself, asked at each tick; quick and from any thread."""

    pools: Mapping[str, Callable[[], PoolState]] = field(default_factory=dict)
    queues: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    caches: Mapping[str, Callable[[], float]] = field(default_factory=dict)


class Watch:
    """Watches over this process, and over all of the data folder where no other does.

    Args:
        slow_after_s: from when on a reply counts as slow.
        report: how operators are told; None where they have named no address.
        figures: reads what all processes have counted.
    """

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        process: ProcessFigures,
        slow_after_s: float,
        report: Report | None = None,
        gauged: Gauged | None = None,
        figures: Callable[[], Figures] = read_figures,
    ) -> None:
        self._folder = data_dir / FOLDER
        self._file = AlertFile(self._folder / "alerts.json")
        self._clock = clock
        self._process = process
        self._slow_after_s = slow_after_s
        self._report = report
        self._gauged = gauged or Gauged()
        self._figures = figures
        self._history = History(clock)
        self._lock: FileLock | None = None
        self._herald: Herald | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Look in a thread of its own: it must see when the event loop stands still. After a fork."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and let another process decide."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        if self._lock is not None and not self._thread.is_alive():
            self._lock.close()
            self._lock = None

    def tick(self) -> None:
        """Look once."""
        self._publish()
        figures = self._figures()
        self._history.add(figures)
        if self._herald is None and self._may_decide():
            self._herald = Herald(self._file, self._clock, self._slow_after_s, self._report)
        if self._herald is not None:
            self._herald.look(self._history.recent(figures))

    def alerts(self) -> Sequence[Alert]:
        """What is wrong now, whichever process found it."""
        return self._file.read().active

    def recent(self) -> Recent:
        """All figures up to this moment."""
        return self._history.recent(self._figures())

    def _run(self) -> None:
        while True:
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look must come
                log.warning("watch.failed", error=type(error).__name__)
            if self._stopped.wait(TICK_S):
                return

    def _publish(self) -> None:
        self._process.publish()
        for name, ask in self._gauged.pools.items():
            state = ask()
            metrics.POOL_CONNECTIONS.set(state.open, pool=name, state="open")
            metrics.POOL_CONNECTIONS.set(state.busy, pool=name, state="busy")
        for name, count in self._gauged.queues.items():
            metrics.QUEUE_DEPTH.set(count(), queue=name)
        for name, count in self._gauged.caches.items():
            metrics.CACHE_ENTRIES.set(count(), cache=name)

    def _may_decide(self) -> bool:
        """Whether no other process does; none will as long as this one lives."""
        if self._lock is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._folder / "watch.lock")
        return self._lock.take()

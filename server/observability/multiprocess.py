"""Figures of all processes that share a data folder, read as one.

Each process writes to files of its own, named after a number that it has to itself: a *slot*, held by a lock
that goes with the process. Process ids would not do: containers that share a volume have the same ones, and
the files of processes that were started again and again would fill the disk. Who takes a slot goes on
counting where the one before ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from server.observability.figures import Figures
from server.observability.instruments import registry
from server.observability.locks import FileLock

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

FOLDER = "metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Room for some thousand samples, of each kind of metric in each process.
FILE_BYTES = 512 * 1024

_LIVE_GAUGES = ("gauge_livesum", "gauge_livemax")
_KINDS = ("counter", "histogram", *_LIVE_GAUGES)
# Where prometheus_client looks for its folder.
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

log = structlog.get_logger(__name__)


def share(data_dir: Path) -> None:
    """Count together with all processes of *data_dir*, from the first figure on.

    Call it before anything is counted; in a server that forks, in the parent and in each child: the parent
    keeps the figures while children come and go. Where the disk does not let it, each process counts alone.
    """
    from prometheus_client import values

    slots = Slots(data_dir / FOLDER)
    try:
        slots.take()
    except OSError as error:
        log.warning("metrics.not_shared", error=type(error).__name__)
        os.environ.pop(_VARIABLE, None)
        values.ValueClass = values.MutexValue
        return
    os.environ[_VARIABLE] = str(slots.folder)
    values.ValueClass = values.MultiProcessValue(slots.number)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """All figures as Prometheus reads them, in `CONTENT_TYPE`. Blocks for some milliseconds."""
    from prometheus_client import generate_latest

    return generate_latest(_collector())


def read_figures() -> Figures:
    """All figures of this moment. Blocks for some milliseconds."""
    return Figures(
        {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for metric in _collector().collect()
            for sample in metric.samples
        }
    )


class Slots:
    """Hands each process a number that no other has while it lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid = 0
        self._number = 0
        self._lock: FileLock | None = None

    def number(self) -> int:
        """This process's; a child that was forked takes one of its own."""
        if self._pid != os.getpid():
            self.take()
        return self._number

    def take(self) -> None:
        """Take the lowest that is free, and remove what was counted by an earlier run if nobody else lives.

        Raises:
            OSError: the disk is full, or nothing may be written there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # One at a time: whoever sees nobody else is the first.
        with closing(FileLock(self.folder / "lock")) as taking:
            taking.wait()
            if not any(_is_held(lock) for lock in self.folder.glob("slot-*")):
                _remove(self.folder.glob("*.db"))
            number, lock = next(self._free())
            # A gauge tells of the process that set it.
            _remove(self.folder / f"{kind}_{number}.db" for kind in _LIVE_GAUGES)
            _allocate([self.folder / f"{kind}_{number}.db" for kind in _KINDS])
        self._pid, self._number, self._lock = os.getpid(), number, lock

    def _free(self) -> Iterator[tuple[int, FileLock]]:
        for number in count():
            lock = FileLock(self.folder / f"slot-{number}")
            if lock.take():
                yield number, lock
            lock.close()


class _AllProcesses:
    """Collects what all processes have written to *folder*; of those that are gone, what they counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.multiprocess import MultiProcessCollector

        files = [str(path) for path in self._folder.glob("*.db") if self._tells(path)]
        return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]

    def _tells(self, path: Path) -> bool:
        kind, _, number = path.stem.rpartition("_")
        is_alive = kind not in _LIVE_GAUGES or _is_held(self._folder / f"slot-{number}")
        return is_alive and _is_begun(path)


def _collector() -> CollectorRegistry | _AllProcesses:
    folder = os.environ.get(_VARIABLE)
    return registry() if folder is None else _AllProcesses(Path(folder))


def _is_begun(path: Path) -> bool:
    """Whether there is something in a file, which may be made or removed at this moment."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_held(path: Path) -> bool:
    """Whether a process has the lock of the file at *path*."""
    with closing(FileLock(path)) as lock:
        return lock.is_held()


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _allocate(paths: Iterable[Path]) -> None:
    """Have files on the disk in full: a page that is missing when it is written to, because the disk has
    filled up meanwhile, would end the process."""
    for path in paths:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if os.fstat(descriptor).st_size < FILE_BYTES and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, FILE_BYTES)
        finally:
            os.close(descriptor)

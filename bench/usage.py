"""What running processes take: processor time and memory, each with all of its children."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

_MB = 1024 * 1024
INTERVAL_S = 1.0


@dataclass(slots=True)
class Usage:
    """Of one process and its children; ``memory_mb`` is a list of (seconds since the start, MB).

    Memory is the proportional set size: pages that several processes share are counted once.
    """

    cpu_s: float = 0.0
    memory_mb: list[tuple[float, float]] = field(default_factory=list)

    @property
    def peak_mb(self) -> float:
        """The highest memory seen."""
        return max((mb for _, mb in self.memory_mb), default=0.0)


class UsageMeter:
    """Measures while its ``with`` block runs.

    Args:
        processes: a name for each process id.
    """

    def __init__(self, processes: Mapping[str, int], interval_s: float = INTERVAL_S) -> None:
        self.usage = {name: Usage() for name in processes}
        self.elapsed_s = 0.0
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._interval_s = interval_s
        self._started = 0.0
        self._cpu_before: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._cpu_before = {name: _cpu_s(process) for name, process in self._processes.items()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.elapsed_s = time.monotonic() - self._started
        for name, process in self._processes.items():
            self.usage[name].cpu_s = max(0.0, _cpu_s(process) - self._cpu_before[name])

    def cores(self, name: str) -> float:
        """How many processor cores the process kept busy on average."""
        return self.usage[name].cpu_s / self.elapsed_s if self.elapsed_s else 0.0

    def _sample(self) -> None:
        while not self._stop.wait(self._interval_s):
            at = time.monotonic() - self._started
            for name, process in self._processes.items():
                self.usage[name].memory_mb.append((at, memory_mb(process)))


def memory_mb(process: psutil.Process) -> float:
    """What *process* and its children take now; 0 once they are gone."""
    total = 0.0
    for each in _tree(process):
        with suppress(psutil.Error):
            total += each.memory_full_info().pss / _MB
    return total


def _cpu_s(process: psutil.Process) -> float:
    """User and system time of *process*, of its children and of those that have ended."""
    total = 0.0
    for each in _tree(process):
        with suppress(psutil.Error):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []

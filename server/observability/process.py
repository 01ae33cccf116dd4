"""What this process takes of the machine, and whether its event loop keeps up."""

from __future__ import annotations

import asyncio
from collections import deque

import psutil

from server.observability import metrics
from server.ports.clock import Clock

LOOK_EVERY_S = 0.25
REMEMBERED_S = 15.0


class LoopLag:
    """How late an event loop is: a short sleep on it should not take longer than it says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: float | None = None
        # When each look was late, and by how much.
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Look until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._due = self._clock.monotonic() + LOOK_EVERY_S
                await asyncio.sleep(LOOK_EVERY_S)
                self._note(self._clock.monotonic())
        finally:
            self._due = None

    def worst_s(self) -> float:
        """The longest delay of the last `REMEMBERED_S` seconds, one that still lasts included; any thread."""
        now = self._clock.monotonic()
        due = self._due
        lasting = 0.0 if due is None else now - due
        return max(0.0, lasting, *(late for at, late in tuple(self._late) if now - at <= REMEMBERED_S))

    def tasks(self) -> int:
        """How many tasks the loop has under way; 0 before it is looked at; any thread."""
        return 0 if self._loop is None else len(asyncio.all_tasks(self._loop))

    def _note(self, now: float) -> None:
        if self._due is not None:
            self._late.append((now, now - self._due))
        while self._late and now - self._late[0][0] > REMEMBERED_S:
            self._late.popleft()


class ProcessFigures:
    """Publishes what this process takes.

    Args:
        role: ``web``, ``worker`` or ``realtime``.
        lag: of its event loop; None where it has none.
    """

    def __init__(self, role: str, lag: LoopLag | None) -> None:
        self._role = role
        self._lag = lag
        self._process = psutil.Process()
        self._cpu_s = 0.0

    def publish(self) -> None:
        """Put the figures of this moment in place of the last ones."""
        with self._process.oneshot():
            memory = self._process.memory_info().rss
            threads = self._process.num_threads()
            times = self._process.cpu_times()
        metrics.PROCESSES.set(1, process=self._role)
        metrics.MEMORY_BYTES.set(memory, process=self._role)
        metrics.THREADS.set(threads, process=self._role)
        metrics.OPEN_FILES.set(self._process.num_fds(), process=self._role)
        cpu_s = times.user + times.system
        metrics.CPU_SECONDS.inc(max(0.0, cpu_s - self._cpu_s), process=self._role)
        self._cpu_s = cpu_s
        if self._lag is not None:
            metrics.LOOP_LAG_SECONDS.set(self._lag.worst_s(), process=self._role)
            metrics.TASKS.set(self._lag.tasks(), process=self._role)

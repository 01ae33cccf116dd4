"""A process that can be frozen, killed and started again, and the supervisor that sees to the latter."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from simulators.lab import STOP_TIMEOUT_S, Service

_FREEZE_TIMEOUT_S = 1.0
_LOOK_EVERY_S = 0.1
# What ends by itself is started again as a supervisor does it: not in a tight loop.
_PAUSE_S = 0.5


class Process(Service):
    """One process of the installation, with its children, even those that lead sessions of their own."""

    def family(self) -> list[psutil.Process]:
        """The process and its children."""
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def freeze(self) -> bool:
        """Stop it where it is, with its children; False if it has ended or does not stop."""
        if not self._signal(signal.SIGSTOP):
            return False
        deadline = time.monotonic() + _FREEZE_TIMEOUT_S
        while time.monotonic() < deadline:
            if all(_is_stopped(one) for one in self.family()):
                return True
            # The kernel sends no event for this.
            time.sleep(0.0005)
        self.thaw()
        return False

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, all of its children too."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(STOP_TIMEOUT_S)

    def stop(self, how: signal.Signals | None = None) -> int:
        """Ask it to end and return its exit code; what does not end in time is killed.

        Args:
            how: by another signal than usual.
        """
        if self._process is None:
            return 0
        if self.is_running:
            self._process.send_signal(how or self._ends_by)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def _signal(self, which: signal.Signals) -> bool:
        if not self.is_running:
            return False
        # One by one: PostgreSQL's children lead sessions of their own.
        for one in self.family():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(which)
        return True


class Supervisor:
    """Starts again whatever has ended, until it is left. Counts what ended by itself."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.ended_by_themselves: dict[str, int] = {}
        self._processes = processes
        # Whoever means to end a process holds this while it does.
        self._lock = threading.Lock()
        self._resting: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start those that do not run yet, and look after all from now on."""
        for process in self._processes:
            if not process.is_running:
                process.spawn()
        self._thread.start()

    def stop(self) -> None:
        """Ask all to end, the last started first."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        for process in reversed(self._processes):
            process.stop()

    def kill(self, process: Process) -> None:
        """kill -9 *process* and start it again at once."""
        with self._lock:
            process.kill()
            process.spawn()

    def restart(self, process: Process, how: signal.Signals) -> None:
        """End *process* by the signal *how* and start it again at once."""
        with self._lock:
            process.stop(how)
            process.spawn()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            with self._lock:
                for process in self._processes:
                    if not process.is_running:
                        self._revive(process)

    def _revive(self, process: Process) -> None:
        now = time.monotonic()
        since = self._resting.setdefault(process.name, now)
        if now - since < _PAUSE_S:
            return
        del self._resting[process.name]
        self.ended_by_themselves[process.name] = self.ended_by_themselves.get(process.name, 0) + 1
        process.spawn()


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE))
    except psutil.NoSuchProcess:
        return True

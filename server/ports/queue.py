"""What carries "there is work for this key now"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

Work = Callable[[str], Awaitable[None]]


class WorkQueue(Protocol):
    """Runs the work of a key soon. Losing an entry is harmless: the sweep finds what is due.

    A key that is put while its work runs is run once more; what waits already is not put twice.
    """

    def put(self, key: str) -> None:
        """Wake *key*; from any thread, returns at once."""
        ...


class TurnQueue(WorkQueue, Protocol):
    """Carries conversations to whoever takes their turns: this process, or workers on any machine."""

    def close(self) -> None:
        """Carry nothing more."""
        ...


class WorkSource(Protocol):
    """A worker's end of a queue that processes share."""

    async def run(self, work: Work) -> None:
        """Run *work* for each key that is put, in any process, until cancelled; what runs then ends first."""
        ...

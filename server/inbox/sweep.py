"""Recovery: finds what is due and was not woken, or whose worker died."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence

import structlog

from server.ports.clock import Clock
from server.ports.queue import WorkQueue

INTERVAL_S = 1.0
AT_ONCE = 200
SELDOM_S = 3_600.0

log = structlog.get_logger(__name__)

Chore = Callable[[], object]


class Sweep:
    """Once a second, in every process: does each chore. They block, and run in a worker thread."""

    def __init__(self, *chores: Chore) -> None:
        self._chores = chores

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.to_thread(self.once)
            # Several processes that were started together should not look at the same time.
            await asyncio.sleep(INTERVAL_S * random.uniform(0.75, 1.25))  # noqa: S311 - guards no secret

    def once(self) -> None:
        """One round; a chore that fails is tried again at the next one, and holds up no other."""
        for chore in self._chores:
            try:
                chore()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next round must come
                log.warning("sweep.failed", error=type(error).__name__)


def waker(find_due: Callable[[int], Sequence[object]], queue: WorkQueue) -> Chore:
    """The chore of waking whatever is due: conversations, outbox lanes, guests to merge."""

    def wake() -> None:
        for key in find_due(AT_ONCE):
            queue.put(str(key))

    return wake


def hourly(chore: Chore, clock: Clock) -> Chore:
    """*chore* at the first round, and then once an hour."""
    return every(SELDOM_S, chore, clock)


def every(seconds: float, chore: Chore, clock: Clock) -> Chore:
    """*chore* at the first round, and then once in so many *seconds*."""
    due_at = -math.inf

    def look() -> None:
        nonlocal due_at
        if clock.monotonic() >= due_at:
            due_at = clock.monotonic() + seconds
            chore()

    return look

"""One stopwatch for everything in a call.

Not the event loop's clock: uvloop's stands still while callbacks run and counts whole milliseconds. It is the
machine's monotonic clock, so that times of different processes can be compared.
"""

from __future__ import annotations

import asyncio
import gc
import time

# Young objects as often as ever, in a moment; all of them hardly ever.
_RARELY = (700, 10, 1_000_000)
# uvloop rounds timers to milliseconds: what is so near is not waited for once more.
_NEAR_S = 0.0005


class Stopwatch:
    """Seconds since ``zero``, which is of ``time.monotonic``."""

    def __init__(self) -> None:
        self.zero = time.monotonic()

    def now(self) -> float:
        """Seconds since zero."""
        return time.monotonic() - self.zero

    async def until(self, moment: float) -> None:
        """Return at *moment*, at most half a millisecond before it."""
        while (left := moment - self.now()) > _NEAR_S:
            await asyncio.sleep(left)


class Bell:
    """Wakes all who wait whenever something has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Something has changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, at_most_s: float | None = None) -> None:
        """Return at the next ring, or after *at_most_s*."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._event.wait()
        except TimeoutError:
            pass


def keep_time() -> None:
    """Make this process fit to keep time, once all is imported: for a program that measures.

    A full garbage collection stops all calls for 50 ms: it is put off, and what is there now is left out.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RARELY)

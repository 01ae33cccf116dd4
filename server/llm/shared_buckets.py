"""The buckets that all processes share, asked from an event loop; this process's own while nobody answers."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from server.domain.pacing import Buckets, Seconds, Want
from server.ports.accounts import RateBuckets

# A guest waits: what counts for all processes has so long to answer; if it fails it is left alone a while.
ANSWER_S = 1.0
ALONE_S = 5.0

log = structlog.get_logger(__name__)


class OwnBuckets:
    """Keeps the ``RateBuckets`` port for one process, in memory."""

    def __init__(self) -> None:
        self._buckets: defaultdict[str, Buckets] = defaultdict(Buckets)

    def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        """Make each taking that can be made."""
        now = time.monotonic()
        buckets, waits = self._buckets[key].take_all(wants, used, now)
        self._buckets[key] = buckets
        return waits

    def hold(self, key: str, until: Seconds) -> None:
        """Keep the buckets so far from full at least."""
        self._buckets[key] = self._buckets[key].hold(until, time.monotonic())


class SharedBuckets:
    """Calls the blocking port on a thread of its own: those of the loop may all be waiting for a model."""

    def __init__(self, buckets: RateBuckets) -> None:
        self._buckets = buckets
        self._own = OwnBuckets()
        self._own_until = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rates")
        # Set while the thread hangs; done when it is free again.
        self._free: Future[None] | None = None
        self._is_open = True

    async def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        """As the port's; answers in any case, within `ANSWER_S`."""
        if self._may_ask():
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await asyncio.wrap_future(
                        self._thread.submit(self._buckets.take, key, wants, used)
                    )
            except TimeoutError:
                self._free = self._thread.submit(_nothing)
                log.warning("limiter.counts_alone", error="no answer in time")
            except Exception as error:  # noqa: BLE001 - guests' calls go on, whatever it was
                self._own_until = time.monotonic() + ALONE_S
                log.warning("limiter.counts_alone", error=type(error).__name__)
        return self._own.take(key, wants, used)

    def _may_ask(self) -> bool:
        is_free = self._free is None or self._free.done()
        return self._is_open and is_free and time.monotonic() >= self._own_until

    def hold(self, key: str, until: Seconds) -> None:
        """As the port's; does not block."""
        self._own.hold(key, until)
        if self._is_open:
            self._thread.submit(self._buckets.hold, key, until).add_done_callback(_report)

    def close(self) -> None:
        """Ask nothing more."""
        self._is_open = False
        self._thread.shutdown(wait=True, cancel_futures=True)


def _nothing() -> None:
    """Runs once all before it has run."""


def _report(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("limiter.not_held", error=type(error).__name__)

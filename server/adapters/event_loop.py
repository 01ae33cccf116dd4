"""The process's one event loop, on a thread of its own, and the queue that runs work on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
MakeLoop = Callable[[], asyncio.AbstractEventLoop]

log = structlog.get_logger(__name__)


class EventLoopThread:
    """Runs coroutines beside the threads of a web server.

    Args:
        worker_threads: what blocks (database, HTTP) runs in at most so many threads.
        make_loop: makes the event loop.
    """

    def __init__(self, worker_threads: int, make_loop: MakeLoop = asyncio.new_event_loop) -> None:
        self._loop = make_loop()
        self._workers = ThreadPoolExecutor(worker_threads, thread_name_prefix="worker")
        self._loop.set_default_executor(self._workers)
        self._thread = threading.Thread(target=self._loop.run_forever, name="core", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether work that is submitted is done."""
        return self._thread.is_alive() and self._loop.is_running()

    def start(self) -> None:
        """Start the thread. In a server that forks: after the fork."""
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run *work* on the loop; from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Call *function* on the loop; from any thread."""
        self._loop.call_soon_threadsafe(function)

    def drain(self, timeout_s: float) -> None:
        """Let running work end for at most *timeout_s* seconds and cancel the rest."""
        if self.is_running:
            self.submit(_finish_tasks(timeout_s)).result()

    def stop(self) -> None:
        """End the thread; what still runs is lost."""
        if self.is_running:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._loop.close()


class InProcessQueue:
    """The ``TurnQueue`` port on the process's own loop.

    A key that is put while its work runs is run once more afterwards: what came in meanwhile is seen.

    Args:
        concurrency: keys at work at the same time; the rest wait in the order they came.
    """

    def __init__(
        self, loop: EventLoopThread, work: Callable[[str], Awaitable[None]], concurrency: int
    ) -> None:
        self._loop = loop
        self._work = work
        self._limit = asyncio.Semaphore(concurrency)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._is_open = True

    @property
    def depth(self) -> int:
        """Keys that wait or are at work; from any thread."""
        return len(self._running)

    def put(self, key: str) -> None:
        """Wake *key*; from any thread, returns at once."""
        self._loop.call_soon(lambda: self._start(key))

    def close(self) -> None:
        """Start nothing more; what is left is found by the sweep of whoever runs next."""
        self._is_open = False

    def _start(self, key: str) -> None:
        if not self._is_open:
            return
        if key in self._running:
            self._again.add(key)
            return
        self._running[key] = asyncio.get_running_loop().create_task(self._run(key))

    async def _run(self, key: str) -> None:
        try:
            async with self._limit:
                self._again.discard(key)
                await self._work(key)
        except Exception as error:
            log.exception("queue.work_failed", key=key, error=type(error).__name__)
        finally:
            del self._running[key]
            if key in self._again:
                self._again.discard(key)
                self._start(key)


async def _finish_tasks(timeout_s: float) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if not others:
        return
    _, late = await asyncio.wait(others, timeout=timeout_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)

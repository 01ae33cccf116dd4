"""Named moments of one call; a name has one moment, and setting it anew moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """Belongs to the running event loop; moments are seconds of its stopwatch."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._set: dict[str, asyncio.TimerHandle] = {}
        self._is_closed = False

    def start(self, name: str, at: float, call: Callable[[], None]) -> None:
        """Call *call* at *at*, in place of what *name* stood for before."""
        self.stop(name)
        if self._is_closed:
            return

        def ring() -> None:
            del self._set[name]
            call()

        self._set[name] = self._loop.call_at(at, ring)

    def stop(self, name: str) -> None:
        """Forget *name*."""
        timer = self._set.pop(name, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Forget all, and take no more."""
        self._is_closed = True
        for name in tuple(self._set):
            self.stop(name)

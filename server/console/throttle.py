"""Slows down whoever tries passwords."""

from __future__ import annotations

import threading
from collections import OrderedDict

from server.ports.clock import Clock

ATTEMPTS = 5
WINDOW_S = 15 * 60.0
REMEMBERED = 10_000

Key = tuple[str, str]


class Throttle:
    """Lets a name from one address try `ATTEMPTS` times in `WINDOW_S` seconds.

    Kept in this process: with several, each allows as many. At most `REMEMBERED` keys are kept; then the
    one that was quiet longest is forgotten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Tries and when the window began, the least recently tried first.
        self._tried: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def take(self, key: Key) -> float:
        """Count an attempt; return 0 if it may go on, or else the seconds until the next may.

        It counts before the password is checked, so that attempts at the same moment count too.
        """
        with self._lock:
            now = self._clock.monotonic()
            tries, began = self._tried.pop(key, (0, now))
            if now - began >= WINDOW_S:
                tries, began = 0, now
            self._tried[key] = (min(tries + 1, ATTEMPTS), began)
            if len(self._tried) > REMEMBERED:
                self._tried.popitem(last=False)
            return 0.0 if tries < ATTEMPTS else began + WINDOW_S - now

    def forget(self, key: Key) -> None:
        """The password was right: what came before does not count."""
        with self._lock:
            self._tried.pop(key, None)

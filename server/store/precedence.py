"""Who goes first when several threads of a process want the database.

Turns run in many threads, and their statements are short. Left to themselves they fill the interpreter and
the database with work for which nobody waits, while a webhook waits for its one transaction. So few of them
go at a time, and whoever is urgent goes before them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """A number of places that are given in the order they were asked for, to the urgent first.

    A thread that has a place may ask again: it has all that it needs.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._guard = threading.Lock()
        self._urgent: deque[threading.Lock] = deque()
        self._ordinary: deque[threading.Lock] = deque()
        self._mine = threading.local()

    @contextmanager
    def taken(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for a place and keep it for the block."""
        if getattr(self._mine, "has_place", False):
            yield
            return
        self._take(self._urgent if urgent else self._ordinary)
        self._mine.has_place = True
        try:
            yield
        finally:
            self._mine.has_place = False
            self._give_back()

    def _take(self, line: deque[threading.Lock]) -> None:
        with self._guard:
            if self._free > 0:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            line.append(turn)
        # Released by whoever hands its place over; nobody else can come between.
        turn.acquire()

    def _give_back(self) -> None:
        with self._guard:
            line = self._urgent or self._ordinary
            if line:
                line.popleft().release()
            else:
                self._free += 1

"""Who goes first when several threads of a process want the database.

Turns run in many threads, and their statements are short. Left to themselves they fill the interpreter and
the database with work for which nobody waits, while a webhook waits for its one transaction. So few of them
go at a time, none begins while a webhook is being answered, and whoever is urgent goes before them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# Under a steady load there is no quiet moment: then one of the ordinary goes after each so long.
LONGEST_COURTESY_S = 0.02


class Places:
    """A number of places that are given in the order they were asked for, to the urgent first.

    A thread that has a place may ask again: it has all that it needs.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._guard = threading.Lock()
        self._urgent: deque[threading.Lock] = deque()
        self._ordinary: deque[threading.Lock] = deque()
        self._pressing = 0
        self._courteous_until = 0.0
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

    @contextmanager
    def pressed(self) -> Iterator[None]:
        """For the block ordinary places are given but rarely."""
        with self._guard:
            self._pressing += 1
            self._hand_out()
        try:
            yield
        finally:
            with self._guard:
                self._pressing -= 1
                self._hand_out()

    def _take(self, line: deque[threading.Lock]) -> None:
        turn = threading.Lock()
        turn.acquire()
        with self._guard:
            line.append(turn)
            self._hand_out()
        # Released by whoever hands out places: nobody else can come between.
        turn.acquire()

    def _give_back(self) -> None:
        with self._guard:
            self._free += 1
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free and self._urgent:
            self._free -= 1
            self._urgent.popleft().release()
        while self._free and self._ordinary and self._may_ordinary_go():
            self._free -= 1
            self._courteous_until = time.monotonic() + LONGEST_COURTESY_S
            self._ordinary.popleft().release()

    def _may_ordinary_go(self) -> bool:
        return not self._pressing or time.monotonic() >= self._courteous_until

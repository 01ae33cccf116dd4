"""What several threads save in one transaction: they share its statements and the one wait for the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")

# More would keep the first of them waiting for the last.
MOST_AT_ONCE = 64


class GroupCommit(Generic[Item, Result]):
    """Whoever comes while a transaction is under way is in the next one, all together.

    Args:
        commit: saves items in one transaction, all or none, and returns the result of each.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._commit = commit
        self._guard = threading.Lock()
        self._waiting: deque[_Piece[Item, Result]] = deque()
        self._has_leader = False

    def save(self, item: Item) -> Result:
        """Save *item*, perhaps with others', and return its result. If one fails, each is saved alone."""
        piece: _Piece[Item, Result] = _Piece(item)
        with self._guard:
            self._waiting.append(piece)
            leads = not self._has_leader
            self._has_leader = True
        if not leads:
            piece.woken.wait()
        if not piece.is_done:
            self._lead()
        if piece.error is not None:
            raise piece.error
        return cast("Result", piece.result)

    def _lead(self) -> None:
        """Commit what waits; then let the first of those who came meanwhile lead."""
        with self._guard:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
        try:
            self._commit_together(group)
        finally:
            with self._guard:
                successor = self._waiting[0] if self._waiting else None
                self._has_leader = successor is not None
            for piece in group:
                piece.is_done = True
                piece.woken.set()
            if successor is not None:
                successor.woken.set()

    def _commit_together(self, group: Sequence[_Piece[Item, Result]]) -> None:
        try:
            results = self._commit([piece.item for piece in group])
        except Exception as error:  # noqa: BLE001 - whose it was is found out below
            if len(group) == 1:
                group[0].error = error
            else:
                for piece in group:
                    self._commit_together([piece])
        else:
            for piece, result in zip(group, results, strict=True):
                piece.result = result


class _Piece(Generic[Item, Result]):
    """One thread's item, and what has become of it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: Exception | None = None
        self.is_done = False
        # Set when it is done, and when its thread is to lead the next group.
        self.woken = threading.Event()

"""Those who come while a group is being committed are committed together, and fail alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

from server.store.group_commit import GroupCommit
from simulators.lab import wait_until


class Table:
    """Where groups are committed; the first commit waits at a gate."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.has_begun = threading.Event()
        self.gate = threading.Event()

    def commit(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        if len(self.groups) == 1:
            self.has_begun.set()
            assert self.gate.wait(10)
        if any(item < 0 for item in items):
            raise ValueError("negative")
        return [item * 10 for item in items]


class Callers:
    """Threads that save one number each."""

    def __init__(self, group: GroupCommit[int, int]) -> None:
        self._group = group
        self.results: dict[int, int | str] = {}
        self._threads: list[threading.Thread] = []

    def save(self, item: int) -> None:
        waiting = len(self._group._waiting)
        thread = threading.Thread(target=self._save, args=(item,))
        thread.start()
        if self._threads:
            wait_until(lambda: len(self._group._waiting) == waiting + 1, 5, f"{item} to wait")
        self._threads.append(thread)

    def done(self) -> dict[int, int | str]:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.results

    def _save(self, item: int) -> None:
        try:
            self.results[item] = self._group.save(item)
        except ValueError as error:
            self.results[item] = str(error)


def scene() -> tuple[Table, Callers]:
    table = Table()
    callers = Callers(GroupCommit(table.commit))
    callers.save(1)
    assert table.has_begun.wait(5)
    return table, callers


def test_who_comes_meanwhile_is_in_the_next_group() -> None:
    table, callers = scene()
    for item in (2, 3, 4):
        callers.save(item)
    table.gate.set()
    assert callers.done() == {1: 10, 2: 20, 3: 30, 4: 40}
    assert table.groups == [[1], [2, 3, 4]]


def test_one_that_fails_does_not_fail_the_others() -> None:
    table, callers = scene()
    for item in (2, -3, 4):
        callers.save(item)
    table.gate.set()
    assert callers.done() == {1: 10, 2: 20, -3: "negative", 4: 40}
    assert table.groups == [[1], [2, -3, 4], [2], [-3], [4]]


def test_after_a_failure_the_next_one_is_saved() -> None:
    table, callers = scene()
    table.gate.set()
    callers.done()
    group = GroupCommit(table.commit)
    with contextlib.suppress(ValueError):
        group.save(-1)
    assert group.save(5) == 50

"""A value is made once, however many ask for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.knowledge.cache import SingleFlightCache


def test_threads_that_ask_at_once_get_the_one_value() -> None:
    cache: SingleFlightCache[str, object] = SingleFlightCache(2)
    together = threading.Barrier(4)
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask() -> object:
        together.wait(10)
        return cache.get("key", make)

    with ThreadPoolExecutor(4) as pool:
        values = {id(future.result()) for future in [pool.submit(ask) for _ in range(4)]}
    assert len(made) == 1
    assert values == {id(made[0])}


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache: SingleFlightCache[str, str] = SingleFlightCache(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda: "first")
    assert cache.get("a", lambda: "again") == "first"
    assert cache.get("b", lambda: "again") == "again"


def test_a_failure_is_raised_and_tried_again() -> None:
    cache: SingleFlightCache[str, str] = SingleFlightCache(2)

    def fail() -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        cache.get("key", fail)
    assert cache.get("key", lambda: "value") == "value"

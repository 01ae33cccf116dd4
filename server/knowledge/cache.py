"""A small cache in which a value is made once, however many ask for it at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlightCache(Generic[Key, Value]):
    """Keeps the values that were used last; threads that ask for one in the making wait for it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[Key, Future[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of *key*, made by *make* if it is not there. What *make* raises is not kept."""
        with self._lock:
            value = self._values.get(key)
            is_mine = value is None
            if value is None:
                value = self._values[key] = Future()
            self._values.move_to_end(key)
            while len(self._values) > self._capacity:
                self._values.popitem(last=False)
        if is_mine:
            self._make(key, value, make)
        return value.result()

    def peek(self, key: Key) -> Value | None:
        """The value of *key* if it is there; None while it is being made, too. Does not count as use."""
        with self._lock:
            value = self._values.get(key)
        return value.result() if value is not None and value.done() and not value.exception() else None

    def _make(self, key: Key, value: Future[Value], make: Callable[[], Value]) -> None:
        try:
            value.set_result(make())
        except BaseException as error:  # noqa: BLE001 - those who wait get it
            with self._lock:
                if self._values.get(key) is value:
                    del self._values[key]
            value.set_exception(error)

"""Few at a time, in order, and the urgent before all others."""

from __future__ import annotations

import threading

from server.store.precedence import Places
from simulators.lab import wait_until


class Crowd:
    """Threads that want a place; each notes its name when it gets one, and keeps it until told."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.order: list[str] = []
        self.leave: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def comes(self, name: str, *, urgent: bool = False, gets_in: bool) -> None:
        """Let *name* ask, and wait until it has a place or stands in line."""
        self.leave[name] = threading.Event()
        line = self._places._urgent if urgent else self._places._ordinary
        before = len(line)
        thread = threading.Thread(target=self._take, args=(name, urgent))
        thread.start()
        self._threads.append(thread)
        if gets_in:
            wait_until(lambda: name in self.order, 5, f"{name} to get a place")
        else:
            wait_until(lambda: len(line) == before + 1, 5, f"{name} to stand in line")

    def goes(self, *names: str) -> None:
        """Let *names* give their places back, one after the other."""
        for name in names:
            wait_until(lambda name=name: name in self.order, 5, f"{name} to get a place")  # type: ignore[misc]
            self.leave[name].set()

    def all_gone(self) -> None:
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _take(self, name: str, urgent: bool) -> None:
        with self._places.taken(urgent=urgent):
            self.order.append(name)
            self.leave[name].wait(5)


def test_no_more_get_in_than_there_are_places() -> None:
    crowd = Crowd(Places(2))
    crowd.comes("a", gets_in=True)
    crowd.comes("b", gets_in=True)
    crowd.comes("c", gets_in=False)
    crowd.goes("b", "c", "a")
    crowd.all_gone()


def test_places_are_given_in_the_order_they_were_asked_for() -> None:
    crowd = Crowd(Places(1))
    crowd.comes("a", gets_in=True)
    for name in "bcd":
        crowd.comes(name, gets_in=False)
    crowd.goes("a", "b", "c", "d")
    crowd.all_gone()
    assert crowd.order == ["a", "b", "c", "d"]


def test_the_urgent_go_before_those_who_came_earlier() -> None:
    crowd = Crowd(Places(1))
    crowd.comes("a", gets_in=True)
    crowd.comes("late", gets_in=False)
    crowd.comes("urgent", urgent=True, gets_in=False)
    crowd.goes("a", "urgent", "late")
    crowd.all_gone()
    assert crowd.order == ["a", "urgent", "late"]


def test_who_has_a_place_may_ask_again() -> None:
    places = Places(1)
    with places.taken(), places.taken():
        pass
    crowd = Crowd(places)
    crowd.comes("next", gets_in=True)
    crowd.goes("next")
    crowd.all_gone()


def test_a_place_is_given_back_by_who_fails() -> None:
    places = Places(1)
    for _ in range(2):
        try:
            with places.taken():
                raise ValueError
        except ValueError:
            pass


def test_while_it_is_pressing_the_ordinary_go_one_at_a_time_and_rarely() -> None:
    places = Places(3)
    crowd = Crowd(places)
    with places.pressed():
        crowd.comes("first", gets_in=True)
        crowd.comes("second", gets_in=False)
        crowd.comes("urgent", urgent=True, gets_in=True)
        assert crowd.order == ["first", "urgent"]
    crowd.goes("first", "urgent", "second")
    crowd.all_gone()


def test_a_steady_press_does_not_starve_the_ordinary() -> None:
    places = Places(1)
    crowd = Crowd(places)
    with places.pressed():
        crowd.comes("first", gets_in=True)
        crowd.comes("second", gets_in=False)
        crowd.goes("first")

        def is_in() -> bool:
            # Another webhook comes by.
            with places.pressed():
                return "second" in crowd.order

        wait_until(is_in, 5, "second to get a place")
    crowd.goes("second")
    crowd.all_gone()

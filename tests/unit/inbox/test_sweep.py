"""What need not be looked for every second is looked for every hour."""

from __future__ import annotations

from server.inbox.sweep import SELDOM_S, Sweep, hourly
from tests.fakes.clock import FakeClock


def test_a_chore_of_every_hour_is_done_at_the_first_round_and_then_once_an_hour() -> None:
    clock, done = FakeClock(), []
    sweep = Sweep(hourly(lambda: done.append(clock.monotonic()), clock))
    for _ in range(3):
        sweep.once()
        clock.advance(SELDOM_S / 2)
    assert done == [0, SELDOM_S]


def test_one_that_fails_is_tried_again_after_an_hour() -> None:
    clock, tried = FakeClock(), []

    def fail() -> None:
        tried.append(clock.monotonic())
        raise OSError

    sweep = Sweep(hourly(fail, clock))
    sweep.once()
    sweep.once()
    clock.advance(SELDOM_S)
    sweep.once()
    assert tried == [0, SELDOM_S]

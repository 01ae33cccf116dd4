"""A model that fails again and again is left alone, and tried again later with one call."""

from __future__ import annotations

import pytest

from server.llm.breaker import Breaker, BreakerState
from tests.fakes.clock import FakeClock

PAUSE_S = 10.0


def a_breaker(clock: FakeClock) -> Breaker:
    return Breaker(clock.monotonic, in_a_row=3, share=0.5, window=10, pause_s=PAUSE_S)


def record(breaker: Breaker, outcomes: str) -> None:
    """``.`` is an answer, ``x`` a failure."""
    for outcome in outcomes:
        breaker.record(has_failed=outcome == "x")


@pytest.fixture
def opened(clock: FakeClock) -> Breaker:
    breaker = a_breaker(clock)
    record(breaker, "xxx")
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("", BreakerState.CLOSED),
        ("xx", BreakerState.CLOSED),
        ("xx.xx.", BreakerState.CLOSED),
        ("xxx", BreakerState.OPEN),
        ("x.x.x.x.x", BreakerState.CLOSED),
        (".x.x.x.x.x", BreakerState.OPEN),
        ("....x..x..x..x..x..x", BreakerState.CLOSED),
    ],
)
def test_it_opens_after_failures_in_a_row_or_a_large_share(
    clock: FakeClock, outcomes: str, state: BreakerState
) -> None:
    breaker = a_breaker(clock)
    record(breaker, outcomes)
    assert breaker.state is state
    assert breaker.lets_through() is (state is BreakerState.CLOSED)


def test_a_pause_later_one_call_is_let_through(clock: FakeClock, opened: Breaker) -> None:
    clock.advance(PAUSE_S)
    assert opened.state is BreakerState.HALF_OPEN
    assert [opened.lets_through() for _ in range(3)] == [True, False, False]


def test_an_answer_closes_it(clock: FakeClock, opened: Breaker) -> None:
    clock.advance(PAUSE_S)
    assert opened.lets_through()
    record(opened, ".")
    assert opened.state is BreakerState.CLOSED
    record(opened, "xx")
    assert opened.state is BreakerState.CLOSED


def test_another_failure_keeps_it_open_for_another_pause(clock: FakeClock, opened: Breaker) -> None:
    clock.advance(PAUSE_S)
    assert opened.lets_through()
    clock.advance(3)
    record(opened, "x")
    clock.advance(PAUSE_S - 1)
    assert opened.state is BreakerState.OPEN
    clock.advance(1)
    assert opened.lets_through()


def test_a_call_of_which_nothing_is_heard_does_not_keep_it_open_for_ever(
    clock: FakeClock, opened: Breaker
) -> None:
    clock.advance(PAUSE_S)
    assert opened.lets_through()
    clock.advance(PAUSE_S)
    assert opened.lets_through()

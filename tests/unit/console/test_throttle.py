"""Five attempts in a quarter of an hour, for each name from each address."""

from __future__ import annotations

from server.console.throttle import ATTEMPTS, REMEMBERED, WINDOW_S, Throttle
from tests.fakes.clock import FakeClock

KEY = ("noa", "203.0.113.5")


def _use_up(throttle: Throttle) -> None:
    for _ in range(ATTEMPTS):
        assert throttle.take(KEY) == 0


def test_the_attempt_after_the_last_allowed_one_has_to_wait(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    _use_up(throttle)
    clock.advance(60)
    assert throttle.take(KEY) == WINDOW_S - 60


def test_attempts_while_waiting_do_not_make_the_wait_longer(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    _use_up(throttle)
    clock.advance(WINDOW_S - 1)
    assert throttle.take(KEY) == 1
    clock.advance(1)
    assert throttle.take(KEY) == 0


def test_another_name_and_another_address_are_counted_apart(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    _use_up(throttle)
    assert throttle.take(("dan", KEY[1])) == 0
    assert throttle.take((KEY[0], "203.0.113.6")) == 0


def test_a_right_password_clears_the_count(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    for _ in range(ATTEMPTS - 1):
        throttle.take(KEY)
    throttle.forget(KEY)
    _use_up(throttle)


def test_memory_is_bounded_and_forgets_the_quietest_first(clock: FakeClock) -> None:
    throttle = Throttle(clock)
    throttle.take(("quiet", ""))
    _use_up(throttle)
    for number in range(REMEMBERED - 1):
        throttle.take((str(number), ""))
    assert throttle.take(KEY) > 0
    assert len(throttle._tried) == REMEMBERED
    assert ("quiet", "") not in throttle._tried

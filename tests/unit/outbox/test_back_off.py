"""Waiting grows with every failure, up to a limit, and is never the same for all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.outbox.deliver import LONGEST_DELAY_S, back_off_s


@given(st.integers(min_value=1, max_value=10_000))
def test_a_wait_is_between_nothing_and_the_limit(attempts: int) -> None:
    assert 0 < back_off_s(attempts) <= LONGEST_DELAY_S


def test_later_waits_are_longer() -> None:
    assert max(back_off_s(1) for _ in range(50)) < min(back_off_s(4) for _ in range(50))


def test_two_waits_differ() -> None:
    assert len({back_off_s(5) for _ in range(10)}) > 1

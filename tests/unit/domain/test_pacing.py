"""However many ask, a minute holds no more than its limit, and nearly that much."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.pacing import LONGEST_S, Buckets, Seconds, Want, charge


def want(requests: float = 60, tokens: float = 0, amount: float = 0, within_s: float = 0) -> Want:
    return Want(charge(requests, 1), charge(tokens, amount), within_s)


def fullest_minute(moments: list[tuple[float, float]]) -> float:
    """The most that any sixty seconds hold of *moments*, each a time and an amount."""
    fullest = held = 0.0
    first = 0
    for at, amount in moments:
        held += amount
        while moments[first][0] <= at - 60:
            held -= moments[first][1]
            first += 1
        fullest = max(fullest, held)
    return fullest


def ask_without_pause(limit: float, amounts: list[float], seconds: float) -> list[tuple[float, float]]:
    """When calls go of which there are always more, the sizes of *amounts* by chance."""
    chance = random.Random(7)  # noqa: S311 - guards no secret
    buckets, now, gone = Buckets(), 1000.0, []
    while now < 1000.0 + seconds:
        amount = chance.choice(amounts)
        buckets, wait = buckets.take(Want(charge(0, 1), charge(limit, amount), 1000), now)
        assert wait is not None
        now += wait
        gone.append((now, amount))
    return gone


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 10, 20, 60, 500, 3000])
def test_no_minute_holds_more_requests_than_the_limit(limit: float) -> None:
    assert fullest_minute(ask_without_pause(limit, [1], 600)) <= limit


@pytest.mark.parametrize("limit", [10, 20, 60, 500, 3000])
def test_in_the_long_run_more_than_four_fifths_of_the_limit_are_used(limit: float) -> None:
    used = sum(amount for _, amount in ask_without_pause(limit, [1], 600))
    assert 0.84 * limit <= used / 10 <= 0.95 * limit


@pytest.mark.parametrize("sizes", [[1500], [100, 900, 1700], [20, 1800]])
def test_no_minute_holds_more_tokens_than_the_limit(sizes: list[float]) -> None:
    limit = 40_000
    gone = ask_without_pause(limit, sizes, 600)
    assert fullest_minute(gone) <= limit
    assert sum(amount for _, amount in gone) / 10 >= 0.85 * limit


@pytest.mark.parametrize("size", [300, 1000, 2000, 4000])
def test_calls_that_are_large_for_the_limit_still_fit_into_it(size: float) -> None:
    assert fullest_minute(ask_without_pause(4000, [size], 600)) <= 4000


def test_a_taking_that_would_wait_too_long_takes_nothing() -> None:
    buckets, wait = Buckets().take(want(within_s=0), 100.0)
    assert wait == 0
    while wait is not None:
        before = buckets
        buckets, wait = buckets.take(want(within_s=0), 100.0)
    assert buckets == before


def test_both_buckets_must_have_room() -> None:
    buckets, _ = Buckets().take(want(requests=6000, tokens=6000, amount=240), 100.0)
    assert buckets.take(want(requests=6000, tokens=6000, amount=240), 100.0)[1] is None
    assert buckets.take(want(requests=6000), 100.0)[1] == 0


def test_what_may_not_wait_at_all_leaves_room_for_others() -> None:
    assert Buckets().take(want(requests=600, within_s=-2), 100.0)[1] == 0
    assert Buckets().take(want(requests=600, within_s=-3), 100.0)[1] is None


def test_what_is_given_back_can_be_taken_again() -> None:
    used, _ = Buckets().take_all([want(within_s=9)] * 5, Seconds(), 100.0)
    _, later = used.take(want(within_s=9), 100.0)
    _, sooner = used.add(Seconds(requests=-2 * charge(60, 1).seconds), 100.0).take(want(within_s=9), 100.0)
    assert later is not None
    assert sooner == pytest.approx(later - 2 * charge(60, 1).seconds)


@given(st.floats(0, 1e10), st.floats(0, 1e10), st.floats(-1e4, 1e4))
def test_a_clock_that_jumps_closes_no_bucket_for_long(full_at: float, now: float, used: float) -> None:
    buckets = Buckets(full_at, full_at).add(Seconds(used, used), now)
    assert buckets.take(want(within_s=2 * LONGEST_S), now)[1] is not None


def test_a_hold_closes_until_then_and_never_opens() -> None:
    held = Buckets().hold(Seconds(requests=30), 100.0)
    assert held.take(want(within_s=20), 100.0)[1] is None
    assert held.hold(Seconds(requests=5), 100.0) == held
    assert held.take(want(within_s=0), 131.0)[1] == 0

"""Rate limits count alike for all processes, in memory, in the database and in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from server.adapters.redis_rate_buckets import RedisRateBuckets
from server.adapters.system_clock import SystemClock
from server.domain.pacing import Seconds, Want, charge
from server.errors import StoreUnavailable
from server.llm.shared_buckets import OwnBuckets
from server.ports.accounts import RateBuckets
from server.store.rate_buckets import RateBucketRows
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.redis import redis_server

LIMIT = 60.0
A_CALL = charge(LIMIT, 1).seconds


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis"])
def buckets(request: pytest.FixtureRequest) -> Iterator[RateBuckets]:
    if request.param == "memory":
        yield OwnBuckets()
    elif request.param == "redis":
        redis = RedisRateBuckets(request.getfixturevalue("redis_url"))
        yield redis
        redis.close()
    else:
        template = request.getfixturevalue(request.param.replace("postgresql", "postgres") + "_template")
        with template.fresh() as url:
            database = Database(url)
            yield RateBucketRows(database, SystemClock())
            database.close()


def want(within_s: float, requests: float = LIMIT, tokens: float = 0, amount: float = 0) -> Want:
    return Want(charge(requests, 1), charge(tokens, amount), within_s)


def take(buckets: RateBuckets, key: str, *wants: Want, used: Seconds | None = None) -> list[float | None]:
    return list(buckets.take(key, wants, used or Seconds()))


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Redis stays from one test to the next."""
    return str(hash(request.node.name))


def test_who_asks_later_waits_longer(buckets: RateBuckets, key: str) -> None:
    waits = [take(buckets, key, want(60))[0] for _ in range(6)]
    assert waits[:2] == [0, 0]
    later = [wait for wait in waits[2:] if wait]
    assert len(later) == 4
    assert later == sorted(later)
    # Each was asked for a little after the one before.
    assert all(A_CALL - 0.5 < b - a <= A_CALL + 0.001 for a, b in pairwise(later))


def test_several_at_once_are_taken_in_their_order(buckets: RateBuckets, key: str) -> None:
    waits = take(buckets, key, *[want(60)] * 6)
    assert waits[:2] == [0, 0]
    assert waits[5] == pytest.approx(5 * A_CALL - charge(LIMIT, 1).slack_s, abs=0.01)
    assert take(buckets, key, want(60))[0] == pytest.approx((waits[5] or 0) + A_CALL, abs=0.5)


def test_who_cannot_wait_takes_nothing(buckets: RateBuckets, key: str) -> None:
    waits = take(buckets, key, *[want(60)] * 4)
    assert take(buckets, key, *[want(0.1)] * 50) == [None] * 50
    assert take(buckets, key, want(60))[0] == pytest.approx((waits[3] or 0) + A_CALL, abs=0.5)


def test_keys_are_apart(buckets: RateBuckets, key: str) -> None:
    take(buckets, key, *[want(60)] * 20)
    assert take(buckets, key + "'s neighbour", want(0)) == [0]


def test_tokens_hold_up_what_requests_would_let_go(buckets: RateBuckets, key: str) -> None:
    many = want(0, requests=60_000, tokens=6_000, amount=240)
    assert take(buckets, key, many, many) == [0, None]
    assert take(buckets, key, want(0, requests=60_000)) == [0]


def test_what_is_given_back_is_there_for_the_next(buckets: RateBuckets, key: str) -> None:
    first = take(buckets, key, *[want(60)] * 6)[5] or 0
    again = take(buckets, key, want(60), used=Seconds(requests=-3 * A_CALL))[0] or 0
    assert again == pytest.approx(first - 2 * A_CALL, abs=0.5)


def test_what_was_used_beside_is_missed_by_the_next(buckets: RateBuckets, key: str) -> None:
    assert take(buckets, key, want(0), used=Seconds(tokens=20)) == [0]
    assert take(buckets, key, want(60, tokens=6_000, amount=240))[0] == pytest.approx(20, abs=0.5)


def test_a_hold_closes_for_everybody_until_it_ends(buckets: RateBuckets, key: str) -> None:
    buckets.hold(key, Seconds(requests=30))
    assert take(buckets, key, want(20)) == [None]
    assert take(buckets, key, want(60))[0] == pytest.approx(30 - charge(LIMIT, 1).slack_s, abs=0.5)
    buckets.hold(key, Seconds(requests=1))
    assert take(buckets, key, want(20)) == [None]


def test_room_taken_ahead_leaves_some_for_others(buckets: RateBuckets, key: str) -> None:
    assert take(buckets, key, want(-2.5, requests=600), want(-2.5, requests=600)) == [0, None]
    assert take(buckets, key, want(0, requests=600)) == [0]


def test_many_who_ask_at_once_are_not_given_the_same_place(buckets: RateBuckets, key: str) -> None:
    if isinstance(buckets, OwnBuckets):
        # It belongs to one event loop.
        return
    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(lambda _: take(buckets, key, want(100))[0], range(24)))
    waits = sorted(wait for wait in taken if wait is not None)
    assert len(waits) == 24
    assert waits[-1] == pytest.approx(22 * A_CALL, abs=2 * A_CALL)


def test_a_redis_that_is_away_is_told_in_one_word() -> None:
    with pytest.raises(StoreUnavailable):
        RedisRateBuckets("redis://127.0.0.1:9/0").take("k", [want(1)], Seconds())


def test_a_clock_that_is_set_back_keeps_nobody_waiting(database: Database) -> None:
    if not database.is_sqlite:
        # The database's own clock counts there.
        return
    clock = FakeClock()
    rows = RateBucketRows(database, clock)
    rows.hold("k", Seconds(requests=30))
    clock.set_back(3600)
    clock.advance(31)
    assert take(rows, "k", want(0)) == [0]

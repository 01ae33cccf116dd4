"""Calls of a key are counted over a minute: by each process, or in Redis for all of them together."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from server.channels.key_limits import CallsPerMinute, NoLimits, make_key_limits
from server.errors import TooManyRequests
from simulators.ports import free_port
from tests.support.redis import redis_server


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A real server."""
    with redis_server() as url:
        yield url


def test_a_key_may_call_as_often_as_the_limit_says_and_no_more() -> None:
    limits = CallsPerMinute(3)
    spent = [limits.spend("key") for _ in range(4)]
    assert [allowance.remaining for allowance in spent] == [2, 1, 0, 0]
    assert [allowance.is_over for allowance in spent] == [False, False, False, True]


def test_one_call_too_many_says_when_to_come_back() -> None:
    limits = CallsPerMinute(1)
    limits.spend("key").check()
    over = limits.spend("key")
    with pytest.raises(TooManyRequests, match="call again in") as refused:
        over.check()
    assert 0 < refused.value.retry_after_s <= 60
    headers = over.headers()
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("1", "0")


def test_a_call_within_the_limit_is_not_told_to_wait() -> None:
    assert "Retry-After" not in CallsPerMinute(2).spend("key").headers()


def test_keys_do_not_share_a_limit() -> None:
    limits = CallsPerMinute(1)
    assert [limits.spend(key).is_over for key in ("one", "two")] == [False, False]


def test_no_calls_a_minute_stand_for_no_limit() -> None:
    assert isinstance(make_key_limits(0, None), NoLimits)
    assert make_key_limits(0, None).spend("key") is None


def test_while_redis_is_away_each_process_counts_for_itself() -> None:
    limits = CallsPerMinute(1, f"redis://127.0.0.1:{free_port()}")
    assert [limits.spend("key").is_over for _ in range(2)] == [False, True]


def test_processes_that_share_redis_share_the_limit(redis_url: str) -> None:
    one, other = CallsPerMinute(3, redis_url), CallsPerMinute(3, redis_url)
    spent = [limits.spend("shared") for limits in (one, other, one, other)]
    assert [allowance.remaining for allowance in spent] == [2, 1, 0, 0]
    assert [allowance.is_over for allowance in spent] == [False, False, False, True]
    assert all(0 < allowance.reset_s <= 60 for allowance in spent)


def test_a_redis_that_hangs_holds_nobody_up_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = CallsPerMinute(2, f"redis://127.0.0.1:{silent.getsockname()[1]}")
        assert [limits.spend("key").is_over for _ in range(3)] == [False, False, True]
        silent.setblocking(False)
        silent.accept()[0].close()
        # It was asked once, and is left alone for a while.
        with pytest.raises(BlockingIOError):
            silent.accept()

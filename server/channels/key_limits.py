"""How often each API key may call."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, StorageTypes, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from server.errors import TooManyRequests

# Redis answers within a millisecond; a call does not wait longer than this for one that hangs.
REDIS_TIMEOUT_S = 0.2
# So long an unreachable Redis is left alone: calls would all wait for it.
REDIS_REST_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a key after a call.

    ``limit`` and ``remaining`` are calls a minute; ``reset_s`` is until the oldest call is forgotten, so that
    one more is possible. ``is_over``: this call was one too many.
    """

    limit: int
    remaining: int
    reset_s: float
    is_over: bool

    def headers(self) -> Mapping[str, str]:
        """What an answer tells of the limit."""
        reset = str(max(1, math.ceil(self.reset_s)))
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": reset,
        }
        return told | {"Retry-After": reset} if self.is_over else told

    def check(self) -> None:
        """Refuse the call that was one too many.

        Raises:
            TooManyRequests: it was.
        """
        if self.is_over:
            wait_s = max(1, math.ceil(self.reset_s))
            raise TooManyRequests(
                f"this key may call {self.limit} times a minute; call again in {wait_s} s", self.reset_s
            )


class KeyLimits(Protocol):
    """Counts the calls of each key."""

    def spend(self, key: str) -> Allowance | None:
        """Count one call of *key*. None where there is no limit. May block for a moment."""
        ...


class NoLimits:
    """Every key may call as often as it likes."""

    def spend(self, key: str) -> None:
        """Nothing is counted."""


class CallsPerMinute:
    """A moving window of a minute for each key.

    Kept in Redis, where one is given, for all processes together; else each process counts for itself. While
    Redis is away each process counts for itself too.
    """

    def __init__(self, calls: int, redis_url: str | None = None) -> None:
        self._item = RateLimitItemPerMinute(calls)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None if redis_url is None else MovingWindowRateLimiter(_redis(redis_url))
        self._shared_rests_until = 0.0

    def spend(self, key: str) -> Allowance:
        """Count one call of *key*."""
        # What is kept, also in Redis, does not give the key away.
        identity = hashlib.sha256(key.encode()).hexdigest()
        if self._shared is not None and time.monotonic() >= self._shared_rests_until:
            try:
                return self._count(self._shared, identity)
            except StorageError:
                self._shared_rests_until = time.monotonic() + REDIS_REST_S
                log.warning("limits.redis_away")
        return self._count(self._own, identity)

    def _count(self, limiter: MovingWindowRateLimiter, identity: str) -> Allowance:
        is_within = limiter.hit(self._item, identity)
        reset_at, remaining = limiter.get_window_stats(self._item, identity)
        return Allowance(self._item.amount, max(0, remaining), reset_at - time.time(), not is_within)


def make_key_limits(calls_per_minute: int, redis_url: str | None) -> KeyLimits:
    """The limits that the settings ask for; 0 calls a minute stand for none."""
    return CallsPerMinute(calls_per_minute, redis_url) if calls_per_minute else NoLimits()


def _redis(url: str) -> StorageTypes:
    limits = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
    return storage_from_string(url, wrap_exceptions=True, **limits)

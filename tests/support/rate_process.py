"""A process of its own that makes calls without pause, as its rate limiter lets it; prints when."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from server.adapters.redis_rate_buckets import RedisRateBuckets
from server.adapters.system_clock import SystemClock
from server.llm.limiter import RateLimiter
from server.observability.logs import configure_logging
from server.ports.accounts import RateBuckets
from server.store.rate_buckets import RateBucketRows
from server.store.session import Database

CALLERS = 5
TOKENS = 50


async def call_without_pause(limiter: RateLimiter, until: float) -> list[float]:
    """When the calls were made."""
    moments = []

    async def call() -> None:
        while time.time() < until:
            permit = await limiter.acquire("key", TOKENS, 10)
            moments.append(time.time())
            permit.settle(TOKENS)

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return moments


async def run(limiter: RateLimiter, seconds: float) -> None:
    """Say that it is ready, wait for a line, and go."""
    # What is loaded with the first call is not part of the test.
    await limiter.acquire("another key", TOKENS, 10)
    print("ready", flush=True)  # noqa: T201 - how it talks to the test
    await asyncio.to_thread(sys.stdin.readline)
    moments = await call_without_pause(limiter, time.time() + seconds)
    print(json.dumps(moments))  # noqa: T201


def main(url: str, limit: str, seconds: str) -> None:
    """Make calls for so many *seconds* at a *limit* a minute that is counted at *url*."""
    configure_logging("WARNING")
    buckets: RateBuckets
    if url.startswith("redis"):
        buckets = RedisRateBuckets(url)
    else:
        buckets = RateBucketRows(Database(url), SystemClock())
    limiter = RateLimiter(buckets, float(limit), 0)
    asyncio.run(run(limiter, float(seconds)))
    limiter.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

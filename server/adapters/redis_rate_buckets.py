"""Rate limits in Redis, for installations that have one: a script takes, so nobody comes between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, cast

from server.domain.pacing import LONGEST_S, Seconds, Want
from server.errors import StoreUnavailable

if TYPE_CHECKING:
    from redis import Redis

# A guest waits for the model that is asked next.
TIMEOUT_S = 0.5
# A row that nobody has used for so long is full.
_KEPT_S = int(2 * LONGEST_S)

# The arithmetic of `server.domain.pacing.Buckets`, which the contract's tests hold it to. Numbers come back
# as text: a script's own would be cut to integers.
_BUCKETS = f"""
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local full_at = redis.call('HMGET', KEYS[1], 'requests', 'tokens')
local function within_bounds(seconds) return math.min(math.max(seconds, 0), {LONGEST_S}) end
local requests = within_bounds((tonumber(full_at[1]) or 0) - now)
local tokens = within_bounds((tonumber(full_at[2]) or 0) - now)
local function save()
  redis.call('HSET', KEYS[1], 'requests', string.format('%.6f', now + requests),
    'tokens', string.format('%.6f', now + tokens))
  redis.call('EXPIRE', KEYS[1], {_KEPT_S})
end
"""
_TAKE = f"""{_BUCKETS}
requests, tokens = within_bounds(requests + ARGV[1]), within_bounds(tokens + ARGV[2])
local waits = {{}}
for i = 3, #ARGV, 5 do
  local wait = math.max(requests - ARGV[i + 1], tokens - ARGV[i + 3])
  if wait > tonumber(ARGV[i + 4]) then
    waits[#waits + 1] = ''
  else
    requests, tokens = within_bounds(requests + ARGV[i]), within_bounds(tokens + ARGV[i + 2])
    waits[#waits + 1] = string.format('%.6f', math.max(wait, 0))
  end
end
save()
return waits
"""
_HOLD = f"""{_BUCKETS}
requests = within_bounds(math.max(requests, tonumber(ARGV[1])))
tokens = within_bounds(math.max(tokens, tonumber(ARGV[2])))
save()
"""


class RedisRateBuckets:
    """Keeps the ``RateBuckets`` port; time is Redis's own. Connections are made when they are first used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: Redis | None = None

    def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        """Make each taking that can be made."""
        numbers = chain.from_iterable(
            (
                want.requests.seconds,
                want.requests.slack_s,
                want.tokens.seconds,
                want.tokens.slack_s,
                want.within_s,
            )
            for want in wants
        )
        waits = cast("list[bytes]", self._run(_TAKE, key, [used.requests, used.tokens, *numbers]))
        return [float(wait) if wait else None for wait in waits]

    def hold(self, key: str, until: Seconds) -> None:
        """Keep the buckets so far from full at least."""
        self._run(_HOLD, key, [until.requests, until.tokens])

    def close(self) -> None:
        """Close pooled connections."""
        if self._redis is not None:
            self._redis.close()

    def _run(self, script: str, key: str, numbers: Sequence[float]) -> object:
        from redis import RedisError

        try:
            return self._client().eval(script, 1, f"frontdesk:rate:{key}", *map(repr, numbers))
        except (RedisError, OSError) as error:
            raise StoreUnavailable("Redis does not answer") from error

    def _client(self) -> Redis:
        from redis import Redis

        if self._redis is None:
            self._redis = Redis.from_url(
                self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
            )
        return self._redis

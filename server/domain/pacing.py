"""How calls to a provider are spread, so that no minute holds more of them than its limit.

A bucket is kept as one number: the moment at which it is full again. What is taken moves that moment on by
the time that refilling takes; a call may go once the bucket holds enough for it. The bucket is small and is
filled at nine tenths of the limit, so a minute, wherever it begins, holds less than the limit, whether the
provider counts by the calendar's minute, by the last sixty seconds, or by a bucket of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_S = 60.0
# Of a minute's limit: what is used in the long run, what may go at once, and what both may come to.
STEADY_SHARE = 0.9
BURST_SHARE = 0.04
TOGETHER_SHARE = 0.95
# No bucket is further from full, whatever a clock that jumped or a provider says.
LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class Charge:
    """What one taking costs one bucket, in seconds of refilling.

    It may be made while the bucket is at most ``slack_s`` from full.
    """

    seconds: float
    slack_s: float


UNLIMITED = Charge(0.0, 2 * LONGEST_S)


@dataclass(frozen=True, slots=True)
class Want:
    """One taking from both buckets of a provider's key, all or nothing.

    ``within_s`` is how long it may wait; less than 0: it is made only if the buckets stay so far from empty.
    """

    requests: Charge
    tokens: Charge
    within_s: float


@dataclass(frozen=True, slots=True)
class Seconds:
    """Seconds of refilling of both buckets."""

    requests: float = 0.0
    tokens: float = 0.0

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.requests + other.requests, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class Buckets:
    """The moments, in seconds since 1970, at which both buckets of a key are full again."""

    requests_at: float = 0.0
    tokens_at: float = 0.0

    def take_all(
        self, wants: Sequence[Want], used: Seconds, now: float
    ) -> tuple[Buckets, Sequence[float | None]]:
        """The buckets after *used* and each of *wants*, and the seconds that each has to wait: see `take`."""
        buckets, waits = self.add(used, now), []
        for want in wants:
            buckets, wait = buckets.take(want, now)
            waits.append(wait)
        return buckets, waits

    def take(self, want: Want, now: float) -> tuple[Buckets, float | None]:
        """The buckets after *want*, and the seconds it has to wait; None if that is too long: then nothing
        was taken."""
        wait = max(
            _missing(self.requests_at, now) - want.requests.slack_s,
            _missing(self.tokens_at, now) - want.tokens.slack_s,
        )
        if wait > want.within_s:
            return self, None
        return self.add(Seconds(want.requests.seconds, want.tokens.seconds), now), max(0.0, wait)

    def add(self, used: Seconds, now: float) -> Buckets:
        """The buckets after *used*; what is less than 0 was given back."""
        return Buckets(
            now + _missing(self.requests_at, now) + used.requests,
            now + _missing(self.tokens_at, now) + used.tokens,
        )

    def hold(self, until: Seconds, now: float) -> Buckets:
        """The buckets, so far from full at least."""
        return Buckets(max(self.requests_at, now + until.requests), max(self.tokens_at, now + until.tokens))


def charge(limit: float, amount: float) -> Charge:
    """What taking *amount* costs a bucket of *limit* a minute; 0 is no limit.

    A taking that is large for the limit slows the bucket down: beside what is used steadily the minute must
    have room for one more of it.
    """
    if not limit:
        return UNLIMITED
    burst = max(BURST_SHARE * limit, amount)
    steady = min(STEADY_SHARE * limit, max(TOGETHER_SHARE * limit - amount, STEADY_SHARE * amount))
    per_second = steady / MINUTE_S
    return Charge(amount / per_second, (burst - amount) / per_second)


def _missing(full_at: float, now: float) -> float:
    return min(max(full_at - now, 0.0), LONGEST_S)

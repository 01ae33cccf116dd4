"""How much a provider allows, and the little of it that a process has in memory before anybody asks."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.pacing import BURST_SHARE, MINUTE_S, STEADY_SHARE, Seconds, Want, charge
from server.ports.ai import RateHeaders

# A process has room for some calls in memory: for so much of a minute's limit, and for so long. Longer, and
# what it spends late would come on top of what others were given since.
AHEAD_SHARE = 0.01
AHEAD_S = 2.0
# Our own pace never brings a provider so low in a minute: somebody else uses the key.
LOW_SHARE = 0.02
# Buckets that are so far from full give nothing.
_EMPTY_S = MINUTE_S * BURST_SHARE / STEADY_SHARE


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests and tokens a minute; 0 is unknown."""

    requests: float
    tokens: float

    @property
    def are_known(self) -> bool:
        """Whether there is one."""
        return bool(self.requests or self.tokens)

    def told(self, headers: RateHeaders, known: Limits) -> Limits:
        """What holds now that the provider has told: these at most, and *known* where it told nothing."""
        return Limits(
            _narrower(self.requests, headers.limit_requests, known.requests),
            _narrower(self.tokens, headers.limit_tokens, known.tokens),
        )

    def want(self, calls: int, tokens: float, within_s: float) -> Want:
        """Taking room for so many calls with so many tokens in all."""
        return Want(charge(self.requests, calls), charge(self.tokens, tokens), within_s)

    def calls_ahead(self, tokens: int) -> int:
        """For how many calls of *tokens* a process may have room in memory."""
        calls = [self.requests] if self.requests else []
        calls += [self.tokens / tokens] if self.tokens and tokens else []
        return int(AHEAD_SHARE * min(calls, default=0))


@dataclass(slots=True)
class Ahead:
    """Room in memory, taken from the shared buckets before anybody asked for it."""

    calls: int = 0
    tokens: float = 0.0
    until: float = 0.0

    def spend(self, tokens: int, now: float) -> bool:
        """Take room for one call, if there is some."""
        if now >= self.until or self.calls < 1 or self.tokens < tokens:
            return False
        self.calls -= 1
        self.tokens -= tokens
        return True

    def is_low(self, calls: int, tokens: int, now: float) -> bool:
        """Whether less than half of the room for so many calls of *tokens* is left."""
        return 2 * self.calls < calls or 2 * self.tokens < calls * tokens or (calls > 0 and now >= self.until)

    def add(self, more: Ahead, now: float) -> None:
        """What was taken from the shared buckets has come."""
        self.calls += more.calls
        self.tokens += more.tokens
        self.until = now + AHEAD_S


def until_reset(headers: RateHeaders) -> Seconds:
    """How far from full buckets must be kept: until the provider has all again, where it has hardly any left.

    What little is left is for calls that are under way.
    """
    return Seconds(
        _until_reset(headers.limit_requests, headers.remaining_requests, headers.reset_requests_s),
        _until_reset(headers.limit_tokens, headers.remaining_tokens, headers.reset_tokens_s),
    )


def _until_reset(limit: int | None, remaining: int | None, reset_s: float | None) -> float:
    if remaining is None or remaining > LOW_SHARE * (limit or 0):
        return 0.0
    return min(MINUTE_S if reset_s is None else reset_s, MINUTE_S) + _EMPTY_S


def _narrower(limit: float, told: int | None, known: float) -> float:
    """The limit that holds: *told* by the provider, or *known* while it tells nothing; *limit* at most."""
    if not told:
        return known
    return min(limit, told) if limit else told

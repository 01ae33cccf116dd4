"""Rate limits as the API enforces and tells them: a bucket of requests and one of tokens for a key and model.

Source: OpenAI's guide to rate limits (headers, forms of their values, words of the refusal).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simulators.openai_wire import Refusal

_MINUTE_S = 60.0


class Bucket:
    """Holds a minute's worth, and fills again all the time.

    Args:
        a_minute: how much it holds, and how much flows in during a minute.
        clock: seconds that only go on.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self.a_minute = a_minute
        self._clock = clock
        self._level = float(a_minute)
        self._seen = clock()

    @property
    def remaining(self) -> int:
        """What may be taken now."""
        return max(0, int(self._filled()))

    @property
    def full_in_s(self) -> float:
        """How long until it is full again."""
        return self._time_for(self.a_minute - self._filled())

    def lacks_for(self, amount: float) -> float:
        """How long until *amount* may be taken: 0 means now."""
        return self._time_for(amount - self._filled())

    def take(self, amount: float) -> None:
        """Take *amount*; what is negative flows back. The level may fall below zero."""
        self._level = min(float(self.a_minute), self._filled() - amount)

    def _filled(self) -> float:
        now = self._clock()
        self._level = min(float(self.a_minute), self._level + (now - self._seen) * self.a_minute / _MINUTE_S)
        self._seen = now
        return self._level

    def _time_for(self, amount: float) -> float:
        return max(0.0, amount * _MINUTE_S / self.a_minute)


class KeyLimits:
    """What one key may still ask of one model."""

    def __init__(self, requests: int, tokens: int, clock: Callable[[], float]) -> None:
        self._requests = Bucket(requests, clock)
        self._tokens = Bucket(tokens, clock)

    def admit(self, model: str, tokens: int) -> None:
        """Take one request and *tokens*, or neither.

        Raises:
            Refusal: 429, for want of the one or the other.
        """
        for kind, bucket, short, amount in (
            ("requests", self._requests, "requests per min (RPM)", 1),
            ("tokens", self._tokens, "tokens per min (TPM)", tokens),
        ):
            if amount > bucket.a_minute:
                raise _too_large(model, kind, short, bucket.a_minute, amount)
            if (wait_s := bucket.lacks_for(amount)) > 0:
                raise _too_soon(model, kind, short, bucket, amount, wait_s)
        self._requests.take(1)
        self._tokens.take(tokens)

    def correct(self, estimated: int, used: int) -> None:
        """Put back what was taken too much, now that the usage is known."""
        self._tokens.take(used - estimated)

    def headers(self) -> dict[str, str]:
        """What every answer tells of the limits."""
        told: dict[str, str] = {}
        for name, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            told[f"x-ratelimit-limit-{name}"] = str(bucket.a_minute)
            told[f"x-ratelimit-remaining-{name}"] = str(bucket.remaining)
            told[f"x-ratelimit-reset-{name}"] = duration(bucket.full_in_s)
        return told


def duration(seconds: float) -> str:
    """As the API writes it: ``20ms``, ``1.5s``, ``6m0s``, ``1h0m0s``; never less than is meant."""
    milliseconds = math.ceil(round(seconds * 1000, 3))
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest_ms = divmod(milliseconds, 60_000)
    rest = f"{rest_ms / 1000:g}s"
    if not minutes:
        return rest
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}" if hours else f"{minutes}m{rest}"


def _too_soon(model: str, kind: str, short: str, bucket: Bucket, amount: int, wait_s: float) -> Refusal:
    used = bucket.a_minute - bucket.remaining
    message = (
        f"Rate limit reached for {model} on {short}: Limit {bucket.a_minute}, Used {used}, "
        f"Requested {amount}. Please try again in {duration(wait_s)}."
    )
    milliseconds = math.ceil(wait_s * 1000)
    headers = {"retry-after": str(math.ceil(wait_s)), "retry-after-ms": str(milliseconds)}
    return Refusal(429, message, kind=kind, code="rate_limit_exceeded", headers=headers)


def _too_large(model: str, kind: str, short: str, limit: int, amount: int) -> Refusal:
    message = f"Request too large for {model} on {short}: Limit {limit}, Requested {amount}."
    return Refusal(429, message, kind=kind, code="rate_limit_exceeded")

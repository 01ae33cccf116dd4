"""Waits until a provider has room for one more call, so that it never says that we ask too much."""

from __future__ import annotations

import hashlib
import time

from server.llm.room import Limits
from server.llm.shared_buckets import SharedBuckets
from server.llm.waiting_line import WaitingLine
from server.ports.accounts import RateBuckets
from server.ports.ai import RateHeaders


class Permit:
    """Leave to make one call. ``waited_ms`` is what it took to get it."""

    def __init__(self, line: WaitingLine, tokens: int, waited_ms: float, *, is_counted: bool) -> None:
        self.waited_ms = waited_ms
        self._line = line
        self._tokens = tokens
        self._is_open = is_counted

    def settle(self, tokens: int | None) -> None:
        """The call took *tokens* in all; None: nobody knows, and the estimate stands. Does not block."""
        if tokens is not None and self._is_open:
            self._line.correct(self._tokens, tokens)
        self._is_open = False
        self._line.hear()

    def learn(self, headers: RateHeaders) -> None:
        """The provider has told of its limits. Does not block."""
        self._line.learn(headers)


class RateLimiter:
    """One for a process, on its event loop; processes share *buckets*.

    While a provider's limits are not known nothing is asked of *buckets*; its first calls go ahead of the
    others, which wait for what it tells for a moment. While there is plenty a permit comes from memory. Those
    who wait go in the order in which they asked, over all processes.

    Args:
        requests_per_minute, tokens_per_minute: the limits of each provider key; 0: what it tells itself.
    """

    def __init__(self, buckets: RateBuckets, requests_per_minute: float, tokens_per_minute: float) -> None:
        self._shared = SharedBuckets(buckets)
        self._limits = Limits(requests_per_minute, tokens_per_minute)
        self._lines: dict[str, WaitingLine] = {}

    async def acquire(self, key: str, tokens: int, within_s: float) -> Permit:
        """Wait until a call of about *tokens*, prompt and answer, may be made.

        Args:
            key: what the provider counts by: its URL and key, and the model where each has its own limits.

        Raises:
            ProviderBusy: there is no room within *within_s* seconds; nothing is kept for this call.
        """
        line = self._lines.get(key)
        if line is None:
            # Keys are secrets: what is shared knows them by their hash.
            name = hashlib.sha256(key.encode()).hexdigest()
            line = self._lines[key] = WaitingLine(name, self._shared, self._limits)
        asked_at = time.monotonic()
        is_counted = await line.enter(tokens, within_s)
        return Permit(line, tokens, (time.monotonic() - asked_at) * 1000, is_counted=is_counted)

    def close(self) -> None:
        """Ask nothing more of the shared buckets; to be called when nobody waits any more."""
        self._shared.close()

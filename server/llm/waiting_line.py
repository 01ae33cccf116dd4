"""Those of one process who wait to call one provider."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from server.domain.pacing import Seconds, Want, charge
from server.errors import ProviderBusy
from server.llm.room import Ahead, Limits, until_reset
from server.llm.shared_buckets import SharedBuckets
from server.ports.ai import RateHeaders

PROVIDER = "model"

# Room is fetched ahead only while the shared buckets stay so far from empty.
SPARE_S = 0.5
# Of a provider that has told nothing yet so many are asked at once, until one has answered: thereby it tells
# its limits, if it has any. That is waited for so long, once.
FIRST_CALLS = 10
FIRST_ANSWER_S = 1.0


class WaitingLine:
    """Who waits for one provider key in this process, and the room that the process has in memory."""

    def __init__(self, name: str, shared: SharedBuckets, limits: Limits) -> None:
        self._name = name
        self._shared = shared
        self._set_limits = limits
        self._limits = limits
        self._ahead = Ahead()
        self._waiting: deque[_Waiter] = deque()
        self._asking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Beside what was taken, and not told to the shared buckets yet; less than 0 is given back.
        self._unsettled = Seconds()
        self._has_returns = False
        self._is_heard = asyncio.Event()
        self._first_calls = 0
        self._first_at = 0.0

    async def enter(self, tokens: int, within_s: float) -> bool:
        """Wait until a call of about *tokens* may be made; whether it is counted.

        Raises:
            ProviderBusy: it would take longer than *within_s* seconds.
        """
        asked_at = asyncio.get_running_loop().time()
        if not self._limits.are_known:
            await self._let_few_go_first(within_s)
        if not self._limits.are_known:
            return False
        if not self._goes_from_memory(tokens):
            await self._wait(tokens, asked_at + within_s)
        return True

    def _goes_from_memory(self, tokens: int) -> bool:
        now = asyncio.get_running_loop().time()
        if self._waiting or not self._ahead.spend(tokens, now):
            return False
        if self._ahead.is_low(self._limits.calls_ahead(tokens), tokens, now):
            self._ask(tokens)
        return True

    async def _wait(self, tokens: int, until: float) -> None:
        waiter = _Waiter(tokens, until, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._ask(tokens)
        try:
            await waiter.leave
        except BaseException:
            self._give_up(waiter)
            raise

    def correct(self, expected: int, used: int) -> None:
        """Count what a call really took in place of what was *expected* of it."""
        expected = max(expected, 1)
        share = (used - expected) / expected
        self._unsettled += Seconds(tokens=charge(self._limits.tokens, expected).seconds * share)

    def learn(self, headers: RateHeaders) -> None:
        """The provider has told of its limits."""
        self._limits = self._set_limits.told(headers, self._limits)
        hold = until_reset(headers)
        if hold != Seconds():
            self._shared.hold(self._name, hold)
            self._start_anew()
        self.hear()

    def hear(self) -> None:
        """The provider has answered: if it has limits that it tells, it has told them."""
        self._is_heard.set()

    async def _let_few_go_first(self, within_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if not self._first_calls:
            self._first_at = now
        if self._first_calls < FIRST_CALLS:
            self._first_calls += 1
            return
        left_s = self._first_at + FIRST_ANSWER_S - now
        if left_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(within_s, left_s)):
                    await self._is_heard.wait()

    def _start_anew(self) -> None:
        """What was given before does not count any more; those who wait are asked for once more.

        Nothing of it goes back: it would shorten what was just imposed.
        """
        self._ahead = Ahead()
        for waiter in self._waiting:
            waiter.want = waiter.goes_at = None
        if self._waiting:
            self._ask(self._waiting[0].tokens)

    def _ask(self, tokens: int) -> None:
        """See that the shared buckets are asked for those who wait, and for room for calls of *tokens*."""
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask_all(tokens))

    async def _ask_all(self, tokens: int) -> None:
        try:
            await self._ask_once(tokens)
            while self._has_returns or any(waiter.want is None for waiter in self._waiting):
                await self._ask_once(tokens)
        finally:
            self._asking = None

    async def _ask_once(self, tokens: int) -> None:
        now = asyncio.get_running_loop().time()
        asked = [waiter for waiter in self._waiting if waiter.want is None]
        for waiter in asked:
            waiter.want = self._limits.want(1, waiter.tokens, max(0.0, waiter.until - now))
        wants = [waiter.want for waiter in asked if waiter.want is not None]
        ahead = self._missing_ahead(tokens, now)
        used, self._unsettled, self._has_returns = self._unsettled, Seconds(), False
        waits = await self._shared.take(
            self._name, [*wants, self._limits.want(ahead.calls, ahead.tokens, -SPARE_S)], used
        )
        if waits[-1] is not None:
            self._ahead.add(ahead, asyncio.get_running_loop().time())
        self._place(asked, wants, waits[:-1])

    def _missing_ahead(self, tokens: int, now: float) -> Ahead:
        """What is to be taken ahead; what has lain too long goes back."""
        if now >= self._ahead.until:
            self._give_back(self._limits.want(self._ahead.calls, self._ahead.tokens, 0))
            self._ahead = Ahead()
        calls = self._limits.calls_ahead(tokens)
        return Ahead(max(0, calls - self._ahead.calls), max(0.0, calls * tokens - self._ahead.tokens))

    def _place(self, asked: Sequence[_Waiter], wants: Sequence[Want], waits: Sequence[float | None]) -> None:
        """Tell those who were asked for when they go, or that they cannot."""
        now = asyncio.get_running_loop().time()
        for waiter, want, wait in zip(asked, wants, waits, strict=True):
            if waiter.want is not want:
                # Meanwhile everything began anew.
                continue
            if wait is not None:
                waiter.goes_at = now + wait
                if waiter.leave.done():
                    # It was given up while we asked.
                    self._return_place(waiter)
            elif not waiter.leave.done():
                self._waiting.remove(waiter)
                waiter.leave.set_exception(ProviderBusy(PROVIDER, "no room within its rate limit in time"))
        self._let_go()

    def _let_go(self) -> None:
        """Let those go whose time has come, and come back for the next one. Nobody overtakes."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and (goes_at := self._waiting[0].goes_at) is not None:
            if goes_at > loop.time():
                self._timer = loop.call_at(goes_at, self._let_go)
                return
            waiter = self._waiting.popleft()
            # Else it was cancelled a moment ago, and gives its place back when its task runs.
            if not waiter.leave.done():
                waiter.leave.set_result(None)

    def _give_up(self, waiter: _Waiter) -> None:
        """Whoever asked does not want to go any more, or must not."""
        if waiter in self._waiting and waiter.goes_at is None:
            self._waiting.remove(waiter)
        elif waiter.goes_at is not None:
            self._return_place(waiter)

    def _return_place(self, waiter: _Waiter) -> None:
        """Everybody behind moves up, and the last place goes back to the shared buckets."""
        free, waiter.goes_at = waiter.goes_at, None
        if waiter in self._waiting:
            behind = self._waiting.index(waiter)
            del self._waiting[behind]
            for other in islice(self._waiting, behind, None):
                if other.goes_at is not None:
                    other.goes_at, free = free, other.goes_at
        if waiter.want is not None:
            self._give_back(waiter.want)
            self._has_returns = True
            self._ask(waiter.tokens)
        self._let_go()

    def _give_back(self, want: Want) -> None:
        self._unsettled += Seconds(-want.requests.seconds, -want.tokens.seconds)


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody in the line. ``want`` is what was asked for, ``goes_at`` what the shared buckets said."""

    tokens: int
    until: float
    leave: asyncio.Future[None]
    want: Want | None = None
    goes_at: float | None = None

"""Several models that answer as one: the next is asked when one fails, within one limit for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import structlog

from server.domain.model_calls import ModelCall
from server.errors import ProviderBusy, ProviderError, ProviderRejected, ProviderUnavailable
from server.llm.breaker import BreakerState
from server.llm.hedge import Stream, first_to_speak
from server.llm.link import Link, ModelStats
from server.llm.tokens import estimated_tokens
from server.ports.ai import ModelEvent, ModelRequest, RateHeaders, Restarted
from server.ports.clock import Clock

# With less than this left no model is asked: none would say a word.
_LEAST_S = 0.05
# So much of what is left may go to the wait for a permit: less where another model might be free.
_WAIT_OF_LAST = 1 / 2
_WAIT_BEFORE_OTHERS = 1 / 4

log = structlog.get_logger(__name__)


class Permit(Protocol):
    """Leave to make one call. ``waited_ms`` is what it took to get it."""

    waited_ms: float

    def settle(self, tokens: int | None) -> None:
        """The call took so many *tokens* in all."""
        ...

    def learn(self, headers: RateHeaders) -> None:
        """The provider told of its limits."""
        ...


class RateLimiter(Protocol):
    """Keeps calls within what providers allow."""

    async def acquire(self, key: str, tokens: int, within_s: float) -> Permit:
        """Wait for leave to make a call of about *tokens*.

        Raises:
            ProviderBusy: there will be none within *within_s*.
        """
        ...


class ModelChain:
    """Keeps the ``LanguageModel`` port with the first of its models that answers.

    A model whose breaker is open is passed over. When all have failed, and time is left, each is asked once
    more. What a model said before it failed is void: ``Restarted`` comes before the words of the next.

    Args:
        links: in the order of preference, at least one.
    """

    def __init__(self, links: Sequence[Link], limiter: RateLimiter, clock: Clock) -> None:
        self._links = links
        self._limiter = limiter
        self._clock = clock

    async def warm(self) -> None:
        """Warm every model."""
        await asyncio.gather(*(link.model.warm() for link in self._links))

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield the answer of the first model that gives one. ``RateHeaders`` end here.

        Raises:
            ProviderError: none did; the last one's, or ``ProviderUnavailable`` where none could be asked.
        """
        return self._answer(request, self._clock.monotonic() + request.total_s)

    async def aclose(self) -> None:
        """Close every model."""
        await asyncio.gather(*(link.model.aclose() for link in self._links))

    def stats(self) -> Sequence[ModelStats]:
        """How each model has been doing; from any thread."""
        return [link.stats() for link in self._links]

    async def _answer(self, request: ModelRequest, total_at: float) -> AsyncGenerator[ModelEvent, None]:
        able = [link for link in self._links if link.breaker.state is not BreakerState.OPEN]
        # The first round shares the time; the second has what that leaves.
        sharing = max(2, len(able))
        final: set[Link] = set()
        failure: ProviderError | None = None
        has_spoken = False
        for place, link in enumerate([*able, *able], start=1):
            left_s = total_at - self._clock.monotonic()
            if link in final or left_s < _LEAST_S or not link.breaker.lets_through():
                continue
            if has_spoken:
                has_spoken = False
                yield Restarted()
            try:
                attempt = self._attempt(link, request, total_at, is_last=place >= sharing)
                async with aclosing(attempt) as events:
                    async for event in events:
                        has_spoken = True
                        yield event
                return
            except ProviderError as error:
                _log_failure(link, error)
                failure = error
                if isinstance(error, ProviderRejected | ProviderBusy):
                    # The same again would end the same.
                    final.add(link)
        raise failure or ProviderUnavailable("model", "every model is out of order for now")

    async def _attempt(
        self, link: Link, request: ModelRequest, total_at: float, *, is_last: bool
    ) -> AsyncGenerator[ModelEvent, None]:
        """One model's answer: one call, or two where it is late to speak."""
        tokens = estimated_tokens(line.content for line in request.lines) + link.profile.max_tokens
        left_s = total_at - self._clock.monotonic()
        within_s = left_s * (_WAIT_OF_LAST if is_last else _WAIT_BEFORE_OTHERS)
        permit = await self._limiter.acquire(link.key, tokens, within_s)
        limited = self._limited(link, request, total_at, is_last=is_last)
        first = _call(link, limited, permit)
        after_s = link.hedge.after_s()
        if after_s is None:
            async with aclosing(first):
                async for event in first:
                    yield event
            return
        first_at = self._clock.monotonic() + limited.first_token_s

        def second() -> Stream | None:
            if not link.may_hedge():
                return None
            left_s = first_at - self._clock.monotonic()
            shorter = replace(limited, first_token_s=left_s, total_s=total_at - self._clock.monotonic())
            return self._second(link, shorter, tokens)

        async with first_to_speak(first, second, after_s) as (said, stream):
            for event in said:
                yield event
            async for event in stream:
                yield event

    async def _second(
        self, link: Link, request: ModelRequest, tokens: int
    ) -> AsyncGenerator[ModelEvent, None]:
        """The same again, if there is room for it at once."""
        permit = await self._limiter.acquire(link.key, tokens, 0)
        link.hedged += 1
        async with aclosing(_call(link, request, permit)) as events:
            async for event in events:
                yield event

    def _limited(self, link: Link, request: ModelRequest, total_at: float, *, is_last: bool) -> ModelRequest:
        """*request* with the model's own limits, and so that a first word that never comes leaves the next
        model half of the time."""
        left_s = total_at - self._clock.monotonic()
        profile = link.profile
        return replace(
            request,
            first_token_s=min(
                profile.first_token_s or request.first_token_s, left_s if is_last else left_s / 2
            ),
            total_s=min(profile.total_s or left_s, left_s),
        )


async def _call(link: Link, request: ModelRequest, permit: Permit) -> AsyncGenerator[ModelEvent, None]:
    """One call, with its permit settled and its line in the accounts once it has ended."""

    def ended(call: ModelCall) -> None:
        permit.settle(call.prompt_tokens + call.completion_tokens)
        link.ended(call)
        request.account(replace(call, waited_ms=permit.waited_ms))

    async with aclosing(link.model.stream(replace(request, account=ended))) as events:
        async for event in events:
            if isinstance(event, RateHeaders):
                permit.learn(event)
            else:
                yield event


def _log_failure(link: Link, error: ProviderError) -> None:
    profile = link.profile
    log.warning("model.failed", provider=profile.provider, model=profile.model, reason=error.reason)

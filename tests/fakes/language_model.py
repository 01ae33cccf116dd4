"""A model that says what it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.llm.tokens import estimated_tokens
from server.ports.ai import Finished, ModelEvent, ModelRequest, RateHeaders, ToolCall, Usage

# Something it says; an event that is waited for; or an error that is raised there.
Step = str | ToolCall | RateHeaders | asyncio.Event | ProviderError

NAME = "fake"


class FakeModel:
    """Keeps the ``LanguageModel`` port; ``scripts`` are played one a request, in order.

    A text is a script too: it comes word by word. Without a script left the model is out of order.
    ``left_early`` counts the streams that were given up while they still had something to say.
    """

    def __init__(self, *scripts: str | Sequence[Step]) -> None:
        self.scripts = list(scripts)
        self.requests: list[ModelRequest] = []
        self.left_early = 0
        self.is_closed = False

    async def warm(self) -> None:
        """There is nothing to load."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Play the next script within the request's limits."""
        self.requests.append(request)
        script = self.scripts.pop(0) if self.scripts else [ProviderUnavailable("model", "nothing scripted")]
        steps = script.replace(" ", "\0 ").split("\0") if isinstance(script, str) else script
        return self._play(list(steps), request, _Played(request))

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    async def _play(
        self, steps: list[Step], request: ModelRequest, played: _Played
    ) -> AsyncGenerator[ModelEvent, None]:
        try:
            for step in steps:
                if isinstance(step, ProviderError):
                    raise step
                if isinstance(step, asyncio.Event):
                    await _wait(step, played.left_s())
                elif step:
                    played.says(step)
                    yield step
            if played.first_token_ms is None:
                raise ProviderUnavailable("model", "empty answer")
            played.outcome = CallOutcome.ANSWERED
            yield Finished(NAME, played.usage())
        except ProviderError as error:
            played.outcome = _outcome(error)
            raise
        finally:
            self.left_early += played.outcome is CallOutcome.DROPPED
            request.account(played.call())


class _Played:
    """One call as far as it has come."""

    def __init__(self, request: ModelRequest) -> None:
        self.outcome = CallOutcome.DROPPED
        self.first_token_ms: float | None = None
        self._request = request
        self._started = time.monotonic()
        self._started_at = datetime.now(UTC)
        self._said: list[str] = []

    def says(self, step: str | ToolCall | RateHeaders) -> None:
        if isinstance(step, str):
            self._said.append(step)
        is_speech = isinstance(step, ToolCall) or (isinstance(step, str) and not step.isspace())
        if is_speech and self.first_token_ms is None:
            self.first_token_ms = self._ms()

    def left_s(self) -> float:
        limit_s = self._request.total_s
        if self.first_token_ms is None:
            limit_s = min(self._request.first_token_s, limit_s)
        return self._started + limit_s - time.monotonic()

    def usage(self) -> Usage:
        prompt = estimated_tokens(line.content for line in self._request.lines)
        return Usage(prompt, estimated_tokens(self._said))

    def call(self) -> ModelCall:
        usage = self.usage()
        return ModelCall(
            provider=NAME,
            model=NAME,
            outcome=self.outcome,
            started_at=self._started_at,
            first_token_ms=self.first_token_ms,
            total_ms=self._ms(),
            waited_ms=0,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_micros=0,
        )

    def _ms(self) -> float:
        return (time.monotonic() - self._started) * 1000


def _outcome(error: ProviderError) -> CallOutcome:
    if isinstance(error, ProviderTimeout):
        return CallOutcome.TIMED_OUT
    return CallOutcome.REJECTED if isinstance(error, ProviderRejected) else CallOutcome.UNAVAILABLE


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError as error:
        raise ProviderTimeout("model", "no answer in time") from error

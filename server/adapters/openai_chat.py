"""The language model behind any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from server.adapters.openai_answer import PROVIDER, Chunk, StreamedAnswer
from server.adapters.openai_clients import OpenAIEndpoint
from server.adapters.openai_errors import as_ours, limit
from server.adapters.openai_wire import rate_headers, request_body
from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import ProviderError, ProviderRejected, ProviderTimeout
from server.llm.prices import cost_micros
from server.llm.profiles import ModelProfile
from server.llm.tokens import estimated_tokens
from server.ports.ai import Finished, ModelEvent, ModelRequest, RateHeaders, Usage
from server.ports.clock import Clock

if TYPE_CHECKING:
    from openai import AsyncStream

# Once the answer has ended, what follows (usage, end mark) is read to keep the connection usable. It comes
# with the end, or the guest's limit must not be stretched for it.
_TAIL_S = 0.2
# A stream that has begun and is silent for so long is taken for dead, while there is time for another.
SILENCE_S = 2.0


class OpenAIChat:
    """Keeps the ``LanguageModel`` port with one model of one provider.

    Args:
        silence_s: the longest wait between two pieces of an answer.
    """

    def __init__(
        self, profile: ModelProfile, endpoint: OpenAIEndpoint, clock: Clock, silence_s: float = SILENCE_S
    ) -> None:
        self._profile = profile
        self._endpoint = endpoint
        self._clock = clock
        self._silence_s = silence_s

    async def warm(self) -> None:
        """Load the SDK and open a connection; the first time about half a second."""
        await self._endpoint.warm()

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield the answer as it arrives, each tool call whole; closing the iterator closes the connection.

        What headers tell of rate limits comes first, also before an error. The call's tokens are estimates
        where the server tells none.

        Raises:
            ProviderTimeout: a limit passed, or the answer fell silent.
            ProviderUnavailable: the connection broke, 408, 409, 429 or 5xx, or an answer that is empty, cut
                or no answer.
            ProviderRejected: any other 4xx: the key, the model or the request is refused.
        """
        return self._events(request, _Watch(self._profile, self._clock, request))

    async def aclose(self) -> None:
        """Close the endpoint's connections; the next request would open new ones."""
        await self._endpoint.aclose()

    async def _events(self, request: ModelRequest, watch: _Watch) -> AsyncGenerator[ModelEvent, None]:
        try:
            async with self._opened(request, watch) as stream:
                watch.opened()
                told = rate_headers(stream.response.headers)
                if told is not None:
                    yield told
                chunks = aiter(stream)
                while not watch.answer.has_ended:
                    for piece in await self._next(chunks, watch):
                        yield piece
                watch.answered()
                for call in watch.answer.tool_calls():
                    yield call
                await _read_tail(chunks, watch.answer)
                yield Finished(self._profile.model, watch.answer.usage)
        except ProviderError as error:
            watch.failed(error)
            told = _told_by(error)
            if told is not None:
                yield told
            raise
        finally:
            request.account(watch.ended())

    @asynccontextmanager
    async def _opened(self, request: ModelRequest, watch: _Watch) -> AsyncIterator[AsyncStream[Chunk]]:
        async with _limit(watch.first_token_left(), "first token"):
            client = await self._endpoint.take()
        try:
            async with _limit(watch.first_token_left(), "first token"):
                # The SDK's own call makes objects of every chunk, which takes longer than all else with it.
                stream = await client.post(
                    "/chat/completions",
                    body=request_body(self._profile, request) | {"stream": True},
                    cast_to=object,
                    stream=True,
                    stream_cls=_stream_of_chunks(),
                )
            try:
                yield stream
            finally:
                await _close(stream)
        finally:
            await self._endpoint.give_back(client)

    async def _next(self, chunks: AsyncIterator[Chunk], watch: _Watch) -> Sequence[str]:
        left_s, what = watch.left(self._silence_s)
        # As `_limit`, without the generator that it is: this is done for every word.
        try:
            async with asyncio.timeout(left_s):
                words = watch.answer.take(await anext(chunks, None))
        except Exception as error:
            raise as_ours(PROVIDER, error, what) from error
        watch.heard()
        return words


class _Watch:
    """The limits and the times of one call, and what became of it. Times are of the clock's stopwatch."""

    def __init__(self, profile: ModelProfile, clock: Clock, request: ModelRequest) -> None:
        self.answer = StreamedAnswer()
        self._profile = profile
        self._clock = clock
        self._prompt = [line.content for line in request.lines]
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._total_at = self._started + request.total_s
        self._first_at = self._started + min(request.first_token_s, request.total_s)
        self._heard: float | None = None
        self._ended: float | None = None
        self._outcome = CallOutcome.DROPPED
        self._was_opened = False

    def opened(self) -> None:
        """The server has begun to answer."""
        self._was_opened = True

    def first_token_left(self) -> float:
        """Seconds until the first word must be there."""
        return self._first_at - self._clock.monotonic()

    def left(self, silence_s: float) -> tuple[float, str]:
        """Seconds until the next piece must be there, and what is late then."""
        if not self.answer.has_begun:
            return self.first_token_left(), "first token"
        left_s = self._total_at - self._clock.monotonic()
        return (silence_s, "next words") if silence_s < left_s else (left_s, "whole answer")

    def heard(self) -> None:
        """Something came."""
        if self._heard is None and self.answer.has_begun:
            self._heard = self._clock.monotonic()

    def answered(self) -> None:
        """It was whole."""
        self._outcome, self._ended = CallOutcome.ANSWERED, self._clock.monotonic()

    def failed(self, error: ProviderError) -> None:
        """It ended with *error*."""
        if isinstance(error, ProviderTimeout):
            self._outcome = CallOutcome.TIMED_OUT
        elif isinstance(error, ProviderRejected):
            self._outcome = CallOutcome.REJECTED
        else:
            self._outcome = CallOutcome.UNAVAILABLE

    def ended(self) -> ModelCall:
        """What became of the call."""
        usage = self._usage()
        ended = self._clock.monotonic() if self._ended is None else self._ended
        return ModelCall(
            provider=self._profile.provider,
            model=self._profile.model,
            outcome=self._outcome,
            started_at=self._started_at,
            first_token_ms=None if self._heard is None else (self._heard - self._started) * 1000,
            total_ms=(ended - self._started) * 1000,
            waited_ms=0,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_micros=cost_micros(self._profile, usage),
        )

    def _usage(self) -> Usage:
        if self.answer.usage is not None:
            return self.answer.usage
        if not self._was_opened and self._outcome in (CallOutcome.UNAVAILABLE, CallOutcome.REJECTED):
            # What was refused, or never arrived, costs nothing; what we gave up may have been begun.
            return Usage(0, 0)
        return Usage(estimated_tokens(self._prompt), estimated_tokens(["x" * self.answer.characters]))


def _limit(seconds: float, what: str) -> AbstractAsyncContextManager[None]:
    return limit(PROVIDER, seconds, what)


def _told_by(error: ProviderError) -> RateHeaders | None:
    """What the answer told that *error* stands for."""
    response = getattr(error.__cause__, "response", None)
    return None if response is None else rate_headers(response.headers, response.status_code)


def _stream_of_chunks() -> type[AsyncStream[Chunk]]:
    # The SDK takes half a second to import, which waits for the first request or the warm-up.
    from openai import AsyncStream

    return AsyncStream[Chunk]


async def _read_tail(chunks: AsyncIterator[Chunk], answer: StreamedAnswer) -> None:
    """What goes wrong behind a whole answer takes nothing from it."""
    with suppress(ProviderError):
        async with _limit(_TAIL_S, "end of stream"):
            async for chunk in chunks:
                answer.take_usage(chunk)


async def _close(stream: AsyncStream[Chunk]) -> None:
    with suppress(ProviderError):
        async with _limit(_TAIL_S, "close"):
            await stream.close()

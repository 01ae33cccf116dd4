"""The language model behind any server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from server.errors import ProviderError, ProviderRejected, ProviderUnavailable
from server.ports.ai import ModelRequest

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

PROVIDER = "model"

# The SDK counts its limits between bytes; ours, over the whole answer, end first. These are the backstop.
_CONNECT_S = 5.0
_BETWEEN_BYTES_S = 30.0
_MAX_CONNECTIONS = 100
# Once the answer has ended, what follows (usage, end mark) is read only to keep the connection usable.
_TAIL_S = 0.5
_RETRYABLE_STATUS = frozenset({408, 409, 429})


class OpenAIChat:
    """Keeps the ``LanguageModel`` port.

    The SDK and the connection pool are loaded with the first request, or by ``warm``; they belong to the
    event loop that does it.

    Args:
        api_key: some text also where the server asks for none.
        base_url: with its ``/v1``; None for OpenAI's own.
        max_tokens: an answer that would be longer counts as failed, as it ends in mid-sentence.
        transport: only for tests.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None,
        model: str,
        max_tokens: int,
        temperature: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._transport = transport
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()

    async def warm(self) -> None:
        """Load what the first request would otherwise wait for; about half a second."""
        await self._ready_client()

    def stream(self, request: ModelRequest) -> AsyncGenerator[str, None]:
        """Yield pieces of the answer as they arrive; closing the iterator closes the connection.

        Raises:
            ProviderUnavailable: a limit passed, the connection broke, 408, 409, 429 or 5xx, or an answer
                that is empty, cut or no answer.
            ProviderRejected: any other 4xx: the key, the model or the request is refused.
        """
        return self._pieces(request, time.monotonic())

    async def aclose(self) -> None:
        """Close pooled connections; the next request would open new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _pieces(self, request: ModelRequest, started: float) -> AsyncGenerator[str, None]:
        first_token_at = started + min(request.first_token_s, request.total_s)
        total_at = started + request.total_s
        answer = _Answer()
        async with _limit(first_token_at - time.monotonic(), "first token"):
            stream = await self._open(request)
        try:
            chunks = aiter(stream)
            while not answer.has_ended:
                at, what = (total_at, "whole answer") if answer.has_words else (first_token_at, "first token")
                async with _limit(at - time.monotonic(), what):
                    pieces = answer.take(await anext(chunks, None))
                for piece in pieces:
                    yield piece
            await _read_tail(chunks)
        finally:
            await _close(stream)

    async def _open(self, request: ModelRequest) -> AsyncStream[ChatCompletionChunk]:
        client = await self._ready_client()
        lines: Iterable[Any] = [{"role": line.role, "content": line.content} for line in request.lines]
        return await client.chat.completions.create(
            model=self._model,
            messages=lines,
            max_tokens=self._max_tokens,
            temperature=self._temperature,
            stream=True,
            stream_options={"include_usage": True},
        )

    async def _ready_client(self) -> AsyncOpenAI:
        async with self._making:
            if self._client is None:
                # Half a second of imports and certificates, which must not stop the loop.
                self._client = await asyncio.to_thread(self._make_client)
            return self._client

    def _make_client(self) -> AsyncOpenAI:
        import httpx2
        import openai

        http_client = httpx2.AsyncClient(
            transport=self._transport,
            limits=httpx2.Limits(max_connections=_MAX_CONNECTIONS, keepalive_expiry=60),
            timeout=httpx2.Timeout(_BETWEEN_BYTES_S, connect=_CONNECT_S),
            follow_redirects=True,
        )
        return openai.AsyncOpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            # Retries have no place inside a guest's deadline; what comes next is decided above.
            max_retries=0,
            http_client=http_client,
        )


class _Answer:
    """What the chunks of one answer add up to."""

    def __init__(self) -> None:
        self.has_words = False
        self.has_ended = False

    def take(self, chunk: ChatCompletionChunk | None) -> list[str]:
        """The words in *chunk*; None is the end of the stream.

        Raises:
            ProviderUnavailable: what has ended is no whole answer.
        """
        if chunk is None:
            raise ProviderUnavailable(PROVIDER, "answer cut off")
        pieces = []
        # The last chunk holds the usage and no choice.
        for choice in chunk.choices or ():
            piece = choice.delta.content if choice.delta else None
            if piece:
                self.has_words = self.has_words or not piece.isspace()
                pieces.append(piece)
            if choice.finish_reason:
                self._end(choice.finish_reason)
        return pieces

    def _end(self, reason: str) -> None:
        if reason == "length":
            raise ProviderUnavailable(PROVIDER, "answer longer than the token limit")
        if reason == "content_filter":
            raise ProviderUnavailable(PROVIDER, "answer stopped by a content filter")
        if not self.has_words:
            raise ProviderUnavailable(PROVIDER, "empty answer")
        self.has_ended = True


@asynccontextmanager
async def _limit(seconds: float, what: str) -> AsyncIterator[None]:
    """Give up after *seconds*; turn every exception of SDK and network into one of ours."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except ProviderError:
        raise
    except TimeoutError as error:
        raise ProviderUnavailable(PROVIDER, f"no {what} in time") from error
    except Exception as error:
        raise _as_ours(error) from error


def _as_ours(error: Exception) -> ProviderError:
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return ProviderUnavailable(PROVIDER, type(error).__name__)
    if 400 <= status < 500 and status not in _RETRYABLE_STATUS:
        return ProviderRejected(PROVIDER, f"HTTP {status}")
    return ProviderUnavailable(PROVIDER, f"HTTP {status}")


async def _read_tail(chunks: AsyncIterator[ChatCompletionChunk]) -> None:
    """What goes wrong behind a whole answer takes nothing from it."""
    with suppress(ProviderError):
        async with _limit(_TAIL_S, "end of stream"):
            async for _ in chunks:
                pass


async def _close(stream: AsyncStream[ChatCompletionChunk]) -> None:
    with suppress(ProviderError):
        async with _limit(_TAIL_S, "close"):
            await stream.close()

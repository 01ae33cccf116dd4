"""No exception and no shape that a server, the network or the SDK can come up with gets past the adapter."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest

from server.adapters.openai_chat import OpenAIChat
from server.errors import ProviderError, ProviderRejected, ProviderUnavailable
from server.ports.ai import ChatLine, ModelRequest

REQUEST = ModelRequest([ChatLine("user", "When?")], first_token_s=10, total_s=10)

FOREIGN = [
    httpx2.ConnectError("refused"),
    httpx2.ConnectTimeout("late"),
    httpx2.ReadTimeout("late"),
    httpx2.WriteError("broken"),
    httpx2.PoolTimeout("full"),
    httpx2.RemoteProtocolError("what is this"),
    httpx2.LocalProtocolError("what is this"),
    httpx2.ProxyError("no"),
    httpx2.DecodingError("gzip"),
    httpx2.InvalidURL("no url"),
    httpx2.StreamError("closed"),
    OSError(24, "too many open files"),
    ConnectionResetError("reset"),
    ssl.SSLError("certificate"),
    TimeoutError("late"),
    RuntimeError("client has been closed"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ValueError("bad"),
    KeyError("choices"),
    json.JSONDecodeError("bad", "{", 1),
]
WORD = {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class Wire(httpx2.AsyncBaseTransport):
    """Answers every request in one way."""

    def __init__(self, answer: httpx2.Response | Exception) -> None:
        self._answer = answer

    async def handle_async_request(self, _request: httpx2.Request) -> httpx2.Response:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Breaking(httpx2.AsyncByteStream):
    """A body that breaks after its first word."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield events(WORD)
        raise self._error


def events(*chunks: object) -> bytes:
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)


def streamed(body: bytes | httpx2.AsyncByteStream) -> httpx2.Response:
    headers = {"content-type": "text/event-stream"}
    if isinstance(body, bytes):
        return httpx2.Response(200, headers=headers, content=body)
    return httpx2.Response(200, headers=headers, stream=body)


async def ask(answer: httpx2.Response | Exception) -> str:
    model = OpenAIChat(
        api_key="sk-test",
        base_url="http://model.invalid/v1",
        model="some",
        max_tokens=10,
        temperature=0.2,
        transport=Wire(answer),
    )
    try:
        return "".join([piece async for piece in model.stream(REQUEST)])
    finally:
        await model.aclose()


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
async def test_an_error_before_the_answer_becomes_ours(error: Exception) -> None:
    with pytest.raises(ProviderUnavailable):
        await ask(error)


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
async def test_an_error_within_the_answer_becomes_ours(error: Exception) -> None:
    with pytest.raises(ProviderUnavailable):
        await ask(streamed(Breaking(error)))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, ProviderRejected) for status in (400, 401, 403, 404, 413, 422)),
        *((status, ProviderUnavailable) for status in (408, 409, 429, 500, 502, 503, 529)),
    ],
)
async def test_a_status_says_whether_to_try_again(status: int, expected: type[ProviderError]) -> None:
    with pytest.raises(expected) as caught:
        await ask(httpx2.Response(status, json={"error": {"message": "about sk-test", "type": "x"}}))
    assert caught.value.reason == f"HTTP {status}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]\n\n",
        b"<html>Welcome to the hotel's wireless network</html>",
        b"data: {not json}\n\n",
        b"data: null\n\n",
        b"data: []\n\n",
        b'data: "Hello"\n\n',
        events({"choices": None}),
        events({"choices": "Hello"}),
        events({"choices": [None]}),
        events({"choices": [{"delta": None, "finish_reason": "stop"}]}),
        events({"choices": [{"delta": {"content": 5}, "finish_reason": "stop"}]}),
        events({"choices": [{"delta": {"content": ["Hello"]}, "finish_reason": "stop"}]}),
        events(WORD, {"error": {"message": "overloaded", "code": 503}}),
        events(WORD),
        events(END),
        events(WORD, {"choices": [{"delta": {}, "finish_reason": "length"}]}),
        events(WORD, {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}),
        b"\xff\xfe\x00",
    ],
)
async def test_what_is_no_whole_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        await ask(streamed(body))


async def test_what_follows_a_whole_answer_takes_nothing_from_it() -> None:
    assert await ask(streamed(events(WORD, END) + b"data: {broken\n\n")) == "Hello"


async def test_a_cancelled_reader_is_cancelled() -> None:
    class Silent(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield events(WORD)
            reached.set()
            await asyncio.Event().wait()

    reached = asyncio.Event()
    task = asyncio.create_task(ask(streamed(Silent())))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

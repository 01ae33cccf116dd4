"""No exception and no shape that a server, the network or the SDK can come up with gets past the adapter."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from server.adapters.openai_clients import OpenAIClients
from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.llm.prices import Price
from server.ports.ai import (
    ChatLine,
    Finished,
    ModelEvent,
    ModelRequest,
    RateHeaders,
    ToolCall,
    ToolSpec,
    Usage,
)
from tests.support.models import an_openai_model

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
WORD: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]}
END: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class Wire(httpx2.AsyncBaseTransport):
    """Answers every request in one way, and keeps what was asked."""

    def __init__(self, answer: httpx2.Response | Exception) -> None:
        self._answer = answer
        self.bodies: list[Any] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(json.loads(await request.aread()))
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


async def ask(
    answer: httpx2.Response | Exception, request: ModelRequest = REQUEST, **changes: Any
) -> list[ModelEvent]:
    """All that the model yields; *changes* are of its profile."""
    model = an_openai_model(
        "http://model.invalid/v1", OpenAIClients(transport=Wire(answer)), "sk-test", **changes
    )
    try:
        return [event async for event in model.stream(request)]
    finally:
        await model.aclose()


async def words(answer: httpx2.Response | Exception) -> str:
    return "".join(event for event in await ask(answer) if isinstance(event, str))


async def body_of(request: ModelRequest = REQUEST, **changes: Any) -> Any:
    """What the server is sent."""
    wire = Wire(streamed(events(WORD, END)))
    model = an_openai_model("http://model.invalid/v1", OpenAIClients(transport=wire), **changes)
    assert [event async for event in model.stream(request)]
    await model.aclose()
    return wire.bodies[0]


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
    assert await words(streamed(events(WORD, END) + b"data: {broken\n\n")) == "Hello"


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


def delta(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def ending(reason: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def fragment(index: int | None, arguments: str, **more: str) -> dict[str, object]:
    """A piece of a tool call; *more* are ``id`` and ``name`` where it tells them."""
    function = {"arguments": arguments, **({"name": more["name"]} if "name" in more else {})}
    place = {} if index is None else {"index": index}
    return {**place, **({"id": more["id"]} if "id" in more else {}), "function": function}


# What servers do differently.


@pytest.mark.parametrize("reason", ["stop", "eos_token", "end_turn", "STOP"])
async def test_any_word_for_the_end_ends_the_answer(reason: str) -> None:
    assert await words(streamed(events(WORD, ending(reason)))) == "Hello"


async def test_a_server_that_tells_no_usage_answers_all_the_same() -> None:
    assert (await ask(streamed(events(WORD, END))))[-1] == Finished("gpt-4o-mini", None)


@pytest.mark.parametrize("place", ["behind the end", "with the end", "in each"])
async def test_usage_is_found_wherever_it_stands(place: str) -> None:
    usage: dict[str, Any] = {
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 5},
        }
    }
    chunks: dict[str, list[dict[str, Any]]] = {
        "behind the end": [WORD, END, {"choices": [], **usage}],
        "with the end": [WORD, {**END, **usage}],
        "in each": [{**WORD, **usage}, {**END, **usage}],
    }
    found = (await ask(streamed(events(*chunks[place]))))[-1]
    assert found == Finished("gpt-4o-mini", Usage(7, 2, 5))


async def test_thoughts_are_not_said() -> None:
    thought = delta(reasoning_content="The guest wants", content=None)
    assert await words(streamed(events(thought, WORD, END))) == "Hello"


async def test_thoughts_alone_are_no_answer() -> None:
    with pytest.raises(ProviderUnavailable, match="empty answer"):
        await ask(streamed(events(delta(reasoning_content="Hm"), END)))


async def test_comments_between_events_are_passed_over() -> None:
    body = b": OPENROUTER PROCESSING\n\n" + events(WORD) + b": still here\n\n" + events(END)
    assert await words(streamed(body)) == "Hello"


# Tools.


async def test_a_tool_call_is_put_together_from_its_fragments() -> None:
    found = await ask(
        streamed(
            events(
                delta(tool_calls=[fragment(0, "", id="call_1", name="look_up")]),
                delta(tool_calls=[fragment(0, '{"q": "po')]),
                delta(tool_calls=[fragment(1, "{}", id="call_2", name="weather"), fragment(0, 'ol"}')]),
                ending("tool_calls"),
            )
        )
    )
    assert found[:-1] == [
        ToolCall("call_1", "look_up", '{"q": "pool"}'),
        ToolCall("call_2", "weather", "{}"),
    ]


async def test_tool_calls_that_come_whole_and_unnumbered_are_told_apart() -> None:
    calls = [fragment(None, "{}", name="a"), fragment(None, "{}", name="b")]
    found = await ask(streamed(events(delta(tool_calls=calls), ending("tool_calls"))))
    assert found[:-1] == [ToolCall("call_0", "a", "{}"), ToolCall("call_1", "b", "{}")]


async def test_a_tool_call_without_a_name_is_no_answer() -> None:
    with pytest.raises(ProviderUnavailable, match="without a name"):
        await ask(streamed(events(delta(tool_calls=[fragment(0, "{}")]), ending("tool_calls"))))


async def test_the_server_is_told_of_tools_and_of_what_they_found() -> None:
    call = ToolCall("call_1", "look_up", '{"q": "pool"}')
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    request = ModelRequest(
        [
            ChatLine("user", "Is there a pool?"),
            ChatLine("assistant", "", tool_calls=[call]),
            ChatLine("tool", "Yes", tool_call_id="call_1"),
        ],
        first_token_s=10,
        total_s=10,
        tools=[ToolSpec("look_up", "Looks it up", schema)],
    )
    body = await body_of(request)
    function = {"name": "look_up", "arguments": '{"q": "pool"}'}
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "Yes", "tool_call_id": "call_1"},
    ]
    described = {"name": "look_up", "description": "Looks it up", "parameters": schema}
    assert body["tools"] == [{"type": "function", "function": described}]


# Profiles.


async def test_stop_sequences_are_sent() -> None:
    assert (await body_of(stop=("\n\n", "Guest:")))["stop"] == ["\n\n", "Guest:"]
    assert "stop" not in await body_of()


async def test_a_reasoning_model_is_asked_in_its_own_words() -> None:
    body = await body_of(model="gpt-5-mini", is_reasoning=True, temperature=None, max_tokens=7)
    assert body["max_completion_tokens"] == 7
    assert not body.keys() & {"max_tokens", "temperature"}


# Accounts and limits.


async def account_of(answer: httpx2.Response | Exception, **changes: Any) -> ModelCall:
    calls: list[ModelCall] = []
    request = replace(REQUEST, account=calls.append)
    await asyncio.gather(ask(answer, request, **changes), return_exceptions=True)
    (call,) = calls
    return call


async def test_a_call_is_charged_by_what_it_took() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 60}}
    answer = streamed(events(WORD, END, {"choices": [], "usage": usage}))
    call = await account_of(answer, price=Price(prompt=10, cached=1, completion=100))
    assert (call.prompt_tokens, call.completion_tokens, call.cost_micros) == (
        100,
        10,
        40 * 10 + 60 + 10 * 100,
    )


async def test_tokens_that_nobody_tells_are_estimated() -> None:
    call = await account_of(streamed(events(WORD, END)))
    assert (call.prompt_tokens, call.completion_tokens) == (2, 2)


async def test_a_refused_call_costs_nothing() -> None:
    call = await account_of(httpx2.Response(429, json={}), price=Price(10, 10, 10))
    assert (call.outcome, call.prompt_tokens, call.cost_micros) == (CallOutcome.UNAVAILABLE, 0, 0)


async def test_a_call_that_never_arrived_costs_nothing() -> None:
    call = await account_of(httpx2.ConnectError("refused"), price=Price(10, 10, 10))
    assert (call.outcome, call.prompt_tokens, call.cost_micros) == (CallOutcome.UNAVAILABLE, 0, 0)


async def test_what_a_broken_answer_took_is_estimated() -> None:
    call = await account_of(streamed(events(WORD)), price=Price(1, 1, 1))
    assert (call.outcome, call.prompt_tokens, call.completion_tokens) == (CallOutcome.UNAVAILABLE, 2, 2)
    assert call.cost_micros == 4


async def test_a_limit_of_the_sdk_is_a_limit_of_ours() -> None:
    with pytest.raises(ProviderTimeout):
        await ask(httpx2.ConnectTimeout("late"))


async def test_a_stream_that_falls_silent_is_given_up_long_before_its_limit() -> None:
    class Falling(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield events(WORD)
            await asyncio.Event().wait()

    with pytest.raises(ProviderTimeout, match="next words"):
        await ask(streamed(Falling()), replace(REQUEST, total_s=1000, first_token_s=1000), silence_s=0.05)


LIMITS = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "6m0s",
}
TOLD = RateHeaders(500, 200_000, 499, 0, 0.12, 360.0)


async def test_limits_are_told_before_the_answer() -> None:
    response = streamed(events(WORD, END))
    response.headers.update(LIMITS)
    assert (await ask(response))[0] == TOLD


@pytest.mark.parametrize(
    ("headers", "told"),
    [(LIMITS, TOLD), ({"retry-after": "3"}, RateHeaders(remaining_requests=0, reset_requests_s=3))],
)
async def test_limits_are_told_before_a_refusal(headers: dict[str, str], told: RateHeaders) -> None:
    model = an_openai_model(
        "http://model.invalid/v1",
        OpenAIClients(transport=Wire(httpx2.Response(429, headers=headers, json={}))),
    )
    stream = model.stream(REQUEST)
    assert await anext(stream) == told
    with pytest.raises(ProviderUnavailable, match="HTTP 429"):
        await anext(stream)
    await model.aclose()

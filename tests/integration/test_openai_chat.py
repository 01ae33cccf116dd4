"""The adapter with the real SDK against the simulated server in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import openai
import pytest

from server.adapters.openai_chat import OpenAIChat
from server.adapters.openai_clients import OpenAIClients
from server.errors import ProviderError, ProviderRejected, ProviderUnavailable
from server.ports.ai import ChatLine, ModelEvent, ModelRequest
from server.ports.performance import PoolState
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.process import ROOT, SimulatorError
from tests.support.hanging import SLACK_S
from tests.support.models import an_openai_model

LINES = [ChatLine("system", "Be kind."), ChatLine("user", "When is check-in?")]
REPLY = "Check-in is from three o'clock, and we look forward to it."
LIMIT_S = 0.3


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@pytest.fixture
async def model(simulator: OpenAISimulator) -> AsyncIterator[OpenAIChat]:
    simulator.control()
    made = an_openai_model(simulator.base_url)
    # What is loaded once must not count against a test's limit.
    await made.warm()
    yield made
    await made.aclose()


async def ask(model: OpenAIChat, first_token_s: float = 20, total_s: float = 20) -> str:
    async with aclosing(model.stream(ModelRequest(LINES, first_token_s, total_s))) as pieces:
        return "".join([piece async for piece in pieces if isinstance(piece, str)])


async def first_word(events: AsyncIterator[ModelEvent]) -> str:
    while not isinstance(event := await anext(events), str):
        pass
    return event


async def settled(simulator: OpenAISimulator) -> list[dict[str, Any]]:
    return await asyncio.to_thread(simulator.requests, settled=True)


async def test_the_server_gets_the_prompt_and_the_limits(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    simulator.control(reply=REPLY)
    assert await ask(model) == REPLY
    (request,) = await settled(simulator)
    assert request["body"] == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "When is check-in?"},
        ],
        "max_tokens": 100,
        "temperature": 0.2,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert request["outcome"] == "answered"


async def test_pieces_arrive_while_the_answer_is_still_made(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    simulator.control(reply=REPLY, hang="mid_stream")
    async with aclosing(model.stream(ModelRequest(LINES, 20, 20))) as pieces:
        assert await first_word(pieces) == "Check-in"
        assert await anext(pieces) == " is"


@pytest.mark.parametrize("hang", ["headers", "first_token", "mid_stream"])
async def test_a_server_that_hangs_is_left_at_the_limit(
    model: OpenAIChat, simulator: OpenAISimulator, hang: str
) -> None:
    simulator.control(reply=REPLY, hang=hang)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="in time"):
        await ask(model, first_token_s=LIMIT_S, total_s=2 * LIMIT_S)
    assert LIMIT_S <= time.monotonic() - started < 2 * LIMIT_S + SLACK_S
    (request,) = await settled(simulator)
    assert request["outcome"] == "client_left"


async def test_a_slow_first_word_is_not_waited_for(model: OpenAIChat, simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY, latency_first_token_ms=60_000)
    with pytest.raises(ProviderUnavailable, match="first token"):
        await ask(model, first_token_s=LIMIT_S)


async def test_words_that_trickle_end_at_the_limit_of_the_whole(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    # Each gap is short: only a limit of the whole answer can end this.
    simulator.control(reply="word " * 100, tokens_per_second=20)
    with pytest.raises(ProviderUnavailable, match="whole answer"):
        await ask(model, first_token_s=5, total_s=1)
    (request,) = await settled(simulator)
    assert 1 <= request["tokens_sent"] < 100


@pytest.mark.parametrize("after", [0, 3])
async def test_an_answer_cut_off_is_none(model: OpenAIChat, simulator: OpenAISimulator, after: int) -> None:
    simulator.control(reply=REPLY, cut_after_tokens=after)
    with pytest.raises(ProviderUnavailable):
        await ask(model)
    assert [request["outcome"] for request in await settled(simulator)] == ["cut"]


async def test_an_answer_beyond_the_token_limit_is_none(simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY)
    model = an_openai_model(simulator.base_url, max_tokens=3)
    with pytest.raises(ProviderUnavailable, match="token limit"):
        await ask(model)
    await model.aclose()


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ({"api_key": "another"}, ProviderRejected),
        ({"error_status": 400}, ProviderRejected),
        ({"error_status": 429}, ProviderUnavailable),
        ({"error_status": 500}, ProviderUnavailable),
        ({"error_status": 503}, ProviderUnavailable),
    ],
)
async def test_a_refusal_is_asked_for_once_and_told(
    model: OpenAIChat, simulator: OpenAISimulator, behaviour: dict[str, Any], expected: type[ProviderError]
) -> None:
    simulator.control(**behaviour)
    with pytest.raises(expected):
        await ask(model)
    assert len(await settled(simulator)) == 1


async def test_a_model_that_does_not_exist_is_final(simulator: OpenAISimulator) -> None:
    simulator.control()
    model = an_openai_model(simulator.base_url, model="gpt-none")
    with pytest.raises(ProviderRejected, match="HTTP 404"):
        await ask(model)
    await model.aclose()


async def test_nobody_at_the_address_may_change(unused_tcp_port: int) -> None:
    model = an_openai_model(f"http://127.0.0.1:{unused_tcp_port}/v1")
    with pytest.raises(ProviderUnavailable):
        await ask(model)
    await model.aclose()


async def test_closing_the_iterator_closes_the_connection(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    simulator.control(reply=REPLY, hang="mid_stream")
    pieces = model.stream(ModelRequest(LINES, 20, 20))
    assert await first_word(pieces) == "Check-in"
    await pieces.aclose()
    # Seen from the other end: the server noticed while it was still at work.
    assert [request["outcome"] for request in await settled(simulator)] == ["client_left"]


async def test_cancelling_the_reader_closes_the_connection(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    simulator.control(reply=REPLY, hang="mid_stream")
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(model.stream(ModelRequest(LINES, 20, 20))) as pieces:
            async for _ in pieces:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [request["outcome"] for request in await settled(simulator)] == ["client_left"]


async def test_answers_one_after_another_share_a_connection(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    simulator.control(reply=REPLY)
    for _ in range(4):
        await ask(model)
    assert len({request["connection"] for request in await settled(simulator)}) == 1


async def test_models_of_one_server_and_key_share_its_connections(simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY)
    clients = OpenAIClients()
    assert clients.pool_state() == PoolState(0, 0)
    for name in ("gpt-4o-mini", "gpt-4o"):
        assert await ask(an_openai_model(simulator.base_url, clients, model=name)) == REPLY
    assert clients.pool_state() == PoolState(1, 0)
    assert len({request["connection"] for request in await settled(simulator)}) == 1
    await clients.aclose()


async def test_another_key_has_connections_of_its_own(simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY)
    clients = OpenAIClients()
    for key in ("sk-one", "sk-two"):
        assert await ask(an_openai_model(simulator.base_url, clients, key)) == REPLY
    assert len({request["connection"] for request in await settled(simulator)}) == 2
    await clients.aclose()


async def test_without_pooling_each_answer_has_a_connection_of_its_own(simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY)
    model = an_openai_model(simulator.base_url, OpenAIClients(pooling=False))
    for _ in range(3):
        assert await ask(model) == REPLY
    assert len({request["connection"] for request in await settled(simulator)}) == 3
    await model.aclose()


async def test_a_warm_model_answers_over_the_connection_that_is_open(simulator: OpenAISimulator) -> None:
    simulator.control(reply=REPLY)
    model = an_openai_model(simulator.base_url)
    await model.warm()
    await ask(model)
    warmed, asked = await settled(simulator)
    assert warmed["path"] == "/v1/models"
    assert warmed["connection"] == asked["connection"]
    await model.aclose()


async def test_warming_up_in_vain_is_no_failure(unused_tcp_port: int) -> None:
    model = an_openai_model(f"http://127.0.0.1:{unused_tcp_port}/v1")
    await model.warm()
    await model.aclose()


async def test_a_model_answers_again_after_each_kind_of_failure(
    model: OpenAIChat, simulator: OpenAISimulator
) -> None:
    for behaviour in ({"hang": "first_token"}, {"cut_after_tokens": 1}, {"error_status": 500}, {"reply": ""}):
        simulator.control(**behaviour)
        with pytest.raises(ProviderUnavailable):
            await ask(model, first_token_s=LIMIT_S)
    simulator.control(reply=REPLY)
    assert await ask(model) == REPLY


# The simulator refuses what the real service refuses, and says so through the real SDK.


@pytest.fixture
def client(simulator: OpenAISimulator) -> Iterator[openai.OpenAI]:
    simulator.control()
    with openai.OpenAI(api_key="sk-one", base_url=simulator.base_url, max_retries=0) as made:
        yield made


def complete(client: openai.OpenAI, **changes: Any) -> Any:
    values: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
    return client.chat.completions.create(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "guest", "content": "Hi"}]}, "messages.0.role", "invalid_value"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content", "invalid_type"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        ({"extra_body": {"colour": "red"}}, "colour", "unknown_parameter"),
        ({"extra_body": {"model": None}}, "model", "invalid_type"),
    ],
)
def test_a_malformed_request_is_refused_with_its_fault(
    client: openai.OpenAI, changes: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        complete(client, **changes)
    assert (caught.value.type, caught.value.param, caught.value.code) == (
        "invalid_request_error",
        param,
        code,
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model":"gpt-4o-mini"}', b'{"messages":[]}'])
def test_a_body_that_is_no_request_is_refused(simulator: OpenAISimulator, body: bytes) -> None:
    simulator.control()
    host, port = simulator.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        head = "POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer k\r\n"
        raw.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        assert raw.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_whole_answer_tells_usage_and_rate_limits(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(reply="One two three")
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi there"}]
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "One two three"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 3)
    assert int(raw.headers["x-ratelimit-remaining-requests"]) < int(raw.headers["x-ratelimit-limit-requests"])


def test_too_many_requests_says_when_to_come_back(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    simulator.control(error_status=429)
    with pytest.raises(openai.RateLimitError) as caught:
        complete(client)
    assert caught.value.response.headers["retry-after"] == "1"


def test_a_stream_ends_with_its_usage_and_no_choice(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(reply="One two")
    chunks = list(complete(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 2
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert all(chunk.choices for chunk in complete(client, stream=True))


def test_the_share_of_errors_is_the_same_under_the_same_seed(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    def outcomes(seed: int) -> list[str]:
        simulator.control(error_status=503, error_rate=0.5, seed=seed)
        for _ in range(20):
            try:
                complete(client)
            except openai.InternalServerError as error:
                assert error.status_code == 503  # noqa: PT017 - half of them succeed
        return [request["outcome"] for request in simulator.requests()]

    first = outcomes(1)
    assert first == outcomes(1)
    assert first != outcomes(2)
    assert 0 < first.count("refused") < 20


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]


def test_rules_come_before_the_reply(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    simulator.control(reply="other", rules=[{"contains": "PRICE", "reply": "It is 99 ₪."}])
    priced = complete(client, messages=[{"role": "user", "content": "What price?"}])
    assert priced.choices[0].message.content == "It is 99 ₪."
    assert complete(client).choices[0].message.content == "other"


def test_an_unknown_behaviour_is_refused(simulator: OpenAISimulator) -> None:
    with pytest.raises(SimulatorError, match="422"):
        simulator.control(latencyy=5)


def test_the_process_ends_on_sigterm() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "simulators.openai"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert '"ready": true' in process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0

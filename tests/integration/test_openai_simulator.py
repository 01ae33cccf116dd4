"""The simulated model server through the real SDK: limits, tools, mixed faults, what it tells of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest

from simulators.openai_client import OpenAISimulator, start_openai_simulator

ASKED: Any = [{"role": "user", "content": "What is the weather?"}]
TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}},
    }
    for name in ("weather", "map")
]
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
}
RULE = {
    "contains": "weather",
    "reply": "Sunny all day.",
    "tool_calls": [
        {"name": "weather", "arguments": {"q": "weather at the beach"}},
        {"name": "map", "arguments": '{"broken'},
    ],
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@pytest.fixture
def client(simulator: OpenAISimulator) -> Iterator[openai.OpenAI]:
    simulator.control()
    with openai.OpenAI(api_key="sk-one", base_url=simulator.base_url, max_retries=0, timeout=5) as made:
        yield made


def complete(client: openai.OpenAI, **changes: Any) -> Any:
    return client.chat.completions.create(**({"model": "gpt-4o-mini", "messages": ASKED} | changes))


def test_requests_beyond_the_limit_are_refused_and_counted(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(requests_per_minute=3)
    raw = [
        client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=ASKED)
        for _ in range(3)
    ]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in raw] == ["2", "1", "0"]
    assert raw[0].headers["x-ratelimit-reset-requests"].endswith("s")
    with pytest.raises(openai.RateLimitError) as caught:
        complete(client)
    assert (caught.value.type, caught.value.code) == ("requests", "rate_limit_exceeded")
    headers = caught.value.response.headers
    assert 19_000 < int(headers["retry-after-ms"]) <= 20_000
    assert headers["retry-after"] == "20"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert simulator.counts()["rate_limited"] == 1


def test_tokens_are_limited_by_the_estimate_and_corrected_by_the_usage(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(tokens_per_minute=100, reply="One two three")
    # Four words are asked: ninety could be answered and three are, so that there is room for eighty more.
    complete(client, max_tokens=90)
    complete(client, max_tokens=80)
    with pytest.raises(openai.RateLimitError) as caught:
        complete(client, max_tokens=96)
    assert caught.value.type == "tokens"


def test_each_key_has_limits_of_its_own_for_each_model(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(requests_per_minute=1)
    complete(client)
    with pytest.raises(openai.RateLimitError):
        complete(client)
    complete(client, model="gpt-4o")
    complete(client.with_options(api_key="sk-two"))


def test_tool_calls_come_whole(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    simulator.control(rules=[RULE])
    choice = complete(client, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert [call.function.name for call in choice.message.tool_calls] == ["weather", "map"]
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"q": "weather at the beach"}
    assert choice.message.tool_calls[1].function.arguments == '{"broken'


def test_tool_calls_are_streamed_in_fragments(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    simulator.control(rules=[RULE])
    chunks = [chunk.choices[0] for chunk in complete(client, tools=TOOLS, stream=True)]
    fragments = [call for choice in chunks for call in choice.delta.tool_calls or ()]
    begun = [call for call in fragments if call.id]
    assert [(call.index, call.function.name) for call in begun] == [(0, "weather"), (1, "map")]
    pieces = [call.function.arguments for call in fragments if call.index == 0]
    assert len(pieces) > 3
    assert json.loads("".join(pieces)) == {"q": "weather at the beach"}
    assert chunks[-1].finish_reason == "tool_calls"


def test_the_reply_follows_the_results_of_the_tools(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(rules=[RULE])
    messages = [*ASKED, CALLED, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
    assert complete(client, tools=TOOLS, messages=messages).choices[0].message.content == "Sunny all day."


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"parallel_tool_calls": False}, ["weather"]),
        ({"tool_choice": {"type": "function", "function": {"name": "map"}}}, ["map"]),
        ({"tool_choice": "required", "messages": [{"role": "user", "content": "Hi"}]}, ["weather"]),
        ({"tool_choice": "none"}, None),
    ],
)
def test_a_request_limits_which_tools_are_called(
    client: openai.OpenAI, simulator: OpenAISimulator, changes: dict[str, Any], names: list[str] | None
) -> None:
    simulator.control(rules=[RULE])
    called = complete(client, tools=TOOLS, **changes).choices[0].message.tool_calls
    assert (called and [call.function.name for call in called]) == names


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tool_choice": "auto"}, "only allowed when 'tools' are specified"),
        ({"parallel_tool_calls": True}, "only allowed when 'tools' are specified"),
        ({"tools": []}, "Invalid value for 'tools'"),
        ({"tools": [{"type": "function", "function": {"name": "no spaces"}}]}, "'tools.0.function.name'"),
        (
            {"tools": [{"type": "function", "function": {"name": "x", "parameters": {"type": "string"}}}]},
            "Invalid schema for function 'x'",
        ),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "x"}}}, "'x' not found"),
        ({"tools": TOOLS, "tool_choice": "any"}, "Invalid value for 'tool_choice'"),
        ({"messages": [*ASKED, CALLED]}, "did not have response messages: call_1"),
        ({"messages": [*ASKED, CALLED, *ASKED]}, "did not have response messages: call_1"),
        (
            {"messages": [*ASKED, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
            "must be a response to a preceding message",
        ),
        ({"messages": [*ASKED, CALLED, {"role": "tool", "content": "x"}]}, "messages[2].tool_call_id"),
        ({"messages": [{**CALLED, "role": "user"}]}, "messages[0].tool_calls"),
    ],
)
def test_tools_are_refused_where_the_api_refuses_them(
    client: openai.OpenAI, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        complete(client, **changes)
    assert says in caught.value.message


def test_mixed_faults_are_drawn_for_each_request_and_recorded(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(faults={"error_500": 0.3, "error_429": 0.3, "cut": 0.2}, reply="One " * 20, seed=4)
    for _ in range(40):
        with suppress(openai.APIError):
            complete(client)
    records = simulator.requests(settled=True)
    for record in records:
        expected = {"error_500": 500, "error_429": 429, "cut": 200, None: 200}[record["fault"]]
        assert record["status"] == expected
        assert (record["outcome"] == "cut") == (record["fault"] == "cut")
    counts = simulator.counts()
    assert sum(counts["faults"].values()) == sum(record["fault"] is not None for record in records)
    assert set(counts["faults"]) == {"error_500", "error_429", "cut"}
    # What was drawn is no limit of ours that was passed.
    assert counts["rate_limited"] == 0


@pytest.mark.parametrize("where", ["headers", "first_token", "mid_stream"])
def test_a_hang_by_share_hangs_where_it_says(
    client: openai.OpenAI, simulator: OpenAISimulator, where: str
) -> None:
    simulator.control(faults={f"hang_{where}": 1}, reply="One two three four")
    with pytest.raises(openai.APITimeoutError):
        complete(client.with_options(timeout=0.3))
    (record,) = simulator.requests(settled=True)
    assert (record["fault"], record["outcome"]) == (f"hang_{where}", "client_left")
    assert bool(record["tokens_sent"]) == (where == "mid_stream")


def test_a_record_tells_when_the_request_came_and_its_tokens_left(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(reply="One two three", latency_first_token_ms=50, tokens_per_second=50)
    before = time.time()
    for _ in complete(client, stream=True):
        pass
    after = time.time()
    (record,) = simulator.requests(settled=True)
    received, first, last = (record[f"{name}_at"] for name in ("received", "first_token", "last_token"))
    assert before < received < first < last < after
    assert first - received >= 0.05
    assert last - first >= 0.039


def test_any_model_that_is_listed_answers(client: openai.OpenAI, simulator: OpenAISimulator) -> None:
    assert {"gpt-4.1-mini", "gpt-4.1-nano"} < {model.id for model in client.models.list()}
    simulator.control(models=["llama-3"])
    assert complete(client, model="llama-3").model == "llama-3"
    with pytest.raises(openai.NotFoundError):
        complete(client)


def test_the_beginning_of_a_prompt_sent_before_counts_as_cached(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(cached_prompt_tokens_from=128)
    instructions = {"role": "system", "content": "word " * 200}
    cached = [
        complete(client, messages=[instructions, {"role": "user", "content": text}]).usage
        for text in ("One", "Two")
    ]
    assert [usage.prompt_tokens_details.cached_tokens for usage in cached] == [0, 128]
    assert simulator.counts()["cached_tokens"] == 128


def test_a_trouble_meets_the_question_it_is_of_and_no_other(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(reply="One two three.")
    simulator.trouble(of=["rain"], kind="error", status="500")
    with pytest.raises(openai.InternalServerError):
        complete(client, messages=[{"role": "user", "content": "Will it rain?"}])
    assert complete(client).choices[0].message.content == "One two three."
    assert [record["trouble"] for record in simulator.requests(settled=True)] == ["error", None]


def test_a_trouble_meets_an_answer_that_is_under_way(
    client: openai.OpenAI, simulator: OpenAISimulator
) -> None:
    simulator.control(reply="One two three. " * 20, tokens_per_second=50)
    chunks = iter(complete(client, stream=True))
    next(chunks)
    simulator.trouble(of=["weather"], kind="error", status="500")
    with pytest.raises(openai.APIError, match="server had an error"):
        list(chunks)
    (record,) = simulator.requests(settled=True)
    assert (record["outcome"], record["trouble"]) == ("refused", "error")
    assert record["tokens_sent"] < 60

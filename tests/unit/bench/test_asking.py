"""What is heard of answers: whole, streamed by the desk, streamed by a model, broken off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bench.asking import Ask, Heard, ask_here
from simulators.http_server import Answer, Request, serve

DONE = {"reply": "Yes, there is.", "source": "model", "timings_ms": {}}


async def desk(request: Request, answer: Answer) -> None:
    """Answers as its path says."""
    if request.path == "/whole":
        answer.json(200, DONE)
    elif request.path == "/busy":
        answer.json(503, {"error": "too many calls at once"})
    elif request.path == "/hang":
        answer.start_events()
        await asyncio.Event().wait()
    else:
        answer.start_events()
        for line in {"/stream": _STREAM, "/model": _MODEL, "/cut": _STREAM[:2]}[request.path]:
            answer.event(line)
        if request.path == "/cut":
            answer.cut()
        else:
            answer.end_events()


# ``event`` writes "data: " by itself; the name may follow in a line of its own.
_STREAM = [
    f"{json.dumps(data)}\nevent: {name}"
    for name, data in (
        ("tool_start", {"tool": "knowledge"}),
        ("token", {"text": "Yes,"}),
        ("replace", {"text": "No."}),
        ("done", DONE),
    )
]
_MODEL = [
    json.dumps({"choices": [{"delta": {"role": "assistant", "content": ""}}]}),
    json.dumps({"choices": [{"delta": {"content": "Yes,"}}]}),
    json.dumps({"choices": [{"delta": {"content": " sure."}}]}),
    json.dumps({"choices": []}),
    "[DONE]",
]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    server = await serve(desk, 0)
    host, port = server.sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}"
    server.close()


async def hear(url: str, *paths: str) -> list[Heard]:
    return await ask_here(
        [Ask(key=path, kind="x", due_s=0.0, url=url + path, body={"message": "?"}) for path in paths]
    )


async def test_a_whole_answer_is_proper_and_has_no_first_words(url: str) -> None:
    (heard,) = await hear(url, "/whole")
    assert heard.is_proper
    assert (heard.reply, heard.source, heard.first_at) == ("Yes, there is.", "model", None)
    assert heard.sent_at < heard.ended_at


async def test_a_stream_ends_with_its_reply_and_keeps_all_that_was_shown(url: str) -> None:
    (heard,) = await hear(url, "/stream")
    assert heard.is_proper
    assert heard.shown == "Yes,No."
    assert heard.reply == DONE["reply"]
    assert heard.pieces == 2
    assert heard.first_at is not None
    assert heard.sent_at < heard.first_at <= heard.ended_at


async def test_a_models_own_stream_is_read_too(url: str) -> None:
    (heard,) = await hear(url, "/model")
    assert heard.is_proper
    assert heard.reply == "Yes, sure."
    assert heard.pieces == 2


async def test_what_is_refused_or_cut_is_no_proper_answer(url: str) -> None:
    busy, cut = await hear(url, "/busy", "/cut")
    assert (busy.status, busy.is_proper, busy.reply) == (503, False, "")
    assert busy.answer["error"] == "too many calls at once"
    assert not cut.is_whole
    assert not cut.is_proper
    assert cut.shown == "Yes,"


async def test_answers_come_in_the_order_of_the_questions(url: str) -> None:
    heard = await hear(url, "/stream", "/whole", "/busy", "/model")
    assert [one.key for one in heard] == ["/stream", "/whole", "/busy", "/model"]

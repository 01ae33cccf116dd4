"""``POST /api/v1/chat/stream``: the same events from both processes, resumed, left, bounded."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from server.channels.chat import THREADS
from server.channels.key_limits import CallsPerMinute
from server.desk import Desk
from server.domain.events import Replace, Token, ToolResult, ToolStart
from tests.support.chat_stands import WAIT_S, ChatStand, RealtimeStand, realtime_stand, web_stand
from tests.support.databases import SqliteTemplate

PATH = "/api/v1/chat/stream"
MANY = 40


@pytest.fixture
def database_url(sqlite_template: SqliteTemplate) -> Iterator[str]:
    """Only keys are kept there."""
    with sqlite_template.fresh() as url:
        yield url


@pytest.fixture
def web(desk: Desk) -> Iterator[ChatStand]:
    with web_stand(desk) as running:
        yield running


@pytest.fixture
def realtime() -> Iterator[RealtimeStand]:
    with realtime_stand() as running:
        yield running


@pytest.fixture(params=["web", "realtime"])
def stand(request: pytest.FixtureRequest) -> ChatStand:
    """One process, and the other."""
    found: ChatStand = request.getfixturevalue(request.param)
    return found


def body(**changes: object) -> dict[str, object]:
    return {"tenant": "1", "conversation": "c1", "message": "Hello"} | changes


def post(stand: ChatStand, key: str | None = None, **headers: str) -> requests.Response:
    """Whatever is answered, as far as its headers."""
    return requests.post(
        stand.url + PATH,
        json=body(),
        headers={"Authorization": f"Bearer {key or stand.key}", **headers},
        stream=True,
        timeout=WAIT_S,
    )


@contextmanager
def reading(stand: ChatStand, **headers: str) -> Iterator[requests.Response]:
    """An open stream."""
    with post(stand, **headers) as answer:
        assert answer.status_code == 200, answer.text
        yield answer


def events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    """Events as they come, read by the rules of the standard as far as we use them."""
    event: dict[str, Any] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line == "" and event:
            yield event | {"data": json.loads(event["data"])}
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


SCRIPT = (
    ToolStart("knowledge"),
    ToolResult("knowledge", 2),
    Token("מ-15:00 "),
    Replace("From "),
    Token("15:00\n\u2028."),
)


def said(stand: ChatStand) -> list[bytes]:
    """The lines that are written for a script that is said event by event, without signs of life."""
    with reading(stand) as answer:
        question = stand.answers.asked()
        lines = (
            line for line in answer.iter_lines(chunk_size=1, delimiter=b"\n") if line and line[:1] != b":"
        )
        written: list[bytes] = []
        for event in SCRIPT:
            question.say(event)
            # Its id, name and data.
            written += [next(lines) for _ in range(3)]
        question.end("From 15:00\n\u2028.")
        return written + list(lines)


def test_both_processes_say_the_same_bytes(web: ChatStand, realtime: ChatStand) -> None:
    assert said(web) == said(realtime)


def test_words_come_as_they_are_said(stand: ChatStand) -> None:
    with reading(stand) as answer:
        read = events(answer)
        question = stand.answers.asked()
        for number, word in enumerate(["From ", "15:00", "."], start=1):
            question.say(Token(word))
            assert next(read) == {"id": f"1-{number}", "event": "token", "data": {"text": word}}
        question.end("From 15:00.")
        assert [event["event"] for event in read] == ["citations", "done"]


def test_nothing_on_the_way_may_keep_or_hold_a_stream(stand: ChatStand) -> None:
    with reading(stand, **{"Accept-Encoding": "gzip"}) as answer:
        stand.answers.asked().end("x" * 10_000)
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in answer.headers
        assert b"x" * 10_000 in answer.content


def test_a_silence_is_broken_by_signs_of_life(realtime: ChatStand) -> None:
    with reading(realtime) as answer:
        question = realtime.answers.asked()
        lines = answer.iter_lines(chunk_size=1)
        assert [next(lines) for _ in range(4)] == [b": keep-alive", b"", b": keep-alive", b""]
        question.end("Hi.")


def test_a_stream_that_was_cut_goes_on_after_the_last_event(stand: ChatStand) -> None:
    with reading(stand) as answer:
        question = stand.answers.asked()
        question.say(Token("From "))
        last = next(events(answer))["id"]
    question.say(Token("15:00"))
    with reading(stand, **{"Last-Event-ID": last}) as answer:
        read = events(answer)
        assert next(read)["data"] == {"text": "15:00"}
        question.end("From 15:00.")
        assert [event["data"] for event in read][-1]["reply"] == "From 15:00."


def test_a_stream_that_has_ended_meanwhile_is_told_whole(stand: ChatStand) -> None:
    with reading(stand) as answer:
        question = stand.answers.asked()
        question.say(Token("From "))
        last = next(events(answer))["id"]
    question.end("From 15:00.")
    with reading(stand, **{"Last-Event-ID": last}) as answer:
        told = [(event["event"], event["data"]) for event in events(answer)]
    assert told[0] == ("replace", {"text": "From 15:00."})
    assert told[-1][0] == "done"


@pytest.mark.parametrize(
    ("headers", "changes", "status"),
    [
        ({"Last-Event-ID": "1-1"}, {"conversation": "another"}, 404),
        ({"Last-Event-ID": "99-1"}, {}, 404),
        ({"Last-Event-ID": "yesterday"}, {}, 422),
        ({}, {"message": " "}, 422),
        ({}, {"tenant": "2"}, 404),
        ({}, {"use_rag": "no"}, 422),
        ({"Authorization": "Bearer wrong"}, {}, 401),
        ({"Authorization": ""}, {}, 401),
    ],
)
def test_what_cannot_be_streamed_is_an_error_in_json(
    stand: ChatStand, headers: dict[str, str], changes: dict[str, object], status: int
) -> None:
    with reading(stand):
        stand.answers.asked().end("Hi.")
    answer = requests.post(
        stand.url + PATH,
        json=body(**changes),
        headers={"Authorization": f"Bearer {stand.key}", **headers},
        timeout=WAIT_S,
    )
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(("data", "status"), [(b"{", 400), (b"[]", 400), (b" " * 1_100_000, 413)])
def test_a_body_that_cannot_be_read_is_an_error_in_json(stand: ChatStand, data: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {stand.key}"}
    answer = requests.post(stand.url + PATH, data=data, headers=headers, timeout=WAIT_S)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PATH, 405), ("GET", "/nothing", 404)])
def test_what_is_not_there_is_an_error_in_json(stand: ChatStand, method: str, path: str, status: int) -> None:
    answer = requests.request(method, stand.url + path, timeout=WAIT_S)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_another_tenant_reads_nothing(stand: ChatStand) -> None:
    with reading(stand) as answer:
        question = stand.answers.asked()
        question.say(Token("From "))
        last = next(events(answer))["id"]
        for tenant in ("1", "2"):
            other = requests.post(
                stand.url + PATH,
                json=body(tenant=tenant),
                headers={"Authorization": f"Bearer {stand.others_key}", "Last-Event-ID": last},
                timeout=WAIT_S,
            )
            assert other.status_code == 404


def test_a_failure_in_mid_stream_is_its_last_event(stand: ChatStand) -> None:
    with reading(stand) as answer:
        question = stand.answers.asked()
        question.say(Token("From "))
        question.fail("no answer in time")
        assert list(events(answer))[-1]["data"] == {"error": "no answer in time", "status": 503}


def test_a_client_that_goes_leaves_the_stream(stand: ChatStand) -> None:
    with reading(stand) as answer:
        question = stand.answers.asked()
        question.say(Token("From "))
        next(events(answer))
    deadline = time.monotonic() + WAIT_S
    while not question.stream.is_abandoned():
        assert time.monotonic() < deadline
        question.say(Token("more "))
        time.sleep(0.02)


def test_a_client_that_is_slow_gets_all_of_it_in_fewer_events(realtime: ChatStand) -> None:
    word, count = "x" * 100_000, 200
    with reading(realtime) as answer:
        question = realtime.answers.asked()
        for _ in range(count):
            question.say(Token(word))
        question.end(word * count)
        texts = [event["data"]["text"] for event in events_of(answer.content) if event["event"] == "token"]
    assert "".join(texts) == word * count
    assert len(texts) < count / 2


def events_of(content: bytes) -> Iterator[dict[str, Any]]:
    for block in content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            yield fields | {"data": json.loads(fields["data"])}


def test_web_streams_to_a_quarter_of_its_threads_and_no_more(web: ChatStand) -> None:
    with ExitStack() as open_streams:
        for _ in range(THREADS // 4):
            open_streams.enter_context(reading(web))
        questions = [web.answers.asked() for _ in range(THREADS // 4)]
        refused = post(web)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert "streams" in refused.json()["error"]
        for question in questions:
            question.end("Hi.")
    with reading(web):
        web.answers.asked().end("Hi.")


def test_realtime_streams_to_many(realtime: ChatStand) -> None:
    with ExitStack() as open_streams:
        answers = [open_streams.enter_context(reading(realtime)) for _ in range(MANY)]
        for _ in range(MANY):
            realtime.answers.asked().end("Hi.")
        assert all(b"event: done" in answer.content for answer in answers)


def test_a_key_that_calls_too_often_is_told_when_to_come_back() -> None:
    with realtime_stand(CallsPerMinute(1)) as limited:
        with reading(limited) as answer:
            limited.answers.asked().end("Hi.")
            assert answer.headers["RateLimit-Remaining"] == "0"
        refused = post(limited)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert "call again in" in refused.json()["error"]


def test_a_client_that_never_sends_its_body_holds_nobody_up(realtime: RealtimeStand) -> None:
    port = int(realtime.url.rpartition(":")[2])
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {realtime.key}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        with reading(realtime) as answer:
            realtime.answers.asked().end("Hi.")
            assert b"event: done" in answer.content


def test_who_has_seen_no_event_yet_begins_with_the_message(stand: ChatStand) -> None:
    with reading(stand, **{"Last-Event-ID": "0"}) as answer:
        stand.answers.asked().end("Hi.")
        assert b"event: done" in answer.content

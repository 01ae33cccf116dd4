"""Streams as clients read them: events with ids, merged for the slow, resumed for the cut off."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channels import sse
from server.channels.chat_streams import ChatEvent, EventId, StreamReader
from server.domain.conversations import Reply, ReplySource
from server.domain.events import Replace, ReplyEvent, Token, ToolResult, ToolStart
from server.errors import UnprocessableRequest
from server.inbox.streams import ReplyStream

WAIT_S = 30


def a_reply(text: str) -> Reply:
    return Reply(text=text, source=ReplySource.MODEL, language="en")


def a_stream(*events: ReplyEvent, ends_with: str | None = None) -> ReplyStream:
    stream = ReplyStream(17)
    for event in events:
        stream.say(event)
    if ends_with is not None:
        stream.end(a_reply(ends_with))
    return stream


def told(reader: StreamReader) -> list[tuple[str, str, dict[str, Any]]]:
    """All that is there, as (id, name, data)."""
    return [(str(event.id), event.name, event.data) for event in reader.read(WAIT_S)]


def shown(events: list[tuple[str, str, dict[str, Any]]], before: str = "") -> str:
    """What a client has on its screen."""
    text = before
    for _, name, data in events:
        if name == "token":
            text += data["text"]
        elif name == "replace":
            text = data["text"]
    return text


def test_every_event_has_its_id_and_the_last_is_the_whole_answer() -> None:
    stream = a_stream(
        ToolStart("knowledge"), ToolResult("knowledge", 2), Token("From "), ends_with="From 15:00."
    )
    reader = StreamReader(stream)
    events = told(reader)
    assert [(event_id, name) for event_id, name, _ in events] == [
        ("17-1", "tool_start"),
        ("17-2", "tool_result"),
        ("17-4", "token"),
        ("17-4", "citations"),
        ("17-5", "done"),
    ]
    assert events[-1][2]["reply"] == "From 15:00."
    assert shown(events) == "From 15:00."
    assert reader.is_over


def test_words_that_came_while_a_client_was_slow_are_one_event() -> None:
    stream = a_stream(*(Token(f"{number} ") for number in range(1000)))
    ((event_id, name, data),) = told(StreamReader(stream))
    assert (event_id, name) == ("17-1000", "token")
    assert data["text"].startswith("0 1 2 ")


def test_words_before_and_after_a_replacement_are_not_merged() -> None:
    stream = a_stream(Token("a"), Token("b"), Replace("c"), Token("d"), Token("e"))
    assert [data["text"] for _, _, data in told(StreamReader(stream))] == ["ab", "c", "de"]


def test_a_reader_that_was_cut_off_goes_on_where_it_was() -> None:
    stream = a_stream(Token("From "), Token("15:00."))
    ((_, _, data),) = told(StreamReader(stream, last_seen=1))
    assert data == {"text": "15:00."}


@pytest.mark.parametrize("last_seen", range(1, 9))
def test_a_stream_that_has_ended_is_told_again_whole(last_seen: int) -> None:
    # Also to one whose numbers are another process's.
    reader = StreamReader(a_stream(Token("From "), Token("15"), ends_with="From 15:00."), last_seen)
    events = told(reader)
    assert [name for _, name, _ in events] == ["replace", "citations", "done"]
    assert shown(events, before="Fr") == "From 15:00."
    assert reader.is_over


def test_numbers_beyond_the_stream_are_anothers_and_it_is_read_from_its_start() -> None:
    reader = StreamReader(a_stream(Token("From ")), last_seen=9)
    events = told(reader) + told(reader)
    assert shown(events, before="Something else") == "From "
    assert not reader.is_over


def test_a_stream_that_failed_says_why() -> None:
    stream = a_stream(Token("From "))
    stream.fail("no answer in time")
    assert told(StreamReader(stream, last_seen=1)) == [
        ("17-2", "error", {"error": "no answer in time", "status": 503})
    ]


def test_a_conversation_with_staff_ends_in_an_empty_answer() -> None:
    stream = ReplyStream(17)
    stream.end(None)
    events = told(StreamReader(stream))
    assert events[-1][1] == "done"
    assert events[-1][2]["handover"] is True


def test_nothing_new_in_time_is_nothing() -> None:
    reader = StreamReader(a_stream())
    assert reader.read(timeout_s=0) == []
    assert not reader.is_over


async def test_on_the_event_loop_too_nothing_new_in_time_is_nothing() -> None:
    reader = StreamReader(a_stream())
    assert await reader.next(timeout_s=0.001) == []
    assert not reader.is_over


def test_silence_is_a_comment() -> None:
    assert sse.frames([]) == b": keep-alive\n\n"


@given(st.text(), st.integers(0, 10**17), st.integers(0, 10**8))
def test_any_words_survive_the_wire(text: str, message_id: int, number: int) -> None:
    wire = sse.frames([ChatEvent(EventId(message_id, number), "token", {"text": text})])
    found = re.fullmatch(rb"id: (\S+)\nevent: token\ndata: ([^\r\n]*)\n\n", wire)
    assert found is not None
    assert EventId.parse(found[1].decode()) == EventId(message_id, number)
    assert json.loads(found[2]) == {"text": text.encode("utf-8", "replace").decode()}


@given(st.text() | st.integers() | st.none())
def test_what_is_no_event_id_is_refused_in_words(text: object) -> None:
    try:
        told = str(EventId.parse(text))
    except UnprocessableRequest as error:
        told = str(error)
    assert re.search(r"[0-9]-[0-9]", told)

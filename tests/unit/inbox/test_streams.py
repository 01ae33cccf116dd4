"""Whoever reads along is told everything, in order, once, and at the end exactly the reply."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.conversations import Reply, ReplySource
from server.domain.events import Replace, Token
from server.inbox import streams as streams_module
from server.inbox.streams import Done, Failed, Numbered, ReplyStream, StreamEvent, Streams, told_again
from tests.support.reading import shown
from tests.support.turns import a_turn


def a_reply(text: str) -> Reply:
    return Reply(text=text, source=ReplySource.MODEL, language="en")


def all_events(stream: ReplyStream) -> list[StreamEvent]:
    return [numbered.event for numbered in stream.read(0, 0)]


@given(st.lists(st.one_of(st.builds(Token, st.text()), st.builds(Replace, st.text()))), st.text())
def test_at_the_end_the_screen_holds_the_reply(said: list[Token | Replace], text: str) -> None:
    stream = ReplyStream(1)
    for event in said:
        stream.say(event)
    stream.end(a_reply(text))
    assert shown(all_events(stream)) == text


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_a_reader_who_comes_back_misses_nothing_and_hears_nothing_twice(
    words: list[str], data: st.DataObject
) -> None:
    stream = ReplyStream(1)
    for word in words:
        stream.say(Token(word))
    cut = data.draw(st.integers(0, len(words)))
    before = [numbered.event for numbered in stream.read(0, 0)][:cut]
    after = [numbered.event for numbered in stream.read(cut, 0)]
    assert [*before, *after] == [Token(word) for word in words]
    assert [numbered.number for numbered in stream.read(0, 0)] == list(range(1, len(words) + 1))


def test_words_that_were_shown_are_not_said_again_at_the_end() -> None:
    stream = ReplyStream(1)
    stream.say(Token("From "))
    stream.end(a_reply("From three."))
    assert all_events(stream)[:-1] == [Token("From "), Token("three.")]


def test_nothing_follows_an_end() -> None:
    stream = ReplyStream(1)
    stream.end(None)
    stream.say(Token("late"))
    stream.fail("late")
    assert all_events(stream) == [Done(None)]


def test_a_thread_waits_until_something_is_said() -> None:
    stream = ReplyStream(1)
    said: list[object] = []
    reader = threading.Thread(target=lambda: said.extend(stream.read(0, 10)))
    reader.start()
    stream.say(Token("Hello"))
    reader.join(10)
    assert said == [Numbered(1, Token("Hello"))]


def test_a_thread_that_wants_the_whole_waits_until_the_end() -> None:
    stream = ReplyStream(1)
    waiting = threading.Thread(target=lambda: stream.wait_for_end(10))
    waiting.start()
    stream.say(Token("Hello"))
    assert waiting.is_alive()
    stream.end(a_reply("Hello"))
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_thread_waits_no_longer_than_told() -> None:
    assert ReplyStream(1).read(0, 0.01) == []


async def test_a_coroutine_waits_until_something_is_said() -> None:
    stream = ReplyStream(1)
    reading = asyncio.create_task(stream.next(0))
    await asyncio.sleep(0)
    stream.say(Token("Hello"))
    assert await reading == [Numbered(1, Token("Hello"))]


async def test_a_stream_that_failed_ends_for_who_waits() -> None:
    stream = ReplyStream(1)
    reading = asyncio.create_task(stream.next(0))
    await asyncio.sleep(0)
    stream.fail("no answer in time")
    assert await reading == [Numbered(1, Failed("no answer in time"))]


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "GRACE_S", 0.0)


@pytest.mark.usefixtures("no_grace")
def test_a_turn_is_given_up_once_nobody_reads_any_of_its_messages() -> None:
    streams = Streams()
    turn = a_turn("first", "second")
    first, second = (streams.open(message.id) for message in turn.messages)
    hearing = streams.hearing(turn)
    first.leave()
    assert not hearing.has_left()
    second.leave()
    assert hearing.has_left()


@pytest.mark.usefixtures("no_grace")
def test_a_message_without_a_reader_wants_its_answer() -> None:
    streams = Streams()
    turn = a_turn("read along", "sent by somebody who waits elsewhere")
    streams.open(turn.messages[0].id).leave()
    assert not streams.hearing(turn).has_left()


@pytest.mark.usefixtures("no_grace")
def test_one_who_comes_back_keeps_the_turn_going() -> None:
    streams = Streams()
    turn = a_turn("hello")
    streams.open(turn.messages[0].id).leave()
    streams.open(turn.messages[0].id)
    assert not streams.hearing(turn).has_left()


def test_a_reader_who_comes_late_hears_the_rest_and_the_reply() -> None:
    streams = Streams()
    turn = a_turn("hello")
    hearing = streams.hearing(turn)
    hearing.hear(Token("missed "))
    stream = streams.open(turn.messages[0].id)
    hearing.hear(Token("heard"))
    hearing.end(a_reply("missed heard"))
    assert shown(all_events(stream)) == "missed heard"


def test_a_stream_told_again_holds_the_whole_reply() -> None:
    assert shown(all_events(told_again(7, a_reply("From three.")))) == "From three."
    assert all_events(told_again(7, None)) == [Done(None)]

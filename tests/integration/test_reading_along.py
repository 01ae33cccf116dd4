"""A client of the chat API reads along while its reply is made, leaves, and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from server.desk import Desk
from server.domain.conversations import Unanswered
from server.domain.events import Token
from server.domain.knowledge import Document
from server.domain.messages import Channel, GuestAddress, InboundMessage
from server.errors import NotFound
from server.inbox.streams import Done, ReplyStream, StreamEvent
from server.store.models import InboundRow, OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.language_model import FakeModel
from tests.integration.conftest import MakeDesk
from tests.support.builders import a_message
from tests.support.gates import Gate, GatedModel
from tests.support.reading import shown

BREAKFAST = "Hello dear guest, our breakfast is served from 7:30 to 10:30. [p1]"
PATIENCE_S = 60


def asks(text: str, conversation: str = "c1", **changes: object) -> InboundMessage:
    return a_message(
        text, channel=Channel.CHAT, address=GuestAddress(conversation, chat_key=conversation), **changes
    )


def to_its_end(stream: ReplyStream) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    deadline = time.monotonic() + PATIENCE_S
    while not (events and isinstance(events[-1], Done)):
        heard = stream.read(len(events), deadline - time.monotonic())
        assert heard, f"nothing more after {events}"
        events += [numbered.event for numbered in heard]
    return events


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def on_the_loop(desk: Desk, model: GatedModel) -> Gate:
    """The next request that reaches the model, on the desk's own loop."""
    return await asyncio.wrap_future(desk.submit(model.reached()))


async def opened(gate: Gate) -> None:
    gate.open()


@pytest.fixture
def start(make_desk: MakeDesk, tenants: Tenants) -> Callable[[object], Desk]:
    """A desk that runs, over one document."""

    def started(model: object) -> Desk:
        desk = make_desk(model)
        desk.ports.knowledge.put_documents(
            "1", [Document("breakfast", "Breakfast", "Breakfast is served from 7:30 to 10:30.", "en")]
        )
        desk.start()
        return desk

    return started


def test_the_words_come_as_they_pass_and_then_the_committed_reply(start: Callable[[object], Desk]) -> None:
    events = to_its_end(start(FakeModel(BREAKFAST)).answers.stream(asks("When is breakfast?")))
    assert sum(isinstance(event, Token) for event in events) > 2
    end = events[-1]
    assert isinstance(end, Done)
    assert end.reply is not None
    assert shown(events) == end.reply.text
    assert end.reply.text.endswith("7:30 to 10:30.")


def test_a_stream_that_ended_is_told_again_from_any_place(start: Callable[[object], Desk]) -> None:
    desk = start(FakeModel(BREAKFAST))
    stream = desk.answers.stream(asks("When is breakfast?"))
    events = to_its_end(stream)
    again = desk.answers.resume("1", "c1", stream.message_id)
    assert [numbered.event for numbered in again.read(2, 0)] == events[2:]


def test_another_process_tells_a_stream_of_before_from_the_log(
    start: Callable[[object], Desk], make_desk: MakeDesk
) -> None:
    stream = start(FakeModel(BREAKFAST)).answers.stream(asks("When is breakfast?"))
    reply = shown(to_its_end(stream))
    other = make_desk()
    assert shown(to_its_end(other.answers.resume("1", "c1", stream.message_id))) == reply


@pytest.mark.parametrize(("tenant", "conversation"), [("1", "c2"), ("2", "c1")])
def test_a_stream_is_told_to_nobody_else(
    start: Callable[[object], Desk], tenant: str, conversation: str
) -> None:
    desk = start(FakeModel(BREAKFAST))
    stream = desk.answers.stream(asks("When is breakfast?"))
    to_its_end(stream)
    with pytest.raises(NotFound):
        desk.answers.resume(tenant, conversation, stream.message_id)


def test_the_same_message_again_is_answered_once(start: Callable[[object], Desk], database: Database) -> None:
    desk = start(FakeModel(BREAKFAST))
    first, again = (desk.answers.stream(asks("When is breakfast?", provider_id="same")) for _ in range(2))
    assert shown(to_its_end(first)) == shown(to_its_end(again))
    with database.read() as session:
        assert len(session.scalars(select(OutboxRow.id)).all()) == 1


async def test_a_client_that_leaves_ends_the_models_answer(
    start: Callable[[object], Desk], database: Database
) -> None:
    model = GatedModel()
    desk = start(model)
    stream = desk.answers.stream(asks("When is breakfast?"))
    gate = await on_the_loop(desk, model)
    stream.leave()
    eventually(lambda: gate.was_dropped)
    assert to_its_end(stream)[-1] == Done(None)
    with database.read() as session:
        row = session.scalars(select(InboundRow)).one()
        assert (row.unanswered_because, row.covered_by) == (Unanswered.CLIENT_LEFT, None)


async def test_a_client_that_comes_back_in_time_gets_its_answer(start: Callable[[object], Desk]) -> None:
    model = GatedModel("With pleasure.")
    desk = start(model)
    stream = desk.answers.stream(asks("When is breakfast?"))
    gate = await on_the_loop(desk, model)
    stream.leave()
    again = desk.answers.resume("1", "c1", stream.message_id)
    desk.submit(opened(gate)).result(PATIENCE_S)
    assert shown(to_its_end(again)) == "With pleasure."


async def test_who_reads_along_hears_that_the_guest_wrote_more(start: Callable[[object], Desk]) -> None:
    model = GatedModel("With pleasure.")
    desk = start(model)
    first = desk.answers.stream(asks("When is breakfast?"))
    await on_the_loop(desk, model)
    second = desk.answers.stream(asks("And is there parking?"))
    gate = await on_the_loop(desk, model)
    assert "parking" in gate.question
    desk.submit(opened(gate)).result(PATIENCE_S)
    assert shown(to_its_end(first)) == shown(to_its_end(second)) == "With pleasure."

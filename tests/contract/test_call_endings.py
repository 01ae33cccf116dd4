"""What a call left unsaid goes to the caller's WhatsApp once, and never past staff."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select, update

from server.domain.calls import CALL_CONTINUED, Call, CallTurn
from server.domain.conversations import Mode, Reply
from server.domain.messages import Channel, DeliveryState, GuestAddress
from server.domain.tenants import TenantSettings
from server.store.calls import Calls
from server.store.inbox import Inbox
from server.store.models import CallRow, ConversationRow, OutboxRow, TurnRow
from server.store.outbox import Outbox
from server.store.session import Database
from server.store.tenants import Tenants
from server.voice.continuing import Continuing
from tests.fakes.clock import FakeClock
from tests.support.builders import GUEST, a_message
from tests.support.phone_lines import a_reply

DESK, CALLER = "+97231234567", "+972501111111"
LATER_S = 20.0
ANSWER = "Breakfast is at seven. It is free."


@pytest.fixture
def calls(database: Database, clock: FakeClock) -> Calls:
    """Of a business whose guest has written from the number that they call from."""
    Tenants(database, clock).add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
    address = GuestAddress(reply_to="7@lid", lid="7@lid", phone=GUEST)
    Inbox(database, clock).save_alone(a_message("Do you have a crib?", address=address))
    return Calls(database, clock, "http://desk.example")


def broke_off(calls: Calls, clock: FakeClock, call_id: str = "CA1", caller: str = CALLER) -> Call:
    """A call that ended in the middle of an answer."""
    call = calls.ring(call_id, DESK, caller, 8)
    calls.record(call, a_turn(clock, 1, "", "Hello.", "Hello."))
    calls.record(call, a_turn(clock, 2, "When is breakfast?", ANSWER, "Breakfast is"))
    calls.end(call_id, "completed", 9)
    return call


def a_turn(clock: FakeClock, number: int, words: str, text: str, told: str) -> CallTurn:
    started_at = clock.now()
    clock.advance(1)
    return CallTurn(
        number=number,
        words=words,
        reply=a_reply(text),
        told=told,
        started_at=started_at,
        ended_at=clock.now(),
    )


def look(calls: Calls) -> list[str]:
    """Look at the ends of calls; returns the lanes that were woken."""
    woken: list[str] = []
    Continuing(calls, woken.append).look(10)
    return woken


def written(database: Database) -> list[OutboxRow]:
    with database.read() as session:
        return list(session.scalars(select(OutboxRow).where(OutboxRow.channel == Channel.WHATSAPP)))


def test_a_call_that_broke_off_goes_on_in_writing_once_all_of_it_is_kept(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = broke_off(calls, clock)
    assert look(calls) == []
    clock.advance(LATER_S)
    assert look(calls) == [f"conversation:{call.conversation_id}"]
    (message,) = written(database)
    assert message.text.endswith(ANSWER)
    assert (message.to_address, message.state) == ("7@lid", DeliveryState.COMMITTED)
    with database.read() as session:
        turn = session.get_one(TurnRow, message.turn_id)
        assert (turn.reason, turn.call_id, turn.handover) == (CALL_CONTINUED, None, False)
    assert Outbox(database, clock).due_lanes(10) == [message.lane]
    # The network tells of the end again, and again.
    calls.end("CA1", "completed", 9)
    clock.advance(LATER_S)
    assert look(calls) == []
    assert len(written(database)) == 1


def test_processes_that_look_at_the_same_moment_write_once(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    broke_off(calls, clock)
    clock.advance(LATER_S)
    together, reply = Barrier(2), a_reply(ANSWER)

    def close() -> str | None:
        together.wait()
        return calls.close_ending("CA1", reply)

    with ThreadPoolExecutor(2) as threads:
        lanes = [one.result() for one in [threads.submit(close), threads.submit(close)]]
    assert lanes.count(None) == 1
    assert len(written(database)) == 1


def test_an_answer_that_was_kept_after_the_end_counts(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = calls.ring("CA1", DESK, CALLER, 8)
    pending = a_turn(clock, 1, "When is breakfast?", "", "")
    calls.record(call, pending)
    calls.end("CA1", "completed", 9)
    calls.record(call, replace(pending, reply=a_reply(ANSWER)))
    clock.advance(LATER_S)
    look(calls)
    assert written(database)[0].text.endswith(ANSWER)


def test_nobody_is_written_past_staff_or_after_another_call_or_where_they_never_wrote(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    reply: Reply = a_reply(ANSWER)
    called_again = broke_off(calls, clock)
    broke_off(calls, clock, "CA2")
    assert calls.close_ending("CA1", reply) is None
    broke_off(calls, clock, "CA3", caller="")
    assert calls.close_ending("CA3", reply) is None
    broke_off(calls, clock, "CA4", caller="+972502222222")
    assert calls.close_ending("CA4", reply) is None
    with database.write() as session:
        session.execute(
            update(ConversationRow)
            .where(ConversationRow.id == called_again.conversation_id)
            .values(mode=Mode.HUMAN)
        )
    assert calls.close_ending("CA2", reply) is None
    assert written(database) == []
    with database.read() as session:
        assert session.scalars(select(CallRow).where(CallRow.continue_at.is_not(None))).all() == []

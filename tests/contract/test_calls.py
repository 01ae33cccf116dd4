"""A call is one guest's with their WhatsApp, opens one socket once, and stands in the thread as heard."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from server.domain.calls import Call, CallTurn, NextStep, call_turn_id
from server.domain.conversations import HistoryLine, Reply, ReplySource, Speaker
from server.domain.knowledge import Citation
from server.domain.messages import Channel, DeliveryState, GuestAddress, OutboundKind
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.store.calls import TOKEN_LASTS, Calls
from server.store.inbox import Inbox
from server.store.models import CallRow, ConversationRow, GuestRow, InboundRow, OutboxRow, TurnRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import GUEST, a_message

DESK, OTHER_DESK = "+97231234567", "+97231234568"
CALLER = "+972501111111"
LINES = 8


@pytest.fixture
def calls(database: Database, clock: FakeClock) -> Calls:
    """Two businesses with a phone number each; the first tells its staff."""
    tenants = Tenants(database, clock)
    tenants.add(
        "1",
        TenantSettings(name="Harbour House", phone_numbers=(DESK,), staff_emails=("staff@house.example",)),
    )
    tenants.add("2", TenantSettings(name="Hill Inn", phone_numbers=(OTHER_DESK,)))
    return Calls(database, clock, "http://desk.example")


def ring(calls: Calls, call_id: str = "CA1", *, to: str = DESK, caller: str = CALLER) -> Call:
    return calls.ring(call_id, to, caller, LINES)


def again(calls: Calls, call: Call) -> Call:
    found = calls.find(call.id, LINES)
    assert found is not None
    return found


def said(
    clock: FakeClock, told: str, number: int = 1, words: str = "When is breakfast?", **reply: Any
) -> CallTurn:
    """A turn that took two seconds from now."""
    started_at = clock.now()
    clock.advance(2)
    values: dict[str, Any] = {
        "text": "Breakfast is at seven. It is free.",
        "source": ReplySource.MODEL,
        "language": "en",
    }
    return CallTurn(
        number=number,
        words=words,
        reply=Reply(**(values | reply)),
        told=told,
        started_at=started_at,
        ended_at=clock.now(),
    )


def test_a_call_that_rings_again_is_the_same_call(calls: Calls, database: Database) -> None:
    first = ring(calls)
    assert ring(calls) == first == calls.find("CA1", LINES)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(CallRow)) == 1
        assert session.scalar(select(func.count()).select_from(ConversationRow)) == 1


def test_the_number_called_tells_the_business(calls: Calls) -> None:
    assert ring(calls).tenant.id == "1"
    assert ring(calls, "CA2", to=OTHER_DESK).tenant.id == "2"


def test_a_number_of_nobodys_leaves_nothing(calls: Calls, database: Database) -> None:
    with pytest.raises(NotFound, match="phone_numbers"):
        ring(calls, to="+15550000000")
    assert calls.find("CA1", LINES) is None
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConversationRow)) == 0


def test_a_caller_who_wrote_before_is_the_same_guest(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    written = Inbox(database, clock).save_alone(a_message("Do you have a crib?"))
    call = ring(calls)
    assert call.conversation_id == written.conversation_id


def test_a_guest_who_writes_after_a_call_is_the_same_guest(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    written = Inbox(database, clock).save_alone(a_message("It is me again"))
    assert written.conversation_id == call.conversation_id


def test_a_guest_known_by_a_lid_and_the_number_is_the_caller(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    address = GuestAddress(reply_to="7@lid", lid="7@lid", phone=GUEST, name="Dana")
    written = Inbox(database, clock).save_alone(a_message(address=address))
    call = ring(calls)
    assert (call.conversation_id, call.guest_name) == (written.conversation_id, "Dana")


def test_the_same_number_is_a_guest_of_each_business(calls: Calls) -> None:
    assert ring(calls).conversation_id != ring(calls, "CA2", to=OTHER_DESK).conversation_id


def test_who_withholds_the_number_is_a_guest_of_that_call_alone(calls: Calls) -> None:
    first, second = ring(calls, caller=""), ring(calls, "CA2", caller="")
    assert first.caller == ""
    assert first.conversation_id != second.conversation_id
    assert ring(calls, caller="").conversation_id == first.conversation_id


def test_a_token_opens_its_call_once(calls: Calls) -> None:
    ring(calls)
    token = calls.issue_token("CA1")
    assert calls.redeem_token("CA1", token)
    assert not calls.redeem_token("CA1", token)


def test_a_token_opens_no_other_call(calls: Calls) -> None:
    ring(calls), ring(calls, "CA2")
    token = calls.issue_token("CA1")
    assert not calls.redeem_token("CA2", token)
    assert not calls.redeem_token("CA3", token)
    assert calls.redeem_token("CA1", token)


def test_a_token_is_of_no_use_once_it_is_old(calls: Calls, clock: FakeClock) -> None:
    ring(calls)
    token = calls.issue_token("CA1")
    clock.advance((TOKEN_LASTS + timedelta(seconds=1)).total_seconds())
    assert not calls.redeem_token("CA1", token)


def test_a_new_token_replaces_the_one_before(calls: Calls) -> None:
    ring(calls)
    first, second = calls.issue_token("CA1"), calls.issue_token("CA1")
    assert not calls.redeem_token("CA1", first)
    assert calls.redeem_token("CA1", second)


def test_a_token_does_not_open_a_call_that_is_over(calls: Calls) -> None:
    ring(calls)
    token = calls.issue_token("CA1")
    calls.end("CA1", "completed", 3)
    assert not calls.redeem_token("CA1", token)


def test_a_token_stands_nowhere_in_the_database(calls: Calls, database: Database) -> None:
    ring(calls)
    token = calls.issue_token("CA1")
    with database.read() as session:
        assert session.get_one(CallRow, "CA1").token_hash not in (None, "", token)


def test_what_comes_next_is_kept(calls: Calls) -> None:
    call = ring(calls)
    assert (call.next_step, call.to_say) == (NextStep.ASK, "")
    calls.go_on_with("CA1", NextStep.TRANSFER, "One moment.")
    assert (again(calls, call).next_step, again(calls, call).to_say) == (NextStep.TRANSFER, "One moment.")


def test_what_was_said_is_the_threads_history_as_it_was_heard(calls: Calls, clock: FakeClock) -> None:
    call = ring(calls)
    assert calls.record(call, said(clock, "Breakfast is at")) == []
    clock.advance(1)
    calls.record(call, said(clock, "", number=2, words="And parking?"))
    assert again(calls, call).history == [
        HistoryLine(Speaker.GUEST, "When is breakfast?"),
        HistoryLine(Speaker.HOST, "Breakfast is at"),
        HistoryLine(Speaker.GUEST, "And parking?"),
    ]
    assert again(calls, call).language == "en"


def test_an_answer_stands_before_the_words_that_cut_it_short_even_if_it_is_kept_after_them(
    calls: Calls, clock: FakeClock
) -> None:
    call = ring(calls)
    cut = said(clock, "Breakfast is at")
    clock.advance(0.001)
    following = said(clock, "Yes.", number=2, words="Is it free?")
    clock.advance(1)
    calls.record(call, following)
    calls.record(call, cut)
    assert [line.text for line in again(calls, call).history] == [
        "When is breakfast?",
        "Breakfast is at",
        "Is it free?",
        "Yes.",
    ]


def test_the_log_tells_what_was_meant_where_less_was_heard(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    whole = "Breakfast is at seven. It is free."
    citation = Citation("doc", "Breakfast", 0.9)
    calls.record(call, said(clock, "Breakfast is at", citations=[citation], steps_ms={"first_audio": 410.0}))
    calls.record(call, said(clock, whole, number=2))
    with database.read() as session:
        cut, heard = (session.get_one(TurnRow, call_turn_id("CA1", number)) for number in (1, 2))
        assert (cut.intended, heard.intended) == (whole, None)
        assert cut.call_id == "CA1"
        assert cut.steps_ms == {"first_audio": 410.0}
        assert cut.citations[0]["document"] == "doc"


def test_an_answer_that_nobody_heard_is_cancelled(calls: Calls, database: Database, clock: FakeClock) -> None:
    call = ring(calls)
    calls.record(call, said(clock, ""))
    with database.read() as session:
        row = session.scalars(select(OutboxRow)).one()
        assert (row.state, row.delivered_at) == (DeliveryState.CANCELLED, None)


def test_the_desks_own_lines_have_no_guests_words(calls: Calls, database: Database, clock: FakeClock) -> None:
    calls.record(ring(calls), said(clock, "Hello.", words="", text="Hello."))
    with database.read() as session:
        assert session.scalars(select(InboundRow)).all() == []
        assert session.scalars(select(OutboxRow)).one().channel == Channel.VOICE


def test_words_on_the_phone_wait_for_no_turn(calls: Calls, database: Database, clock: FakeClock) -> None:
    calls.record(ring(calls), said(clock, ""))
    with database.read() as session:
        row = session.scalars(select(InboundRow)).one()
        assert row.handled_at is not None
        assert row.covered_by is not None


def test_two_webhooks_at_once_are_one_call_of_one_guest(calls: Calls, database: Database) -> None:
    for number in range(5):
        caller = f"+97250222000{number}"
        together = Barrier(2)

        def ring_at_once(call_id: str, caller: str, together: Barrier) -> Call:
            together.wait()
            return ring(calls, call_id, caller=caller)

        with ThreadPoolExecutor(2) as threads:
            rung = [threads.submit(ring_at_once, f"CA{number}", caller, together) for _ in range(2)]
        first, second = (one.result() for one in rung)
        assert first == second
    with database.read() as session:
        for table in (CallRow, ConversationRow, GuestRow):
            assert session.scalar(select(func.count()).select_from(table)) == 5


def test_a_turn_that_is_told_twice_at_once_is_one_line(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    for number in range(5):
        turn, together = said(clock, "At seven.", number, text="At seven.", handover=True), Barrier(2)

        def record_at_once(turn: CallTurn, together: Barrier) -> int:
            together.wait()
            return len(calls.record(call, turn))

        with ThreadPoolExecutor(2) as threads:
            kept = [threads.submit(record_at_once, turn, together) for _ in range(2)]
        assert sorted(one.result() for one in kept) == [0, 1]
    with database.read() as session:
        for table in (TurnRow, InboundRow):
            assert session.scalar(select(func.count()).select_from(table)) == 5


def test_what_comes_of_a_turn_later_is_kept_with_it(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    cut = said(clock, "Breakfast is at", text="Breakfast is at")
    assert calls.record(call, cut) == []
    reply = replace(
        said(clock, "", citations=[Citation("doc", "Breakfast", 0.9)], handover=True).reply,
        model="m-1",
        steps_ms={"first_audio": 410.0},
    )
    (lane,) = calls.record(call, replace(cut, reply=reply))
    assert lane
    assert calls.record(call, replace(cut, reply=reply)) == []
    kept = calls.find_turn("CA1", 1)
    assert kept is not None
    assert (kept.words, kept.told, kept.reply) == ("When is breakfast?", "Breakfast is at", reply)
    with database.read() as session:
        assert session.get_one(ConversationRow, call.conversation_id).needs_human


def test_danger_stays_danger_to_whoever_goes_on_with_the_turn(calls: Calls, clock: FakeClock) -> None:
    call = ring(calls)
    calls.record(
        call, said(clock, "", text="Call 101.", handover=True, reason="emergency_medical", urgent=True)
    )
    kept = calls.find_turn("CA1", 1)
    assert kept is not None
    assert kept.reply.urgent


def test_what_was_heard_is_not_taken_back_by_whoever_knows_less(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    heard = said(clock, "At seven.", text="At seven.", citations=[])
    calls.record(call, heard)
    calls.record(call, replace(heard, told="", reply=replace(heard.reply, text="At eight.")))
    calls.record(call, replace(heard, told="", reply=replace(heard.reply, text="")))
    assert calls.find_turn("CA1", 1) == heard
    with database.read() as session:
        assert session.scalars(select(OutboxRow)).one().state == DeliveryState.DELIVERED


def test_a_call_whose_thread_was_joined_with_another_is_kept_in_the_one_that_stays(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call, other = ring(calls), ring(calls, "CA2", caller="")
    with database.write() as session:
        session.get_one(CallRow, "CA1").conversation_id = other.conversation_id
    calls.record(call, said(clock, "At seven."))
    assert len(again(calls, other).history) == 2


def test_a_turn_that_nobody_kept_is_not_found(calls: Calls) -> None:
    ring(calls)
    assert calls.find_turn("CA1", 1) is None


def test_the_same_turn_again_changes_what_was_told_and_no_words_of_the_callers(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    assert calls.record(call, said(clock, "Breakfast", handover=True))
    assert (
        calls.record(call, said(clock, "Breakfast is at seven. It is free.", words="Other?", handover=True))
        == []
    )
    assert [line.text for line in again(calls, call).history] == [
        "When is breakfast?",
        "Breakfast is at seven. It is free.",
    ]
    with database.read() as session:
        assert session.scalars(select(TurnRow)).one().intended is None
        assert len(session.scalars(select(OutboxRow).where(OutboxRow.kind == OutboundKind.NOTICE)).all()) == 1


def test_staff_hear_of_a_caller_who_needs_a_person(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = ring(calls)
    (lane,) = calls.record(call, said(clock, "A person will call.", handover=True, reason="asked_for_person"))
    with database.read() as session:
        notice = session.scalars(select(OutboxRow).where(OutboxRow.lane == lane)).one()
        assert "When is breakfast?" in notice.text
        assert session.get_one(ConversationRow, call.conversation_id).needs_human


def test_a_call_ends_once_and_its_length_may_come_later(
    calls: Calls, database: Database, clock: FakeClock
) -> None:
    ring(calls)
    calls.end("CA1", "completed", None)
    ended_at = clock.now()
    clock.advance(5)
    calls.end("CA1", "failed", 7)
    with database.read() as session:
        row = session.get_one(CallRow, "CA1")
        assert (row.ended_because, row.ended_at, row.seconds) == ("completed", ended_at, 7)

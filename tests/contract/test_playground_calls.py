"""A test that is spoken stands in the same thread as one that is written, and is nobody else's business."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from server.domain.calls import Call, CallTurn, EndedCall
from server.domain.conversations import Reply, ReplySource
from server.domain.playground import CALL_PREFIX, playground_key
from server.domain.reports import BusinessDay, CallFigures
from server.domain.tenants import TenantSettings
from server.store.calls import Calls
from server.store.models import CallRow, ConversationRow, OutboxRow, QuestionRow
from server.store.playground import Playground
from server.store.reports import Reports
from server.store.sending import CallFacts, SendingQueries
from server.store.session import Database
from server.store.tenants import Tenants
from server.voice.continuing import left_unsaid
from tests.fakes.clock import FakeClock

KEY = playground_key(7, "a test")
REPLY = Reply(
    text="I have asked the team.",
    source=ReplySource.SHORTCUT,
    language="en",
    handover=True,
    reason="not_known",
)


@pytest.fixture
def calls(database: Database, clock: FakeClock) -> Calls:
    """Of a business without a telephone, that tells its staff."""
    settings = TenantSettings(name="Harbour House", staff_emails=("staff@house.example",))
    Tenants(database, clock).add("1", settings)
    return Calls(database, clock, "http://desk.example")


@pytest.fixture
def playground(database: Database, clock: FakeClock) -> Playground:
    return Playground(database, clock)


def begin(playground: Playground, calls: Calls) -> Call:
    call = calls.find(playground.call("1", KEY, "Noa").id, 8)
    assert call is not None
    return call


def a_turn(clock: FakeClock) -> CallTurn:
    now = clock.now()
    words = "Is there a helipad on the roof?"
    return CallTurn(number=1, words=words, reply=REPLY, told=REPLY.text, started_at=now, ended_at=now)


def row(database: Database, call: Call) -> CallRow:
    with database.read() as session:
        return session.get_one(CallRow, call.id)


def test_it_is_a_call_within_the_test_and_never_one_of_twilio_s(playground: Playground, calls: Calls) -> None:
    call = begin(playground, calls)
    assert call.is_test
    assert call.id.startswith(CALL_PREFIX)
    assert (call.tenant.id, call.guest_name, call.called) == ("1", "Noa", "")
    assert call.conversation_id == playground.find("1", KEY)


def test_its_token_opens_it_once(playground: Playground, calls: Calls) -> None:
    begun = playground.call("1", KEY, "Noa")
    assert calls.redeem_token(begun.id, begun.token)
    assert not calls.redeem_token(begun.id, begun.token)


def test_a_new_one_ends_that_which_waits(playground: Playground, calls: Calls, database: Database) -> None:
    waits = playground.call("1", KEY, "Noa")
    begun = playground.call("1", KEY, "Noa")
    assert begun.conversation_id == waits.conversation_id
    assert not calls.redeem_token(waits.id, waits.token)
    with database.read() as session:
        ended = session.get_one(CallRow, waits.id)
        # Nobody looks whether anything was left unsaid.
        assert (ended.ended_because, ended.continue_at) == ("completed", None)
    assert calls.redeem_token(begun.id, begun.token)


def test_nobody_is_told_of_what_needs_a_person(
    playground: Playground, calls: Calls, database: Database, clock: FakeClock
) -> None:
    assert calls.record(begin(playground, calls), a_turn(clock)) == []
    with database.read() as session:
        assert session.scalars(select(OutboxRow.kind)).all() == ["reply"]
        assert not session.scalars(select(ConversationRow.needs_human)).one()
        assert session.scalar(select(func.count()).select_from(QuestionRow)) == 0


def test_of_a_guest_s_call_staff_are_told(calls: Calls, database: Database, clock: FakeClock) -> None:
    tenants = Tenants(database, clock)
    tenants.add("3", TenantSettings(name="Pier", phone_numbers=("+9721",), staff_emails=("p@pier.example",)))
    assert calls.record(calls.ring("CA1", "+9721", "+972501111111", 8), a_turn(clock))


def test_it_never_goes_on_in_writing(playground: Playground, calls: Calls, clock: FakeClock) -> None:
    call = begin(playground, calls)
    cut = EndedCall(call, "When is breakfast?", REPLY, "I have")
    assert call.tenant.settings.continue_on_whatsapp
    assert left_unsaid(cut) is None


def test_it_counts_among_no_calls(
    playground: Playground, calls: Calls, database: Database, clock: FakeClock
) -> None:
    call = begin(playground, calls)
    calls.end(call.id, "failed", 30)
    reports, day = Reports(database, clock), BusinessDay(clock.now().date(), ZoneInfo("UTC"))
    assert row(database, call).seconds == 30
    assert reports.figures("1", day).calls == CallFigures(0, 0, 0)
    assert reports.report("1", day).missed_calls == []
    since: datetime = clock.now() - timedelta(days=1)
    assert SendingQueries(database).calls("1", since) == CallFacts(0, 0, None)

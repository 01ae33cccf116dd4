"""A guest is one guest, whichever of WhatsApp's two names comes first, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from server.domain.conversations import Lease, Reply, ReplySource
from server.domain.messages import GuestAddress
from server.domain.tenants import TenantSettings
from server.errors import LeaseLost
from server.ports.store import Merge
from server.store.calls import Calls
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import ConversationRow, GuestRow, InboundRow, OutboxRow, TurnRow
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message

LID, OTHER_LID = "111@lid", "222@lid"
PHONE = "972501111111@s.whatsapp.net"

BY_LID = GuestAddress(LID, lid=LID)
BY_PHONE = GuestAddress(PHONE, phone=PHONE)
BY_BOTH = GuestAddress(LID, lid=LID, phone=PHONE)


@pytest.fixture
def inbox(database: Database, clock: FakeClock, tenants: Tenants) -> Inbox:
    return Inbox(database, clock)


@pytest.fixture
def identities(database: Database, clock: FakeClock) -> Identities:
    return Identities(database, clock)


def receive(inbox: Inbox, address: GuestAddress, text: str = "Hello", **changes: object) -> int:
    """The conversation that a message was put into."""
    return inbox.save("1", [a_message(text, address=address, **changes)])[0].conversation_id


def claim_all(leases: Leases, *names: str) -> Sequence[Lease]:
    claimed = [leases.claim(name) for name in names]
    assert None not in claimed
    return [lease for lease in claimed if lease is not None]


def answer(inbox: Inbox, replies: Replies, leases: Leases, conversation_id: int) -> None:
    (lease,) = claim_all(leases, f"conversation:{conversation_id}")
    turn = inbox.next_turn(conversation_id, 0)
    assert turn is not None
    reply = Reply(text="Hi.", source=ReplySource.KNOWLEDGE, language="en")
    replies.commit_reply(lease, turn, reply, turn.messages[0].received_at)
    leases.release(lease)


def merge_all(identities: Identities, leases: Leases) -> None:
    for guest_id in identities.due_merges(10):
        merge = identities.find_merge(guest_id)
        assert merge is not None
        identities.merge(claim_all(leases, f"merge:{guest_id}"), merge)


def count(database: Database, table: type[GuestRow | ConversationRow | OutboxRow]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("first", "then"), [(BY_PHONE, BY_BOTH), (BY_LID, BY_BOTH), (BY_BOTH, BY_LID), (BY_BOTH, BY_PHONE)]
)
def test_either_name_first_leads_to_the_same_conversation(
    inbox: Inbox, first: GuestAddress, then: GuestAddress
) -> None:
    assert receive(inbox, first) == receive(inbox, then)


def test_names_that_were_seen_apart_are_merged_once_they_are_seen_together(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database
) -> None:
    by_phone, by_lid = receive(inbox, BY_PHONE), receive(inbox, BY_LID)
    assert by_phone != by_lid
    assert receive(inbox, BY_BOTH) == by_lid
    merge_all(identities, leases)
    assert count(database, ConversationRow) == count(database, GuestRow) == 1
    assert receive(inbox, BY_PHONE) == by_lid


def test_a_mapping_alone_is_enough_to_merge(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database
) -> None:
    receive(inbox, BY_PHONE)
    by_lid = receive(inbox, BY_LID)
    identities.link("1", LID, PHONE)
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    assert count(database, GuestRow) == 1
    assert receive(inbox, BY_PHONE) == by_lid


def test_a_mapping_teaches_a_guest_the_other_name(inbox: Inbox, identities: Identities) -> None:
    by_phone = receive(inbox, BY_PHONE)
    identities.link("1", LID, PHONE)
    assert receive(inbox, BY_LID) == by_phone


def test_a_mapping_of_nobody_we_know_makes_no_guest(
    identities: Identities, tenants: Tenants, database: Database
) -> None:
    identities.link("1", LID, PHONE)
    assert count(database, GuestRow) == 0


def test_a_mapping_of_one_business_is_nothing_to_another(inbox: Inbox, identities: Identities) -> None:
    by_phone = receive(inbox, BY_PHONE)
    identities.link("2", LID, PHONE)
    assert receive(inbox, BY_LID) != by_phone


def test_a_number_that_turns_up_with_a_new_lid_is_a_new_guest(
    inbox: Inbox, identities: Identities, database: Database
) -> None:
    before = receive(inbox, BY_BOTH)
    after = receive(inbox, GuestAddress(OTHER_LID, lid=OTHER_LID, phone=PHONE))
    assert after != before
    assert identities.due_merges(10) == []
    # The number is theirs from now on; the LID still leads to who had it before.
    assert receive(inbox, BY_PHONE) == after
    assert receive(inbox, BY_LID) == before


def test_a_number_that_moves_to_an_older_guest_leads_to_them(inbox: Inbox) -> None:
    older = receive(inbox, GuestAddress(OTHER_LID, lid=OTHER_LID))
    newer = receive(inbox, BY_BOTH)
    assert newer != older
    assert receive(inbox, GuestAddress(OTHER_LID, lid=OTHER_LID, phone=PHONE)) == older
    assert receive(inbox, BY_PHONE) == older


def test_what_waits_in_either_conversation_makes_one_turn_after_the_merge(
    inbox: Inbox, identities: Identities, leases: Leases
) -> None:
    receive(inbox, BY_PHONE, "Is there parking?")
    staying = receive(inbox, BY_LID, "And a pool?")
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    turn = inbox.next_turn(staying, 4)
    assert turn is not None
    assert [message.text for message in turn.messages] == ["Is there parking?", "And a pool?"]


def test_a_message_that_came_under_both_names_is_answered_once(
    inbox: Inbox, identities: Identities, leases: Leases
) -> None:
    receive(inbox, BY_PHONE, "Is there parking?", provider_id="SAME")
    staying = receive(inbox, BY_LID, "Is there parking?", provider_id="SAME")
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    turn = inbox.next_turn(staying, 4)
    assert turn is not None
    assert len(turn.messages) == 1


@pytest.mark.parametrize("answered", [BY_PHONE, BY_LID])
def test_a_message_that_was_answered_under_one_name_is_not_answered_under_the_other(
    inbox: Inbox,
    identities: Identities,
    leases: Leases,
    database: Database,
    clock: FakeClock,
    answered: GuestAddress,
) -> None:
    conversations = {address: receive(inbox, address, provider_id="SAME") for address in (BY_PHONE, BY_LID)}
    answer(inbox, Replies(database, clock, ""), leases, conversations[answered])
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    assert inbox.next_turn(conversations[BY_LID], 4) is None
    with database.read() as session:
        row = session.scalars(select(InboundRow)).one()
    assert row.covered_by is not None


def test_replies_and_their_turns_move_along(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database, clock: FakeClock
) -> None:
    leaving, staying = receive(inbox, BY_PHONE), receive(inbox, BY_LID)
    answer(inbox, Replies(database, clock, ""), leases, leaving)
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    with database.read() as session:
        sent, turn = session.scalars(select(OutboxRow)).one(), session.scalars(select(TurnRow)).one()
    assert (sent.conversation_id, sent.lane) == (staying, f"conversation:{staying}")
    assert turn.conversation_id == staying


def test_calls_move_along(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database, clock: FakeClock
) -> None:
    settings = TenantSettings(name="Harbour House", phone_numbers=("+97231234567",))
    Tenants(database, clock).update("1", settings)
    calls = Calls(database, clock, "")
    rung = calls.ring("CA1", "+97231234567", f"+{PHONE.partition('@')[0]}", history_lines=8)
    staying = receive(inbox, BY_LID)
    assert rung.conversation_id != staying
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    found = calls.find("CA1", history_lines=8)
    assert found is not None
    assert found.conversation_id == staying
    assert count(database, GuestRow) == 1


def test_staff_who_have_one_of_the_conversations_have_the_merged_one(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database
) -> None:
    leaving, staying = receive(inbox, BY_PHONE), receive(inbox, BY_LID)
    with database.write() as session:
        session.execute(
            update(ConversationRow)
            .where(ConversationRow.id == leaving)
            .values(mode="human", mode_by="api", needs_human_since=datetime(2026, 7, 1, tzinfo=UTC))
        )
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    turn = inbox.next_turn(staying, 4)
    assert turn is not None
    assert turn.mode == "human"


@pytest.mark.parametrize("is_over", [False, True])
def test_danger_that_is_not_over_is_that_of_the_merged_one_too(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database, is_over: bool
) -> None:
    leaving, staying = receive(inbox, BY_PHONE), receive(inbox, BY_LID)
    then = datetime(2026, 7, 1, tzinfo=UTC)
    in_danger = {"needs_human_since": None if is_over else then, "danger_at": then}
    waiting = {"needs_human_since": then - timedelta(hours=1)}
    with database.write() as session:
        for conversation_id, values in ((leaving, in_danger), (staying, waiting)):
            session.execute(
                update(ConversationRow).where(ConversationRow.id == conversation_id).values(**values)
            )
    identities.link("1", LID, PHONE)
    merge_all(identities, leases)
    with database.read() as session:
        assert session.get_one(ConversationRow, staying).is_urgent is not is_over


def test_a_merge_without_the_leases_changes_nothing(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database
) -> None:
    receive(inbox, BY_PHONE)
    receive(inbox, BY_LID)
    identities.link("1", LID, PHONE)
    merge = identities.find_merge(identities.due_merges(10)[0])
    assert merge is not None
    lost = claim_all(leases, "conversation:1")
    leases.release(lost[0])
    with pytest.raises(LeaseLost):
        identities.merge(lost, merge)
    assert count(database, ConversationRow) == 2


def test_a_merge_that_somebody_else_has_done_is_harmless(
    inbox: Inbox, identities: Identities, leases: Leases, database: Database
) -> None:
    conversation = receive(inbox, BY_LID)
    identities.merge(claim_all(leases, "merge"), Merge(guest_id=99, leaving=98, staying=conversation))
    assert count(database, ConversationRow) == 1


def test_typing_is_noted_under_either_name(inbox: Inbox, identities: Identities, clock: FakeClock) -> None:
    conversation = receive(inbox, BY_BOTH)
    turn = inbox.next_turn(conversation, 0)
    assert turn is not None
    for jid in (LID, PHONE):
        identities.note_typing("1", jid, clock.now() + timedelta(seconds=10))
        assert inbox.arrivals(turn).is_typing
        identities.note_typing("1", jid, None)
        assert not inbox.arrivals(turn).is_typing


def test_typing_ends_by_itself(inbox: Inbox, identities: Identities, clock: FakeClock) -> None:
    turn = inbox.next_turn(receive(inbox, BY_LID), 0)
    assert turn is not None
    identities.note_typing("1", LID, clock.now() + timedelta(seconds=10))
    clock.advance(11)
    assert not inbox.arrivals(turn).is_typing

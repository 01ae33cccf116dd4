"""What comes in is kept once, in order, and covered by one reply, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from server.domain.conversations import HistoryLine, Lease, Reply, ReplySource, Speaker, Turn
from server.domain.messages import Channel, GuestAddress, MessageKind
from server.domain.tenants import TenantSettings
from server.errors import LeaseLost, NotFound
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import ConversationRow, InboundRow, OutboxRow
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message

LID = "111@lid"
PHONE = "972501111111@s.whatsapp.net"


@pytest.fixture
def inbox(database: Database, clock: FakeClock, tenants: Tenants) -> Inbox:
    return Inbox(database, clock)


@pytest.fixture
def replies(database: Database, clock: FakeClock) -> Replies:
    return Replies(database, clock, "http://desk.example")


def claimed(leases: Leases, key: str = "conversation:1") -> Lease:
    lease = leases.claim(key)
    assert lease is not None
    return lease


def turn_of(inbox: Inbox, conversation_id: int, history_lines: int = 4) -> Turn:
    turn = inbox.next_turn(conversation_id, history_lines)
    assert turn is not None
    return turn


def a_reply(text: str = "From 15:00.", **changes: object) -> Reply:
    return Reply(**{"text": text, "source": ReplySource.KNOWLEDGE, "language": "en", **changes})  # type: ignore[arg-type]


def test_a_redelivered_message_is_kept_once(inbox: Inbox) -> None:
    first = inbox.save("1", [a_message(provider_id="A")])[0]
    again = inbox.save("1", [a_message(provider_id="A")])[0]
    assert first.is_new
    assert not again.is_new
    assert again.id == first.id


def test_the_same_id_from_another_guest_is_another_message(inbox: Inbox) -> None:
    other = GuestAddress(reply_to="972509@s.whatsapp.net", phone="972509@s.whatsapp.net")
    inbox.save("1", [a_message(provider_id="A")])
    assert inbox.save("1", [a_message(provider_id="A", address=other)])[0].is_new


def test_the_same_id_from_the_host_is_another_message(inbox: Inbox) -> None:
    inbox.save("1", [a_message(provider_id="A")])
    assert inbox.save("1", [a_message(provider_id="A", from_me=True)])[0].is_new


def test_the_same_guest_at_another_business_is_another_conversation(inbox: Inbox) -> None:
    here = inbox.save("1", [a_message(provider_id="A")])[0]
    there = inbox.save("2", [a_message(provider_id="A", tenant_id="2")])[0]
    assert there.is_new
    assert there.conversation_id != here.conversation_id


def test_an_unknown_tenant_is_refused(inbox: Inbox) -> None:
    with pytest.raises(NotFound):
        inbox.save("9", [a_message(tenant_id="9")])


def test_lid_and_phone_of_one_guest_share_a_conversation(inbox: Inbox) -> None:
    by_phone = inbox.save("1", [a_message(address=GuestAddress(PHONE, phone=PHONE))])[0]
    by_both = inbox.save("1", [a_message(address=GuestAddress(LID, lid=LID, phone=PHONE))])[0]
    by_lid = inbox.save("1", [a_message(address=GuestAddress(LID, lid=LID))])[0]
    assert by_phone.conversation_id == by_both.conversation_id == by_lid.conversation_id


def test_a_phone_number_with_another_lid_is_a_new_guest(inbox: Inbox) -> None:
    before = inbox.save("1", [a_message(address=GuestAddress(LID, lid=LID, phone=PHONE))])[0]
    after = inbox.save("1", [a_message(address=GuestAddress("222@lid", lid="222@lid", phone=PHONE))])[0]
    assert before.conversation_id != after.conversation_id


def test_two_first_messages_at_once_make_one_guest(inbox: Inbox) -> None:
    barrier = threading.Barrier(4)
    found: list[int] = []

    def write(number: int) -> None:
        barrier.wait()
        found.append(inbox.save("1", [a_message(provider_id=f"N{number}")])[0].conversation_id)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_turn_holds_the_waiting_messages_in_order(inbox: Inbox) -> None:
    saved = inbox.save("1", [a_message("one"), a_message("two"), a_message("three")])
    turn = turn_of(inbox, saved[0].conversation_id)
    assert [message.text for message in turn.messages] == ["one", "two", "three"]
    assert turn.question == "one\ntwo\nthree"


@pytest.mark.parametrize("kind", [MessageKind.REACTION, MessageKind.STICKER])
def test_what_needs_no_answer_waits_for_none(inbox: Inbox, kind: MessageKind) -> None:
    saved = inbox.save("1", [a_message("", kind=kind)])[0]
    assert not saved.is_waiting
    assert inbox.next_turn(saved.conversation_id, 4) is None


def test_what_the_host_typed_waits_for_no_answer_and_stands_in_the_history(inbox: Inbox) -> None:
    inbox.save("1", [a_message("We open at nine.", from_me=True)])
    saved = inbox.save("1", [a_message("Thanks! And on Friday?")])[0]
    turn = turn_of(inbox, saved.conversation_id)
    assert list(turn.history) == [HistoryLine(Speaker.HOST, "We open at nine.")]


def test_a_committed_reply_covers_its_messages(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock, database: Database
) -> None:
    saved = inbox.save("1", [a_message("one"), a_message("two")])
    turn = turn_of(inbox, saved[0].conversation_id)
    lanes = replies.commit_reply(claimed(leases), turn, a_reply(), clock.now())
    assert lanes == [f"conversation:{saved[0].conversation_id}"]
    assert inbox.next_turn(saved[0].conversation_id, 4) is None
    with database.read() as session:
        covered = session.scalars(select(InboundRow.covered_by)).all()
        sent = session.scalars(select(OutboxRow.id)).all()
    assert covered == [sent[0], sent[0]]
    assert len(sent) == 1


def test_a_turn_is_committed_once(inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock) -> None:
    saved = inbox.save("1", [a_message()])[0]
    turn = turn_of(inbox, saved.conversation_id)
    lease = claimed(leases)
    replies.commit_reply(lease, turn, a_reply(), clock.now())
    with pytest.raises(LeaseLost, match="handled by somebody else"):
        replies.commit_reply(lease, turn, a_reply("Another answer."), clock.now())
    kept = replies.find_reply(saved.id)
    assert kept is not None
    assert kept.text == "From 15:00."


def test_a_commit_under_a_lost_lease_saves_nothing(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock, database: Database
) -> None:
    saved = inbox.save("1", [a_message()])[0]
    turn = turn_of(inbox, saved.conversation_id)
    old = claimed(leases)
    leases.release(old)
    claimed(leases)
    with pytest.raises(LeaseLost):
        replies.commit_reply(old, turn, a_reply(), clock.now())
    assert not inbox.is_handled(saved.id)
    with database.read() as session:
        assert session.scalars(select(OutboxRow.id)).all() == []


def test_the_message_id_follows_from_the_turn(inbox: Inbox, replies: Replies) -> None:
    saved = inbox.save("1", [a_message()])[0]
    assert turn_of(inbox, saved.conversation_id).id == turn_of(inbox, saved.conversation_id).id


def test_the_history_is_the_last_lines_of_both_sides(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock
) -> None:
    lease = claimed(leases)
    for number in range(4):
        clock.advance(1)
        saved = inbox.save("1", [a_message(f"question {number}")])[0]
        clock.advance(1)
        turn = turn_of(inbox, saved.conversation_id)
        replies.commit_reply(lease, turn, a_reply(f"answer {number}"), clock.now())
    saved = inbox.save("1", [a_message("last")])[0]
    history = turn_of(inbox, saved.conversation_id, history_lines=3).history
    assert [line.text for line in history] == ["answer 2", "question 3", "answer 3"]


def test_a_postponed_turn_waits_and_holds_back_later_messages(
    inbox: Inbox, leases: Leases, clock: FakeClock
) -> None:
    saved = inbox.save("1", [a_message("first")])[0]
    inbox.postpone(claimed(leases), turn_of(inbox, saved.conversation_id), 5)
    inbox.save("1", [a_message("second")])
    assert inbox.next_turn(saved.conversation_id, 4) is None
    assert not inbox.is_due(saved.conversation_id)
    clock.advance(5)
    turn = turn_of(inbox, saved.conversation_id)
    assert [message.text for message in turn.messages] == ["first", "second"]
    assert turn.messages[0].attempts == 1


def test_the_sweep_finds_conversations_that_are_due(inbox: Inbox) -> None:
    saved = inbox.save("1", [a_message()])[0]
    assert inbox.due_conversations(10) == [saved.conversation_id]


def test_a_hand_over_tells_staff_in_the_same_transaction(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock, tenants: Tenants, database: Database
) -> None:
    tenants.update(
        "1", TenantSettings(name="H", staff_numbers=("+972 50-999",), staff_webhook="https://h.example/x")
    )
    saved = inbox.save("1", [a_message("Is there a helipad?")])[0]
    turn = turn_of(inbox, saved.conversation_id)
    lanes = replies.commit_reply(claimed(leases), turn, a_reply("I asked.", handover=True), clock.now())
    assert len(lanes) == 3
    with database.read() as session:
        rows = session.execute(select(OutboxRow.channel, OutboxRow.to_address, OutboxRow.text)).all()
    notices = {channel: (to, text) for channel, to, text in rows if text != "I asked."}
    assert notices[Channel.WHATSAPP][0] == "97250999@s.whatsapp.net"
    assert "Is there a helipad?" in notices[Channel.WHATSAPP][1]
    assert notices[Channel.STAFF_WEBHOOK][0] == "https://h.example/x"


def test_a_host_who_answers_by_hand_is_the_person_that_was_needed(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock, database: Database
) -> None:
    saved = inbox.save("1", [a_message("Is there a helipad?")])[0]
    turn = turn_of(inbox, saved.conversation_id)
    replies.commit_reply(claimed(leases), turn, a_reply("I asked.", handover=True), clock.now())
    with database.read() as session:
        assert session.scalars(select(ConversationRow.needs_human)).one()
    inbox.save("1", [a_message("No, sorry.", from_me=True)])
    with database.read() as session:
        assert not session.scalars(select(ConversationRow.needs_human)).one()


def test_a_chat_reply_is_out_as_soon_as_it_is_committed(
    inbox: Inbox, replies: Replies, leases: Leases, clock: FakeClock
) -> None:
    address = GuestAddress(reply_to="c1", chat_key="c1")
    saved = inbox.save("1", [a_message(channel=Channel.CHAT, address=address)])[0]
    lanes = replies.commit_reply(
        claimed(leases), turn_of(inbox, saved.conversation_id), a_reply(), clock.now()
    )
    assert lanes == []


def test_the_words_of_a_voice_message_are_read_by_its_turn_and_stand_in_the_history(
    inbox: Inbox, replies: Replies, leases: Leases
) -> None:
    saved = inbox.save("1", [a_message("", kind=MessageKind.AUDIO, details={"mime_type": "audio/ogg"})])[0]
    inbox.save_words(saved.id, "When is check-in?", {"transcript": {"language": "en"}})
    turn = turn_of(inbox, saved.conversation_id)
    assert turn.question == "When is check-in?"
    assert turn.messages[0].details == {"mime_type": "audio/ogg", "transcript": {"language": "en"}}
    lease = claimed(leases, f"conversation:{saved.conversation_id}")
    replies.commit_reply(lease, turn, a_reply(), turn.messages[0].received_at)
    inbox.save("1", [a_message("Thanks")])
    line = turn_of(inbox, saved.conversation_id).history[0]
    assert line == HistoryLine(Speaker.GUEST, "When is check-in?")


def test_words_are_saved_once(inbox: Inbox) -> None:
    saved = inbox.save("1", [a_message("", kind=MessageKind.AUDIO)])[0]
    inbox.save_words(saved.id, "first", {"transcript": {"language": "en"}})
    inbox.save_words(saved.id, "second", {"transcript": {"language": "he"}})
    message = turn_of(inbox, saved.conversation_id).messages[0]
    assert (message.text, message.details) == ("first", {"transcript": {"language": "en"}})


def test_what_a_guest_wrote_is_not_written_over(inbox: Inbox) -> None:
    saved = inbox.save("1", [a_message("When?")])[0]
    inbox.save_words(saved.id, "other words", {})
    assert turn_of(inbox, saved.conversation_id).question == "When?"


def test_words_of_a_message_that_is_not_there_are_dropped(inbox: Inbox) -> None:
    inbox.save_words(4711, "words", {})

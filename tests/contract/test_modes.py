"""Who answers a conversation, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from server.domain.conversations import (
    HistoryLine,
    Lease,
    Mode,
    Reply,
    ReplySource,
    Speaker,
    Turn,
    Unanswered,
)
from server.domain.messages import Channel, DeliveryState, GuestAddress, MessageKind, conversation_lane
from server.domain.modes import Actor, ModeBy
from server.domain.tenants import TenantSettings
from server.errors import Conflict, LeaseLost, NotFound, Overtaken
from server.store.history import HANDED_BACK
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import ConversationEventRow, ConversationRow, InboundRow, OutboxRow
from server.store.modes import Modes
from server.store.outbox import Outbox
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.builders import GUEST, a_message

API = Actor(ModeBy.API)
LANE = conversation_lane(1)

pytestmark = pytest.mark.usefixtures("tenants")


class World:
    """One conversation, and the stores that change it."""

    def __init__(self, database: Database, clock: FakeClock, leases: Leases) -> None:
        self.database = database
        self.clock = clock
        self.inbox = Inbox(database, clock)
        self.replies = Replies(database, clock, "")
        self.outbox = Outbox(database, clock)
        self.modes = Modes(database, clock)
        self.turn_lease = self._claim(leases, "conversation:1")
        self.lane_lease = self._claim(leases, f"outbox:{LANE}")

    @staticmethod
    def _claim(leases: Leases, key: str) -> Lease:
        lease = leases.claim(key)
        assert lease is not None
        return lease

    def guest_says(self, text: str = "When is check-in?", **changes: object) -> None:
        self.inbox.save("1", [a_message(text, sent_at=self.clock.now(), **changes)])

    def host_types(self, text: str, **changes: object) -> None:
        self.inbox.save("1", [a_message(text, **{"from_me": True, "sent_at": self.clock.now(), **changes})])

    def turn(self, history_lines: int = 4) -> Turn:
        turn = self.inbox.next_turn(1, history_lines)
        assert turn is not None
        return turn

    def desk_answers(self, text: str = "From 15:00.") -> None:
        reply = Reply(text=text, source=ReplySource.KNOWLEDGE, language="en")
        self.replies.commit_reply(self.turn_lease, self.turn(), reply, self.clock.now())

    def conversation(self) -> ConversationRow:
        with self.database.read() as session:
            return session.scalars(select(ConversationRow)).one()

    def outgoing(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            return [
                (row.text, row.state) for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))
            ]

    def events(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            rows = session.scalars(select(ConversationEventRow).order_by(ConversationEventRow.id))
            return [(row.kind, row.actor) for row in rows]


@pytest.fixture
def world(database: Database, clock: FakeClock, leases: Leases) -> World:
    world = World(database, clock, leases)
    world.guest_says()
    return world


def test_a_takeover_cancels_what_the_desk_has_committed(world: World) -> None:
    world.desk_answers()
    change = world.modes.set_mode("1", 1, Mode.HUMAN, Actor(ModeBy.CONSOLE, "Noa"))
    assert (change.mode, change.cancelled) == (Mode.HUMAN, 1)
    assert world.outgoing() == [("From 15:00.", "cancelled")]
    assert world.conversation().mode_by == "console"
    assert world.events() == [("takeover", "console: Noa")]
    assert world.inbox.next_turn(1, 0) is None


def test_after_a_takeover_no_reply_is_committed(world: World) -> None:
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    with pytest.raises(Overtaken):
        world.desk_answers()
    assert world.outgoing() == []


def test_a_takeover_leaves_staffs_own_words_and_other_conversations_alone(
    world: World, leases: Leases
) -> None:
    world.desk_answers()
    world.modes.write_as_staff("1", 1, "Noa here.", API)
    other = "972502222222@s.whatsapp.net"
    world.inbox.save("1", [a_message("Hi", address=GuestAddress(other, phone=other))])
    lease = leases.claim("conversation:2")
    assert lease is not None
    turn = world.inbox.next_turn(2, 0)
    assert turn is not None
    reply = Reply(text="Hello!", source=ReplySource.SHORTCUT, language="en")
    world.replies.commit_reply(lease, turn, reply, world.clock.now())
    assert world.modes.set_mode("1", 1, Mode.HUMAN, API).cancelled == 0
    assert world.outgoing() == [
        ("From 15:00.", "cancelled"),
        ("Noa here.", "committed"),
        ("Hello!", "committed"),
    ]


def test_staff_write_to_somebody_who_has_only_called_on_whatsapp(world: World) -> None:
    with world.database.write() as session:
        session.execute(update(InboundRow).values(channel=Channel.VOICE, reply_to="+972501111111"))
    world.modes.write_as_staff("1", 1, "We found your scarf.", API)
    with world.database.read() as session:
        written = session.scalars(select(OutboxRow)).one()
    assert (written.channel, written.to_address) == (Channel.WHATSAPP, GUEST)


def test_what_is_being_sent_is_left_to_its_sender(world: World) -> None:
    world.desk_answers()
    world.outbox.start_sending(world.lane_lease, LANE)
    assert world.modes.set_mode("1", 1, Mode.HUMAN, API).cancelled == 0
    assert world.modes.is_sending(1)
    assert world.modes.cancel_sending(world.lane_lease, 1) == 1
    assert not world.modes.is_sending(1)
    assert world.outgoing() == [("From 15:00.", "cancelled")]


def test_only_the_holder_of_the_lane_cancels_what_is_being_sent(world: World) -> None:
    world.desk_answers()
    world.outbox.start_sending(world.lane_lease, LANE)
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    lost = Lease(world.lane_lease.key, "somebody", world.lane_lease.token)
    with pytest.raises(LeaseLost):
        world.modes.cancel_sending(lost, 1)


def test_what_a_desk_sends_that_was_given_the_conversation_back_is_not_cancelled(world: World) -> None:
    world.desk_answers()
    world.outbox.start_sending(world.lane_lease, LANE)
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.modes.set_mode("1", 1, Mode.AI, API)
    assert not world.modes.is_sending(1)
    assert world.modes.cancel_sending(world.lane_lease, 1) == 0


def test_a_reply_that_should_leave_again_is_cancelled_once_staff_have_the_conversation(world: World) -> None:
    world.desk_answers()
    message = world.outbox.start_sending(world.lane_lease, LANE)
    assert message is not None
    world.outbox.postpone(world.lane_lease, message, 30)
    world.modes.write_as_staff("1", 1, "Noa here.", API)
    following = world.outbox.start_sending(world.lane_lease, LANE)
    assert following is not None
    assert following.text == "Noa here."
    assert world.outgoing()[0][1] == "cancelled"


def test_a_cancelled_message_that_had_left_after_all_is_shown_as_delivered(world: World) -> None:
    world.desk_answers()
    message = world.outbox.start_sending(world.lane_lease, LANE)
    assert message is not None
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.modes.cancel_sending(world.lane_lease, 1)
    world.outbox.record_receipt("1", message.message_id, DeliveryState.FAILED, world.clock.now(), "code 463")
    assert world.outgoing()[0][1] == "cancelled"
    world.outbox.record_receipt("1", message.message_id, DeliveryState.DELIVERED, world.clock.now())
    assert world.outgoing()[0][1] == "delivered"


def test_a_second_takeover_changes_nothing_but_the_time(world: World) -> None:
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    until = world.conversation().hand_back_at
    world.clock.advance(60)
    world.modes.set_mode("1", 1, Mode.HUMAN, Actor(ModeBy.CONSOLE, "Noa"))
    later = world.conversation().hand_back_at
    assert until is not None
    assert later == until + timedelta(minutes=1)
    assert world.events() == [("takeover", "api")]


def test_a_takeover_is_the_person_who_was_needed(world: World) -> None:
    with world.database.write() as session:
        session.scalars(select(ConversationRow)).one().needs_human_since = world.clock.now()
    world.modes.set_mode("1", 1, Mode.DRAFT, API)
    assert not world.conversation().needs_human
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    assert world.events() == [("takeover", "api"), ("mode", "api")]


def test_another_tenants_conversation_does_not_exist(world: World) -> None:
    for conversation_id, tenant_id in ((1, "2"), (99, "1")):
        with pytest.raises(NotFound):
            world.modes.set_mode(tenant_id, conversation_id, Mode.HUMAN, API)
        with pytest.raises(NotFound):
            world.modes.write_as_staff(tenant_id, conversation_id, "Hi", API)
    assert world.conversation().mode == Mode.AI


def test_staff_write_to_where_the_guest_wrote_from_last(world: World, database: Database) -> None:
    written = world.modes.write_as_staff("1", 1, "Noa here.", API)
    assert (written.state, written.lane, written.is_new) == (DeliveryState.COMMITTED, LANE, True)
    with database.read() as session:
        row = session.scalars(select(OutboxRow)).one()
    assert (row.to_address, row.kind, row.message_id) == (GUEST, "staff", written.message_id)
    assert world.conversation().mode == Mode.HUMAN


def test_the_same_message_of_staff_again_is_the_same_message(world: World) -> None:
    first = world.modes.write_as_staff("1", 1, "Noa here.", API, "m-1")
    world.modes.set_mode("1", 1, Mode.AI, API)
    again = world.modes.write_as_staff("1", 1, "Noa here.", API, "m-1")
    assert again.message_id == first.message_id
    assert not again.is_new
    assert world.conversation().mode == Mode.AI
    with pytest.raises(Conflict):
        world.modes.write_as_staff("1", 1, "Something else.", API, "m-1")
    world.modes.write_as_staff("1", 1, "Noa here.", API, "m-2")
    assert len(world.outgoing()) == 2


def test_what_staff_write_in_a_chat_is_there_to_be_read(world: World) -> None:
    world.inbox.save("1", [a_message(channel=Channel.CHAT, address=GuestAddress("c1", chat_key="c1"))])
    written = world.modes.write_as_staff("1", 2, "Noa here.", API)
    assert written.state is DeliveryState.SENT
    assert world.outbox.due_lanes(10) == []


def test_the_desk_gets_a_conversation_back_in_which_staff_say_nothing_for_long(
    world: World, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="H", hand_back_after_minutes=10))
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.clock.advance(590)
    world.modes.write_as_staff("1", 1, "One moment.", API)
    world.clock.advance(590)
    assert world.modes.hand_back_due(10) == []
    world.clock.advance(10)
    assert world.modes.hand_back_due(10) == [1]
    assert world.modes.hand_back_due(10) == []
    conversation = world.conversation()
    assert (conversation.mode, conversation.mode_by, conversation.hand_back_at) == ("ai", "time", None)
    assert world.events() == [("takeover", "api"), ("hand_back", "time")]


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_staff_left_without_an_answer_is_told_when_the_desk_takes_over_again(
    world: World, is_answered: bool
) -> None:
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.clock.advance(60)
    world.guest_says("Are you still there?")
    world.replies.close_unanswered(world.turn_lease, world.turn(), Unanswered.HUMAN, needs_human=False)
    if is_answered:
        world.modes.write_as_staff("1", 1, "Yes!", API)
    world.clock.advance(86_400)
    assert world.modes.hand_back_due(10) == [1]
    assert world.conversation().needs_human is not is_answered


def test_a_business_can_keep_its_conversations_for_ever(world: World, tenants: Tenants) -> None:
    tenants.update("1", TenantSettings(name="H", hand_back_after_minutes=0))
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.clock.advance(10 * 365 * 86400)
    assert world.modes.hand_back_due(10) == []


def test_the_next_turn_knows_that_a_person_was_there_and_what_they_said(world: World) -> None:
    world.desk_answers("I have asked the team.")
    world.modes.set_mode("1", 1, Mode.HUMAN, API)
    world.clock.advance(5)
    world.modes.write_as_staff("1", 1, "Noa here: you may come at 13:00.", API)
    world.clock.advance(5)
    world.modes.set_mode("1", 1, Mode.AI, API)
    world.clock.advance(5)
    world.guest_says("Thanks! And breakfast?")
    assert world.turn().history == [
        HistoryLine(Speaker.GUEST, "When is check-in?"),
        HistoryLine(Speaker.HOST, "Noa here: you may come at 13:00."),
        HistoryLine(Speaker.NOTE, HANDED_BACK),
    ]
    # A note is no line: it takes none of the others' place, and goes with those around it.
    assert world.turn(1).history == [
        HistoryLine(Speaker.HOST, "Noa here: you may come at 13:00."),
        HistoryLine(Speaker.NOTE, HANDED_BACK),
    ]
    assert world.turn(0).history == []


def test_a_host_who_types_on_the_phone_takes_over(world: World) -> None:
    world.desk_answers()
    world.clock.advance(60)
    world.host_types("Dan here, I will look for a cot.")
    assert world.conversation().mode_by == "host_phone"
    assert world.outgoing() == [("From 15:00.", "cancelled")]
    assert world.events() == [("takeover", "host_phone")]
    until = world.conversation().hand_back_at
    world.clock.advance(60)
    world.host_types("Found one!")
    later = world.conversation().hand_back_at
    assert until is not None
    assert later == until + timedelta(minutes=1)
    assert world.conversation().mode == Mode.HUMAN


def test_an_automatic_greeting_is_no_takeover_and_stays_in_the_log(world: World, database: Database) -> None:
    with database.write() as session:
        session.scalars(select(ConversationRow)).one().needs_human_since = world.clock.now()
    world.host_types("Thank you for writing to us! How can we help?")
    conversation = world.conversation()
    assert (conversation.mode, conversation.needs_human) == ("ai", True)
    with database.read() as session:
        saved = session.scalars(select(InboundRow).where(InboundRow.from_me)).one()
    assert saved.details == {"automatic": True}
    assert world.events() == []


def test_a_configured_away_message_is_no_takeover_whenever_it_comes(world: World, tenants: Tenants) -> None:
    tenants.update("1", TenantSettings(name="H", auto_messages=("We are closed until 8:00.",)))
    world.guest_says("Hello?")
    world.clock.advance(600)
    world.host_types("we are  closed until 8:00.")
    assert world.conversation().mode == Mode.AI


def test_an_echo_of_what_we_sent_is_no_takeover(world: World, database: Database) -> None:
    world.desk_answers()
    world.clock.advance(60)
    with database.read() as session:
        ours = session.scalars(select(OutboxRow.message_id)).one()
    world.host_types("From 15:00.", provider_id=ours)
    assert world.conversation().mode == Mode.AI


@pytest.mark.parametrize("kind", [MessageKind.REACTION, MessageKind.OTHER])
def test_a_reaction_of_the_host_is_no_takeover(world: World, kind: MessageKind) -> None:
    world.clock.advance(60)
    world.host_types("👍", kind=kind)
    assert world.conversation().mode == Mode.AI


def test_words_of_the_host_that_come_half_a_day_late_are_no_takeover(world: World) -> None:
    world.clock.advance(60)
    world.host_types("On my way.", sent_at=world.clock.now() - timedelta(hours=12))
    assert world.conversation().mode == Mode.AI
    world.host_types("Here now.", sent_at=world.clock.now() - timedelta(hours=11))
    until = world.conversation().hand_back_at
    assert until == world.clock.now() + timedelta(hours=1)


def test_a_host_message_that_comes_twice_takes_over_once(world: World) -> None:
    world.clock.advance(60)
    for _ in range(2):
        world.host_types("Dan here, I will look.", provider_id="HOST1")
        world.modes.set_mode("1", 1, Mode.AI, API)
    assert world.events() == [("takeover", "host_phone"), ("hand_back", "api")]

"""What the desk would have answered waits for staff, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.domain.conversations import Mode, Reply, ReplySource, Unanswered, conversation_key
from server.domain.drafts import DraftState
from server.domain.knowledge import Citation
from server.domain.messages import GuestAddress
from server.domain.modes import Actor, ModeBy
from server.domain.tenants import TenantSettings
from server.errors import Conflict, LeaseLost, NotFound, Overtaken, UnprocessableRequest
from server.ports.store import Ended, Taken
from server.store.drafts import Drafts
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import AuditRow, ConversationRow, DraftRow, InboundRow, LeaseRow, OutboxRow
from server.store.modes import Modes
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from tests.fakes.clock import FakeClock
from tests.support.builders import GUEST, a_message

NOA = Actor(ModeBy.CONSOLE, "Noa")
DAN = Actor(ModeBy.CONSOLE, "Dan")
REPLY = Reply(
    text="From 15:00.",
    source=ReplySource.KNOWLEDGE,
    language="en",
    citations=[Citation("in", "Check-in", 0.9)],
)

pytestmark = pytest.mark.usefixtures("tenants")


class World:
    """One conversation in which staff decide, and the stores that change it."""

    def __init__(self, database: Database, clock: FakeClock, leases: Leases) -> None:
        self.database = database
        self.clock = clock
        self.inbox = Inbox(database, clock)
        self.modes = Modes(database, clock)
        self.drafts = Drafts(database, clock, self.modes)
        self.turns = Turns(database, leases, self.inbox, Replies(database, clock, "http://desk.example"))

    def guest_says(self, text: str = "When is check-in?", **changes: object) -> None:
        self.clock.advance(1)
        self.inbox.save("1", [a_message(text, sent_at=self.clock.now(), **changes)])

    def taken(self) -> Taken:
        taken = self.turns.take(1, 4)
        assert taken is not None
        return taken

    def drafted(self, taken: Taken | None = None, reply: Reply = REPLY) -> Ended:
        taken = taken or self.taken()
        return self.turns.commit_draft(taken.lease, taken.turn, reply, unless_newer=True)

    def draft_id(self) -> int:
        draft = self.drafts.open_draft("1", 1)
        assert draft is not None
        return draft.id

    def states(self) -> Sequence[str]:
        with self.database.read() as session:
            return session.scalars(select(DraftRow.state).order_by(DraftRow.id)).all()

    def outgoing(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
            return [(row.kind, row.text) for row in rows]

    def conversation(self) -> ConversationRow:
        with self.database.read() as session:
            return session.scalars(select(ConversationRow)).one()


@pytest.fixture
def world(database: Database, clock: FakeClock, leases: Leases) -> World:
    world = World(database, clock, leases)
    world.guest_says()
    world.modes.set_mode("1", 1, Mode.DRAFT, NOA)
    return world


def test_a_draft_covers_nothing_and_nothing_leaves(world: World) -> None:
    world.drafted()
    assert world.outgoing() == []
    with world.database.read() as session:
        message = session.scalars(select(InboundRow)).one()
    assert message.handled_at is not None
    assert (message.covered_by, message.unanswered_because) == (None, Unanswered.HUMAN)
    draft = world.drafts.open_draft("1", 1)
    assert draft is not None
    assert (draft.text, draft.source, draft.citations) == (REPLY.text, "knowledge", REPLY.citations)


def test_staff_are_told_of_a_draft_as_of_a_guest_who_needs_a_person(world: World, tenants: Tenants) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", staff_emails=("team@example.com",)))
    ended = world.drafted()
    assert world.conversation().needs_human
    assert [kind for kind, _ in world.outgoing()] == ["notice"]
    assert len(ended.lanes) == 1


def test_a_draft_under_a_lost_lease_is_not_kept_and_made_again(world: World, leases: Leases) -> None:
    taken = world.taken()
    # As if its process had died, and another had gone on.
    with world.database.write() as session:
        session.get_one(LeaseRow, taken.lease.key).token += 1
    with pytest.raises(LeaseLost):
        world.drafted(taken)
    assert world.states() == []
    with world.database.write() as session:
        session.delete(session.get_one(LeaseRow, taken.lease.key))
    world.drafted()
    assert world.states() == [DraftState.OPEN]
    with pytest.raises(LeaseLost):
        world.drafted(taken)
    assert world.states() == [DraftState.OPEN]


@pytest.mark.parametrize("mode", [Mode.AI, Mode.HUMAN])
def test_a_draft_gives_way_to_another_mode(world: World, mode: Mode) -> None:
    taken = world.taken()
    world.modes.set_mode("1", 1, mode, NOA)
    with pytest.raises(Overtaken):
        world.drafted(taken)
    assert world.states() == []


def test_a_reply_is_not_committed_where_staff_have_drafts_made(world: World, clock: FakeClock) -> None:
    taken = world.taken()
    with pytest.raises(Overtaken):
        world.turns.commit(taken.lease, taken.turn, REPLY, clock.now(), None, unless_newer=False)
    assert world.outgoing() == []


def test_a_newer_message_makes_a_draft_out_of_date(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    world.guest_says("And parking?")
    assert world.drafts.open_draft("1", 1) is None
    with pytest.raises(Conflict, match="out of date"):
        world.drafts.send("1", 1, draft_id, None, NOA)
    world.drafted(reply=Reply(text="In the yard.", source=ReplySource.MODEL, language="en"))
    assert world.states() == [DraftState.OUTDATED, DraftState.OPEN]
    assert world.outgoing() == []


def test_a_newer_draft_answers_what_an_older_one_was_for_as_well(world: World) -> None:
    world.drafted()
    world.guest_says("And parking?")
    turn = world.taken().turn
    assert [message.text for message in turn.messages] == ["And parking?"]
    whole = world.turns.with_unanswered(turn)
    assert [message.text for message in whole.messages] == ["When is check-in?", "And parking?"]
    assert list(whole.history) == []


def test_what_is_answered_is_not_drafted_again(world: World) -> None:
    world.drafted()
    world.clock.advance(1)
    world.drafts.send("1", 1, world.draft_id(), None, NOA)
    world.guest_says("And parking?")
    turn = world.turns.with_unanswered(world.taken().turn)
    assert [message.text for message in turn.messages] == ["And parking?"]
    assert [line.text for line in turn.history] == ["When is check-in?", "From 15:00."]


def test_a_draft_that_two_accept_at_once_is_one_message(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    both = threading.Barrier(2)

    def accept(actor: Actor) -> None:
        both.wait()
        world.drafts.send("1", 1, draft_id, None, actor)

    accepting = [threading.Thread(target=accept, args=(actor,)) for actor in (NOA, DAN)]
    for one in accepting:
        one.start()
    for one in accepting:
        one.join()
    assert world.outgoing() == [("staff", "From 15:00.")]
    assert world.states() == [DraftState.SENT]
    with world.database.read() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.action.startswith("draft."))).all()
    assert actions == ["draft.sent"]


def test_who_accepts_goes_on_having_drafts_made(world: World) -> None:
    world.drafted()
    world.drafts.send("1", 1, world.draft_id(), None, NOA)
    conversation = world.conversation()
    assert (conversation.mode, conversation.needs_human) == (Mode.DRAFT, False)


def test_a_draft_is_sent_with_other_words_once(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    for _ in range(2):
        world.drafts.send("1", 1, draft_id, "From 14:00 today.", NOA)
    with pytest.raises(Conflict, match="already answered"):
        world.drafts.send("1", 1, draft_id, None, DAN)
    assert world.outgoing() == [("staff", "From 14:00 today.")]
    assert world.states() == [DraftState.CHANGED]


OFFER = Reply(
    text="Please answer with a number:\n1. Check-in\n2. Late arrival",
    source=ReplySource.KNOWLEDGE,
    language="en",
    citations=[Citation("in", "Check-in", 0.4), Citation("late", "Late arrival", 0.3)],
    offered=("in", "late"),
)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (None, ["in", "late"]),
        (f"Good morning!\n{OFFER.text} \nNoa", ["in", "late"]),
        ("1. Check-in\n2. Pool", []),
        ("1. Check-in", []),
        ("From 15:00, or 22:00 for late arrival.", []),
    ],
)
def test_a_sent_draft_offers_the_choices_that_still_stand_in_it(
    world: World, words: str | None, offered: Sequence[str]
) -> None:
    world.drafted(reply=OFFER)
    world.drafts.send("1", 1, world.draft_id(), words, NOA)
    assert world.conversation().offered == offered
    world.guest_says("2")
    assert list(world.taken().turn.offered) == offered


def test_what_is_sent_in_place_of_choices_takes_them_away(world: World) -> None:
    with world.database.write() as session:
        session.get_one(ConversationRow, 1).offered = ["pool"]
    world.drafted()
    world.drafts.send("1", 1, world.draft_id(), None, NOA)
    assert world.conversation().offered == []


def test_a_draft_that_is_sent_again_offers_nothing_anew(world: World) -> None:
    world.drafted(reply=OFFER)
    draft_id = world.draft_id()
    world.drafts.send("1", 1, draft_id, None, NOA)
    with world.database.write() as session:
        session.get_one(ConversationRow, 1).offered = ["pool"]
    world.drafts.send("1", 1, draft_id, None, NOA)
    assert world.conversation().offered == ["pool"]


def test_words_of_staffs_own_leave_although_the_guest_wrote_more(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    world.guest_says("And parking?")
    world.drafts.send("1", 1, draft_id, "From 15:00, and in the yard.", NOA)
    assert world.outgoing() == [("staff", "From 15:00, and in the yard.")]
    assert world.states() == [DraftState.OUTDATED]


def test_a_dropped_draft_is_not_sent(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    world.drafts.drop("1", 1, draft_id, NOA)
    assert world.drafts.open_draft("1", 1) is None
    with pytest.raises(Conflict):
        world.drafts.send("1", 1, draft_id, None, NOA)
    assert (world.states(), world.outgoing()) == ([DraftState.DROPPED], [])


def test_what_staff_write_instead_makes_the_draft_out_of_date(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    world.modes.write_as_staff("1", 1, "Noa here.", NOA)
    assert world.states() == [DraftState.OUTDATED]
    with pytest.raises(Conflict):
        world.drafts.send("1", 1, draft_id, None, NOA)
    assert world.conversation().mode == Mode.DRAFT


def test_what_staff_write_on_their_own_phone_makes_the_draft_out_of_date(world: World) -> None:
    world.drafted()
    world.guest_says("At three.", from_me=True)
    assert world.states() == [DraftState.OUTDATED]


def test_a_hand_back_leaves_no_draft_open(world: World) -> None:
    world.drafted()
    world.modes.set_mode("1", 1, Mode.AI, NOA)
    assert world.states() == [DraftState.OUTDATED]


def test_a_suggestion_answers_what_came_since_the_last_word_of_the_business(world: World) -> None:
    world.modes.write_as_staff("1", 1, "Good morning.", NOA)
    world.modes.set_mode("1", 1, Mode.HUMAN, NOA)
    for text in ("Is there a pool?", "For children?"):
        world.guest_says(text)
    turn = world.drafts.find_question("1", 1, 4)
    assert [message.text for message in turn.messages] == ["Is there a pool?", "For children?"]
    assert [line.text for line in turn.history] == ["Good morning."]
    assert turn.reply_to == GUEST
    world.drafts.keep(turn, REPLY)
    world.drafts.keep(turn, REPLY)
    assert world.states() == [DraftState.OUTDATED, DraftState.OPEN]


def test_there_is_nothing_to_suggest_where_the_last_word_is_the_business_s(world: World) -> None:
    world.clock.advance(1)
    world.modes.write_as_staff("1", 1, "Good morning.", NOA)
    with pytest.raises(UnprocessableRequest, match="last word"):
        world.drafts.find_question("1", 1, 4)


def test_a_suggestion_gives_way_to_a_newer_message_and_to_the_desk(world: World) -> None:
    turn = world.drafts.find_question("1", 1, 4)
    world.guest_says("And parking?")
    with pytest.raises(Conflict, match="written more"):
        world.drafts.keep(turn, REPLY)
    turn = world.drafts.find_question("1", 1, 4)
    world.modes.set_mode("1", 1, Mode.AI, NOA)
    with pytest.raises(Conflict, match="answers this guest"):
        world.drafts.keep(turn, REPLY)
    assert world.states() == []


def test_another_business_s_draft_does_not_exist(world: World) -> None:
    world.drafted()
    draft_id = world.draft_id()
    assert world.drafts.open_draft("2", 1) is None
    for tenant_id, conversation_id in (("2", 1), ("1", 2)):
        with pytest.raises(NotFound):
            world.drafts.send(tenant_id, conversation_id, draft_id, None, NOA)
        with pytest.raises(NotFound):
            world.drafts.drop(tenant_id, conversation_id, draft_id, NOA)
        with pytest.raises(NotFound):
            world.drafts.find_question(tenant_id, conversation_id + 7, 4)
    assert world.states() == [DraftState.OPEN]


def test_joined_conversations_have_no_open_draft_of_the_one_that_leaves(world: World, leases: Leases) -> None:
    # The phone number wrote first, then the LID of the same person.
    other = GuestAddress("7@lid", lid="7@lid")
    world.drafted()
    world.clock.advance(1)
    world.inbox.save("1", [a_message("Hello", address=other, sent_at=world.clock.now())])
    identities = Identities(world.database, world.clock)
    identities.link("1", "7@lid", GUEST)
    (guest_id,) = identities.due_merges(5)
    merge = identities.find_merge(guest_id)
    assert merge is not None
    keys = [conversation_key(merge.leaving), conversation_key(merge.staying)]
    claimed = [leases.claim(key) for key in keys]
    identities.merge([lease for lease in claimed if lease is not None], merge)
    with world.database.read() as session:
        drafts = session.scalars(select(DraftRow)).all()
        assert session.scalar(select(func.count()).select_from(ConversationRow)) == 1
    assert [(row.conversation_id, row.state) for row in drafts] == [(merge.staying, DraftState.OUTDATED)]
    assert timedelta(0) <= world.clock.now() - drafts[0].made_at

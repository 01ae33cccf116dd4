"""A turn begins and ends in one transaction each, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from server.domain.conversations import Reply, ReplySource
from server.domain.messages import GuestAddress, InboundMessage
from server.errors import LeaseLost, NotFound
from server.ports.store import Ended, Taken
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import InboundRow, LeaseRow, OutboxRow
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message
from tests.support.side_by_side import side_by_side

REPLY = Reply(text="From 15:00.", source=ReplySource.KNOWLEDGE, language="en")


@pytest.fixture
def inbox(database: Database, clock: FakeClock, tenants: Tenants) -> Inbox:
    return Inbox(database, clock)


@pytest.fixture
def turns(database: Database, clock: FakeClock, leases: Leases, inbox: Inbox) -> Turns:
    return Turns(database, leases, inbox, Replies(database, clock, "http://desk.example"))


def from_guest(name: str, text: str = "When is check-in?") -> InboundMessage:
    return a_message(text, address=GuestAddress(f"{name}@lid", lid=f"{name}@lid"))


def begun(turns: Turns, message: InboundMessage) -> Taken:
    taken = turns.begin(message, 4).taken
    assert taken is not None
    return taken


def committed(turns: Turns, taken: Taken, clock: FakeClock) -> Ended:
    return turns.commit(taken.lease, taken.turn, REPLY, clock.now(), None, unless_newer=False)


def rows(database: Database) -> tuple[int, int, int]:
    """How many messages there are, how many of them are covered, and how many replies."""
    with database.read() as session:
        messages = session.scalars(select(InboundRow.covered_by)).all()
        replies = session.scalar(select(func.count()).select_from(OutboxRow)) or 0
        return len(messages), sum(covered is not None for covered in messages), replies


def test_a_message_that_is_begun_is_saved_and_its_turn_is_ours(turns: Turns, leases: Leases) -> None:
    taken = begun(turns, from_guest("a"))
    assert [message.text for message in taken.turn.messages] == ["When is check-in?"]
    assert leases.claim(taken.lease.key) is None


def test_a_message_of_an_unknown_tenant_leaves_nothing(turns: Turns, database: Database) -> None:
    with pytest.raises(NotFound):
        turns.begin(a_message(tenant_id="9"), 4)
    assert rows(database) == (0, 0, 0)


def test_a_message_that_comes_again_begins_nothing(turns: Turns) -> None:
    message = from_guest("a")
    first = turns.begin(message, 4)
    again = turns.begin(message, 4)
    assert again.saved.id == first.saved.id
    assert not again.saved.is_new
    assert again.taken is None


def test_a_message_to_a_conversation_at_work_is_saved_and_left_to_whoever_is(turns: Turns) -> None:
    begun(turns, from_guest("a", "one"))
    second = turns.begin(from_guest("a", "two"), 4)
    assert second.saved.is_waiting
    assert second.taken is None


def test_a_commit_gives_the_lease_back_and_tells_of_what_came_meanwhile(
    turns: Turns, clock: FakeClock, database: Database
) -> None:
    taken = begun(turns, from_guest("a", "one"))
    turns.begin(from_guest("a", "two"), 4)
    ended = committed(turns, taken, clock)
    assert ended.is_due
    following = turns.take(taken.turn.conversation_id, 4)
    assert following is not None
    assert [message.text for message in following.turn.messages] == ["two"]
    assert not committed(turns, following, clock).is_due
    assert turns.take(taken.turn.conversation_id, 4) is None
    assert rows(database) == (2, 2, 2)


def test_a_conversation_with_nothing_due_keeps_its_lease_free(turns: Turns, leases: Leases) -> None:
    taken = begun(turns, from_guest("a"))
    assert not turns.postpone(taken.lease, taken.turn, 5)
    assert turns.take(taken.turn.conversation_id, 4) is None
    assert leases.claim(taken.lease.key) is not None


def test_a_commit_under_a_lost_lease_saves_nothing(
    turns: Turns, clock: FakeClock, database: Database, leases: Leases
) -> None:
    taken = begun(turns, from_guest("a"))
    leases.release(taken.lease)
    assert leases.claim(taken.lease.key) is not None
    with pytest.raises(LeaseLost):
        committed(turns, taken, clock)
    assert rows(database) == (1, 0, 0)


def test_a_sweep_leaves_a_conversation_to_whoever_is_at_work_on_it(turns: Turns, inbox: Inbox) -> None:
    begun(turns, from_guest("a"))
    idle = inbox.save("1", [from_guest("b")])[0].conversation_id
    assert turns.due_conversations(10) == [idle]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_sweep_finds_a_conversation_whose_lease_has_run_out(turns: Turns, database: Database) -> None:
    taken = begun(turns, from_guest("a"))
    with database.write() as session:
        session.execute(update(LeaseRow).values(held_until=func.clock_timestamp() - timedelta(seconds=1)))
    assert turns.due_conversations(10) == [taken.turn.conversation_id]


def test_turns_that_begin_and_end_at_once_do_not_wait_for_one_another(
    turns: Turns, clock: FakeClock, database: Database
) -> None:
    taken = [begun(turns, from_guest(f"old{number}")) for number in range(8)]
    side_by_side(
        *(lambda one=one: committed(turns, one, clock) for one in taken),
        *(lambda number=number: begun(turns, from_guest(f"new{number}")) for number in range(8)),
    )
    assert rows(database) == (16, 8, 8)


@pytest.mark.parametrize("guest", [f"g{number}" for number in range(10)])
def test_a_message_at_the_end_of_a_turn_is_not_forgotten(turns: Turns, clock: FakeClock, guest: str) -> None:
    """Whichever comes first, the commit or the message: somebody has the turn of the second one."""
    taken = begun(turns, from_guest(guest, "one"))
    later: list[Taken | None] = []
    side_by_side(
        lambda: committed(turns, taken, clock),
        lambda: later.append(turns.begin(from_guest(guest, "two"), 4).taken),
    )
    # As its caller is told to, where no turn came with the message.
    assert later[0] or turns.take(taken.turn.conversation_id, 4)

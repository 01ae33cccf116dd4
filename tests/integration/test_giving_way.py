"""Races between a turn and what happens meanwhile, each brought about at a named point.

Points: while the model answers, just before the commit, while it is waited for more, and after the lease was
lost. A message is covered by one reply whatever wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from server.conversation.quiet import WaitBounds
from server.conversation.turn import TurnTaker
from server.domain.conversations import Analysis, Lease, Reply, Turn
from server.domain.messages import Channel, GuestAddress, InboundMessage
from server.inbox.drain import Drain
from server.inbox.streams import Streams
from server.outbox.presence import Presence
from server.ports.ai import LanguageModel
from server.ports.messaging import PresenceState
from server.ports.store import Arrivals, Ended
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import InboundRow, LeaseRow, OutboxRow
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel
from tests.fakes.senders import FakePresence
from tests.support.builders import a_message
from tests.support.engines import an_engine, the_models
from tests.support.gates import GatedModel

LID = "111@lid"
NO_WAIT = WaitBounds(0, 0)


class Woken:
    """A queue that keeps what it was given."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put(self, key: str) -> None:
        self.keys.append(key)


class NoEars:
    """Guests here write."""

    async def hear(self, turn: Turn) -> Turn:
        return turn

    def keep(self, turn: Turn) -> None:
        """There is nothing to keep."""


class Scene:
    """One guest's conversation and whoever drains it."""

    def __init__(self, database: Database, clock: FakeClock, leases: Leases) -> None:
        self.database, self.clock, self.leases = database, clock, leases
        self.inbox = Inbox(database, clock)
        self.replies = Replies(database, clock, "")
        self.turns = Turns(database, leases, self.inbox, self.replies)
        self.presence = FakePresence()
        self.lanes = Woken()

    def says(self, text: str, **changes: object) -> None:
        """The guest sends *text*."""
        message: InboundMessage = a_message(
            text, address=GuestAddress(LID, lid=LID), sent_at=self.clock.now(), **changes
        )
        self.inbox.save("1", [message])

    def drain(self, model: LanguageModel, bounds: WaitBounds = NO_WAIT) -> Drain:
        engine = an_engine(the_models(model), first_token_s=30, total_s=30, clock=self.clock)
        taker = TurnTaker(
            engine,
            self.inbox,
            self.turns,
            Presence(self.presence),
            self.lanes,
            Streams(),
            NoEars(),
            self.clock,
            bounds,
        )
        return Drain(self.leases, self.inbox, self.turns, taker, self.clock, 4)

    def covered(self) -> Sequence[Sequence[str]]:
        """The messages that each reply covers, in the order of the replies."""
        with self.database.read() as session:
            replies = session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)).all()
            return [
                session.scalars(
                    select(InboundRow.text).where(InboundRow.covered_by == reply).order_by(InboundRow.id)
                ).all()
                for reply in replies
            ]

    def waiting(self) -> int:
        with self.database.read() as session:
            waits = select(func.count()).select_from(InboundRow).where(InboundRow.handled_at.is_(None))
            return session.scalar(waits) or 0


@pytest.fixture
def scene(database: Database, clock: FakeClock, tenants: Tenants, leases: Leases) -> Scene:
    return Scene(database, clock, leases)


async def test_a_message_while_the_model_answers_is_covered_by_the_same_reply(scene: Scene) -> None:
    model = GatedModel()
    scene.says("Is there parking?")
    draining = asyncio.create_task(scene.drain(model).run("1"))
    first = await model.reached()
    scene.says("And how much is it?")
    second = await model.reached()
    second.open()
    await draining
    assert first.was_dropped
    assert "And how much is it?" in second.question
    assert scene.covered() == [["Is there parking?", "And how much is it?"]]


class LateGuest(Turns):
    """Just before a commit the guest writes once more."""

    def __init__(self, scene: Scene, write: Callable[[int], None]) -> None:
        super().__init__(scene.database, scene.leases, scene.inbox, scene.replies)
        self.commits = 0
        self._write = write

    def commit(
        self,
        lease: Lease,
        turn: Turn,
        reply: Reply,
        started_at: datetime,
        analysis: Analysis | None,
        *,
        unless_newer: bool,
    ) -> Ended:
        self.commits += 1
        self._write(self.commits)
        return super().commit(lease, turn, reply, started_at, analysis, unless_newer=unless_newer)


async def test_a_message_just_before_the_commit_is_covered_by_the_same_reply(scene: Scene) -> None:
    def write(commit: int) -> None:
        if commit == 1:
            scene.says("And how much is it?")

    scene.turns = LateGuest(scene, write)
    scene.says("Is there parking?")
    await scene.drain(FakeModel("With pleasure.", "With pleasure.")).run("1")
    assert scene.covered() == [["Is there parking?", "And how much is it?"]]


async def test_a_guest_who_writes_on_and_on_is_answered_after_eight_seconds(scene: Scene) -> None:
    def write(commit: int) -> None:
        if commit <= 6:
            scene.says(f"message {commit}")
            scene.clock.advance(2.5)

    scene.turns = LateGuest(scene, write)
    scene.says("message 0")
    await scene.drain(FakeModel(*["With pleasure."] * 9)).run("1")
    # Given way for the first time at 2.5 s, for the last time before 10.5 s; committed at 12.5 s.
    assert scene.covered() == [[f"message {number}" for number in range(6)], ["message 6"]]
    assert scene.waiting() == 0


async def test_two_quick_messages_get_one_answer_that_waits_for_both(scene: Scene) -> None:
    class Curious(FakePresence):
        def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
            super().show(tenant_id, to, state)
            if len(self.shown) == 1:
                scene.says("Is there parking?")

    scene.presence = Curious()
    scene.says("Hello, one question")
    await scene.drain(FakeModel("With pleasure.", "With pleasure."), WaitBounds(0.2, 0.3)).run("1")
    assert scene.covered() == [["Hello, one question", "Is there parking?"]]


async def test_the_answer_waits_while_the_guest_types(scene: Scene) -> None:
    identities = Identities(scene.database, scene.clock)

    class Watched(Inbox):
        looks = 0

        def arrivals(self, turn: Turn) -> Arrivals:
            self.looks += 1
            if self.looks == 3:
                identities.note_typing("1", LID, None)
            return super().arrivals(turn)

    scene.inbox = Watched(scene.database, scene.clock)
    scene.says("Is there parking?")
    identities.note_typing("1", LID, scene.clock.now() + timedelta(seconds=10))
    await scene.drain(FakeModel("With pleasure."), WaitBounds(0.01, 0.01)).run("1")
    assert scene.inbox.looks == 3
    assert scene.covered() == [["Is there parking?"]]


async def test_the_chat_api_never_waits(scene: Scene) -> None:
    message = a_message("hi", channel=Channel.CHAT, address=GuestAddress("c", chat_key="c"))
    scene.inbox.save("1", [message])
    async with asyncio.timeout(20):
        await scene.drain(FakeModel("With pleasure."), WaitBounds(60, 60)).run("1")
    assert scene.covered() == [["hi"]]


async def test_what_has_waited_long_enough_is_not_waited_for_again(scene: Scene) -> None:
    scene.says("hi")
    scene.clock.advance(61)
    async with asyncio.timeout(20):
        await scene.drain(FakeModel("With pleasure."), WaitBounds(60, 60)).run("1")
    assert scene.covered() == [["hi"]]


async def test_the_reply_of_who_lost_the_lease_during_a_slow_answer_is_refused(scene: Scene) -> None:
    model = GatedModel()
    scene.says("Is there parking?")
    slow = asyncio.create_task(scene.drain(model).run("1"))
    first = await model.reached()
    # As when this process stood still for longer than its lease: the lease is free for the next one.
    with scene.database.write() as session:
        session.execute(update(LeaseRow).values(owner=None, held_until=None))
    quick = asyncio.create_task(scene.drain(model).run("1"))
    second = await model.reached()
    first.open()
    await slow
    assert scene.covered() == []
    second.open()
    await quick
    assert scene.covered() == [["Is there parking?"]]


async def test_stale_messages_go_to_staff_and_the_new_one_is_answered(scene: Scene) -> None:
    scene.says("An old question?")
    scene.clock.advance(13 * 3600)
    scene.says("A new question?")
    await scene.drain(FakeModel("With pleasure.")).run("1")
    assert scene.covered() == [["A new question?"]]
    with scene.database.read() as session:
        old = session.scalars(select(InboundRow).where(InboundRow.covered_by.is_(None))).one()
    assert (old.text, old.unanswered_because) == ("An old question?", "stale")


async def test_a_guest_who_has_waited_for_long_gets_what_there_is(scene: Scene) -> None:
    def write(commit: int) -> None:
        if commit == 1:
            scene.says("And how much is it?")

    scene.turns = LateGuest(scene, write)
    scene.says("Is there parking?")
    scene.clock.advance(21)
    await scene.drain(FakeModel("With pleasure.", "With pleasure.")).run("1")
    assert scene.covered() == [["Is there parking?"], ["And how much is it?"]]

"""Takeovers that meet the desk at a named point of its work: nothing of the desk's leaves after them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from server.desk import Desk
from server.domain.conversations import Lease, Mode
from server.domain.knowledge import Document
from server.domain.messages import Channel, OutboundMessage, conversation_lane
from server.domain.modes import Actor, ModeBy
from server.errors import ProviderUnavailable, StillSending
from server.inbox.takeover import Takeover
from server.outbox.deliver import Deliverer
from server.store.leases import Leases, Ownership, TimedOwnership, make_ownership
from server.store.models import ConversationEventRow, ConversationRow, InboundRow, OutboxRow
from server.store.modes import Modes
from server.store.outbox import Outbox
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import wait_until
from tests.fakes.clock import FakeClock
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.senders import FakeSender
from tests.fakes.work_queue import FakeQueue
from tests.integration.conftest import MakeDesk
from tests.support.builders import a_message
from tests.support.replies import commit_reply

API = Actor(ModeBy.API)
LANE = conversation_lane(1)
PATIENCE_S = 60.0

T = TypeVar("T")


class Barrier:
    """A named point: whoever passes says so and waits to be let on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def passing(self) -> None:
        self._reached.set()
        assert self._open.wait(PATIENCE_S)

    def await_reached(self) -> None:
        assert self._reached.wait(PATIENCE_S)

    def open(self) -> None:
        self._open.set()


class StoppedSender(FakeSender):
    """Stops in the middle of a send; ``log`` has what happened, in order."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.barrier = Barrier()
        self.log = log

    def send(self, message: OutboundMessage) -> None:
        self.barrier.passing()
        super().send(message)
        self.log.append(message.text)


class StoppedOutbox(Outbox):
    """Stops between the commit of a reply and the beginning of its sending."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.barrier = Barrier()

    def start_sending(self, lease: Lease, lane: str) -> OutboundMessage | None:
        self.barrier.passing()
        return super().start_sending(lease, lane)


class StoppedEmbedder(FakeEmbedder):
    """Stops while the answer is being thought of."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = Barrier()

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.barrier.passing()
        return super().queries(texts)


class WatchedModes(Modes):
    """Tells when a takeover has begun to wait."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock)
        self.waits = threading.Event()
        self._looks = 0

    def is_sending(self, conversation_id: int) -> bool:
        is_sending = super().is_sending(conversation_id)
        self._looks += 1
        if is_sending and self._looks > 1:
            self.waits.set()
        return is_sending


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def committed(database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> None:
    """A reply of conversation 1 that is about to leave."""
    commit_reply(database, clock, leases, "From 15:00.")


def takeover(database: Database, clock: FakeClock, leases: Leases, longest_wait_s: float = 20.0) -> Takeover:
    return Takeover(Modes(database, clock), leases, FakeQueue(), longest_wait_s)


def deliver(leases: Leases, outbox: Outbox, sender: FakeSender, clock: FakeClock) -> None:
    asyncio.run(Deliverer(leases, outbox, {Channel.WHATSAPP: sender}, clock).run(LANE))


def outgoing(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.text, row.state) for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


def test_while_the_answer_is_thought_of(
    make_desk: MakeDesk, tenants: Tenants, database: Database, sender: FakeSender
) -> None:
    embedder = StoppedEmbedder()
    desk: Desk = make_desk(embedder=embedder)
    desk.ports.knowledge.put_documents("1", [Document("b", "Breakfast", "From 7:30 to 10:30.", "en")])
    desk.start()
    saved = desk.receiver.receive("1", [a_message("When is breakfast?")])[0]
    embedder.barrier.await_reached()
    change = desk.takeover.set_mode("1", saved.conversation_id, Mode.HUMAN, API)
    embedder.barrier.open()
    wait_until(lambda: desk.ports.inbox.is_handled(saved.id), PATIENCE_S, "the message to be closed")
    assert change.cancelled == 0
    assert sender.sent == []
    assert outgoing(database) == []
    with database.read() as session:
        assert session.scalars(select(InboundRow.unanswered_because)).one() == "human"


@pytest.mark.usefixtures("committed")
def test_between_the_commit_and_the_sending(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    outbox, sender = StoppedOutbox(database, clock), FakeSender()
    delivery = threads.submit(deliver, leases, outbox, sender, clock)
    outbox.barrier.await_reached()
    # The deliverer holds the lane already, and the takeover need not wait for it.
    change = takeover(database, clock, leases).set_mode("1", 1, Mode.HUMAN, API)
    outbox.barrier.open()
    delivery.result(PATIENCE_S)
    assert change.cancelled == 1
    assert sender.sent == []
    assert outgoing(database) == [("From 15:00.", "cancelled")]


@pytest.mark.usefixtures("committed")
def test_during_the_sending(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    log: list[str] = []
    sender = StoppedSender(log)
    delivery = threads.submit(deliver, leases, Outbox(database, clock), sender, clock)
    sender.barrier.await_reached()
    modes = WatchedModes(database, clock)

    def take_over() -> int:
        change = Takeover(modes, leases, FakeQueue()).set_mode("1", 1, Mode.HUMAN, API)
        log.append("taken over")
        return change.cancelled

    taking_over = threads.submit(take_over)
    assert modes.waits.wait(PATIENCE_S)
    sender.barrier.open()
    assert taking_over.result(PATIENCE_S) == 0
    delivery.result(PATIENCE_S)
    assert log == ["From 15:00.", "taken over"]
    assert outgoing(database) == [("From 15:00.", "sent")]


@pytest.mark.usefixtures("committed")
def test_a_send_that_does_not_end_is_told_and_the_conversation_is_staffs_all_the_same(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    sender = StoppedSender([])
    delivery = threads.submit(deliver, leases, Outbox(database, clock), sender, clock)
    sender.barrier.await_reached()
    with pytest.raises(StillSending):
        takeover(database, clock, leases, longest_wait_s=0).set_mode("1", 1, Mode.HUMAN, API)
    with database.read() as session:
        assert session.scalars(select(ConversationRow.mode)).one() == Mode.HUMAN
    sender.barrier.open()
    delivery.result(PATIENCE_S)
    assert takeover(database, clock, leases).set_mode("1", 1, Mode.HUMAN, API).cancelled == 0


@pytest.mark.usefixtures("committed")
def test_after_the_sender_has_died(
    database: Database, clock: FakeClock, leases: Leases, tmp_path: Path
) -> None:
    ownership: Ownership = make_ownership(database, tmp_path)
    # Where time decides who is alive, this one has little of it.
    dying = Leases(database, ownership, lease_s=0.3)
    lease = dying.claim(f"outbox:{LANE}")
    assert lease is not None
    assert Outbox(database, clock).start_sending(lease, LANE) is not None
    if not isinstance(ownership, TimedOwnership):
        ownership.close()
    assert takeover(database, clock, leases).set_mode("1", 1, Mode.HUMAN, API).cancelled == 1
    assert outgoing(database) == [("From 15:00.", "cancelled")]
    sender = FakeSender()
    deliver(leases, Outbox(database, clock), sender, clock)
    assert sender.sent == []


@pytest.mark.usefixtures("committed")
def test_while_a_message_waits_to_be_tried_again(
    database: Database, clock: FakeClock, leases: Leases
) -> None:
    sender = FakeSender()
    sender.outages = [ProviderUnavailable("whatsapp", "HTTP 504")]
    deliver(leases, Outbox(database, clock), sender, clock)
    assert outgoing(database) == [("From 15:00.", "sending")]
    assert takeover(database, clock, leases).set_mode("1", 1, Mode.HUMAN, API).cancelled == 1
    clock.advance(60)
    deliver(leases, Outbox(database, clock), sender, clock)
    assert sender.sent == []


def together(threads: ThreadPoolExecutor, *calls: Callable[[], T]) -> list[T]:
    """Start all *calls* at the same moment, and have what they return."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(PATIENCE_S)
        return call()

    running = [threads.submit(run, call) for call in calls]
    return [each.result(PATIENCE_S) for each in running]


@pytest.mark.usefixtures("committed")
def test_two_takeovers_at_once_are_one(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    desk = takeover(database, clock, leases)
    changes = together(threads, *[lambda: desk.set_mode("1", 1, Mode.HUMAN, API).cancelled] * 2)
    assert sorted(changes) == [0, 1]
    assert outgoing(database) == [("From 15:00.", "cancelled")]
    with database.read() as session:
        assert session.scalars(select(ConversationEventRow.kind)).all() == ["takeover"]


@pytest.mark.usefixtures("committed")
def test_a_takeover_and_a_message_of_staff_at_once_send_that_message_and_nothing_else(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    desk, sender = takeover(database, clock, leases), FakeSender()
    outbox = Outbox(database, clock)
    together(
        threads,
        lambda: str(desk.set_mode("1", 1, Mode.HUMAN, API)),
        lambda: str(desk.write("1", 1, "Noa here.", API)),
        lambda: str(desk.write("1", 1, "Noa once more.", API, "same")),
        lambda: str(desk.write("1", 1, "Noa once more.", API, "same")),
    )
    deliver(leases, outbox, sender, clock)
    assert sorted(message.text for message in sender.sent) == ["Noa here.", "Noa once more."]
    assert outgoing(database)[0] == ("From 15:00.", "cancelled")


@pytest.mark.usefixtures("committed")
def test_a_hand_back_at_the_moment_of_a_takeover_leaves_one_of_both(
    database: Database, clock: FakeClock, leases: Leases, threads: ThreadPoolExecutor
) -> None:
    desk = takeover(database, clock, leases)
    for _ in range(5):
        together(
            threads,
            lambda: desk.set_mode("1", 1, Mode.HUMAN, API),
            lambda: desk.set_mode("1", 1, Mode.AI, API),
        )
    with database.read() as session:
        conversation = session.scalars(select(ConversationRow)).one()
        kinds = session.scalars(select(ConversationEventRow.kind).order_by(ConversationEventRow.id)).all()
    assert conversation.mode == ("human" if kinds[-1] == "takeover" else "ai")
    assert (conversation.hand_back_at is None) == (conversation.mode == "ai")
    # They took turns: nobody took over twice, or gave back what they did not have.
    assert all(before != after for before, after in pairwise(kinds))
    assert kinds[0] == "takeover"


@pytest.mark.usefixtures("committed")
def test_a_takeover_wakes_what_staff_had_written_behind_the_desks_message(
    database: Database, clock: FakeClock, leases: Leases
) -> None:
    woken = FakeQueue()
    Takeover(Modes(database, clock), leases, woken).set_mode("1", 1, Mode.HUMAN, API)
    assert woken.keys == [LANE]

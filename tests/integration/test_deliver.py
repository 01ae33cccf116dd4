"""Deliveries: in order, once, tried again while it helps, and given up to staff when it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain.messages import Channel, GuestAddress, OutboundMessage
from server.errors import LineDown, ProviderRejected, ProviderUnavailable
from server.outbox.deliver import GIVE_UP_AFTER, LONGEST_DELAY_S, Deliverer
from server.store.leases import Leases
from server.store.models import OutboxRow
from server.store.outbox import Outbox
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.fakes.senders import FakeSender
from tests.support.replies import commit_reply

LANE = "conversation:1"


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def deliverer(
    database: Database, clock: FakeClock, leases: Leases, sender: FakeSender, tenants: Tenants
) -> Deliverer:
    return Deliverer(leases, Outbox(database, clock), {Channel.WHATSAPP: sender}, clock)


@pytest.fixture
def committed(database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> None:
    """Two replies in one lane."""
    for text in ("first", "second"):
        commit_reply(database, clock, leases, text)


def states(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.state, row.reason) for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


@pytest.mark.usefixtures("committed")
async def test_a_lane_is_sent_in_order(deliverer: Deliverer, sender: FakeSender) -> None:
    await deliverer.run(LANE)
    assert [message.text for message in sender.sent] == ["first", "second"]


@pytest.mark.usefixtures("committed")
async def test_many_wakes_send_once(deliverer: Deliverer, sender: FakeSender) -> None:
    await asyncio.gather(*(deliverer.run(LANE) for _ in range(8)))
    assert [message.text for message in sender.sent] == ["first", "second"]


@pytest.mark.usefixtures("committed")
async def test_an_outage_is_waited_out_in_order_under_the_same_id(
    deliverer: Deliverer, sender: FakeSender, clock: FakeClock
) -> None:
    sender.outages = [ProviderUnavailable("whatsapp", "HTTP 503")]
    await deliverer.run(LANE)
    assert sender.sent == []
    clock.advance(LONGEST_DELAY_S)
    await deliverer.run(LANE)
    assert [(message.text, message.attempts) for message in sender.sent] == [("first", 2), ("second", 1)]


@pytest.mark.usefixtures("committed")
async def test_a_refusal_is_final_and_the_next_message_leaves(
    deliverer: Deliverer, sender: FakeSender, database: Database
) -> None:
    sender.outages = [ProviderRejected("whatsapp", "HTTP 502 code 463")]
    await deliverer.run(LANE)
    assert [message.text for message in sender.sent] == ["second"]
    assert states(database) == [("failed", "HTTP 502 code 463"), ("sent", "")]


@pytest.mark.usefixtures("committed")
async def test_an_answer_that_is_half_a_day_late_is_given_up(
    deliverer: Deliverer, sender: FakeSender, database: Database, clock: FakeClock
) -> None:
    clock.advance((GIVE_UP_AFTER + timedelta(minutes=1)).total_seconds())
    sender.outages = [ProviderUnavailable("whatsapp", "HTTP 503")]
    await deliverer.run(LANE)
    assert states(database)[0] == ("failed", "HTTP 503")


@pytest.mark.usefixtures("committed")
async def test_what_a_killed_process_was_sending_is_sent_again_under_its_id(
    deliverer: Deliverer, sender: FakeSender, leases: Leases, database: Database, clock: FakeClock
) -> None:
    lease = leases.claim(f"outbox:{LANE}")
    assert lease is not None
    died_on = Outbox(database, clock).start_sending(lease, LANE)
    assert died_on is not None
    leases.release(lease)
    await deliverer.run(LANE)
    assert sender.sent[0].message_id == died_on.message_id


@pytest.fixture
def many(database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> list[str]:
    """Replies to thirty guests of one business, each in a lane of its own."""
    lanes: list[str] = []
    for number in range(30):
        phone = f"9725{number:08}@s.whatsapp.net"
        lanes += commit_reply(database, clock, leases, "Hello", address=GuestAddress(phone, phone=phone))
    return lanes


class DownSender(FakeSender):
    """A line that is down until it is mended; counts who tries."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = True
        self.tries = 0

    def send(self, message: OutboundMessage) -> None:
        self.tries += 1
        if self.is_down:
            raise LineDown("whatsapp", "HTTP 503")
        super().send(message)


async def test_a_line_that_is_down_is_tried_once_and_not_by_every_lane(
    database: Database, clock: FakeClock, leases: Leases, many: list[str]
) -> None:
    outbox, sender = Outbox(database, clock), DownSender()
    deliverer = Deliverer(leases, outbox, {Channel.WHATSAPP: sender}, clock)
    for lane in many:
        await deliverer.run(lane)
    assert sender.tries == 1
    for tries in (2, 3, 4):
        clock.advance(LONGEST_DELAY_S)
        # Those that are due are all of them by now; the first finds out for the rest.
        for lane in outbox.due_lanes(100):
            await deliverer.run(lane)
        assert sender.tries == tries
    sender.is_down = False
    clock.advance(LONGEST_DELAY_S)
    await deliverer.run(outbox.due_lanes(1)[0])
    # One that got through has woken the rest.
    for lane in outbox.due_lanes(100):
        await deliverer.run(lane)
    assert len(sender.sent) == len(many)
    assert sender.tries == 4 + len(many)


async def test_a_line_of_another_business_is_not_down_with_it(
    database: Database, clock: FakeClock, leases: Leases, many: list[str]
) -> None:
    outbox, sender = Outbox(database, clock), DownSender()
    deliverer = Deliverer(leases, outbox, {Channel.WHATSAPP: sender}, clock)
    await deliverer.run(many[0])
    sender.is_down = False
    for lane in commit_reply(database, clock, leases, "Welcome", tenant_id="2"):
        await deliverer.run(lane)
    assert [message.text for message in sender.sent] == ["Welcome"]


async def test_answers_that_waited_half_a_day_for_the_line_are_given_up(
    database: Database, clock: FakeClock, leases: Leases, many: list[str]
) -> None:
    outbox = Outbox(database, clock)
    deliverer = Deliverer(leases, outbox, {Channel.WHATSAPP: DownSender()}, clock)
    for lane in many:
        await deliverer.run(lane)
    clock.advance((GIVE_UP_AFTER + timedelta(minutes=1)).total_seconds())
    for lane in outbox.due_lanes(100):
        await deliverer.run(lane)
    assert set(states(database)) == {("failed", "HTTP 503")}

"""Committed messages leave first in, first out, and their state never goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain.conversations import Lease
from server.domain.messages import DeliveryState, GuestAddress, OutboundMessage
from server.errors import LeaseLost
from server.store.leases import Leases
from server.store.models import ConversationRow, OutboxRow
from server.store.outbox import Outbox
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.replies import commit_reply

LANE = "conversation:1"


@pytest.fixture
def outbox(database: Database, clock: FakeClock) -> Outbox:
    return Outbox(database, clock)


@pytest.fixture
def lease(leases: Leases) -> Lease:
    return claim(leases, LANE)


@pytest.fixture
def committed(database: Database, clock: FakeClock, tenants: Tenants, leases: Leases) -> None:
    """Two replies of one conversation, ``first`` and ``second``."""
    for text in ("first", "second"):
        commit_reply(database, clock, leases, text)
        clock.advance(1)


def claim(leases: Leases, lane: str) -> Lease:
    lease = leases.claim(f"outbox:{lane}")
    assert lease is not None
    return lease


def start(outbox: Outbox, lease: Lease) -> OutboundMessage:
    message = outbox.start_sending(lease, LANE)
    assert message is not None
    return message


def state_of(database: Database, message: OutboundMessage) -> OutboxRow:
    with database.read() as session:
        return session.scalars(select(OutboxRow).where(OutboxRow.id == message.id)).one()


@pytest.mark.usefixtures("committed")
def test_messages_leave_in_the_order_of_their_commits(outbox: Outbox, lease: Lease) -> None:
    first = start(outbox, lease)
    outbox.mark_sent(lease, first)
    second = start(outbox, lease)
    outbox.mark_sent(lease, second)
    assert [first.text, second.text] == ["first", "second"]
    assert outbox.start_sending(lease, LANE) is None


@pytest.mark.usefixtures("committed")
def test_a_message_that_was_being_sent_is_sent_again_under_its_id(outbox: Outbox, lease: Lease) -> None:
    assert start(outbox, lease).message_id == start(outbox, lease).message_id


@pytest.mark.usefixtures("committed")
def test_a_postponed_message_holds_back_those_behind_it(
    outbox: Outbox, lease: Lease, clock: FakeClock
) -> None:
    outbox.postpone(lease, start(outbox, lease), 10)
    assert outbox.start_sending(lease, LANE) is None
    assert not outbox.is_due(LANE)
    clock.advance(10)
    assert start(outbox, lease).text == "first"


@pytest.mark.usefixtures("committed")
def test_a_line_that_is_back_wakes_what_was_postponed(outbox: Outbox, lease: Lease) -> None:
    outbox.postpone(lease, start(outbox, lease), 10)
    assert outbox.wake_tenant("1") == [LANE]
    assert outbox.is_due(LANE)


@pytest.mark.usefixtures("committed")
def test_another_tenants_line_wakes_nothing(outbox: Outbox) -> None:
    assert outbox.wake_tenant("2") == []


@pytest.mark.usefixtures("committed")
def test_a_failed_message_lets_the_next_one_go_and_calls_for_a_person(
    outbox: Outbox, lease: Lease, database: Database
) -> None:
    failed = start(outbox, lease)
    outbox.mark_failed(lease, failed, "HTTP 502 code 463")
    assert start(outbox, lease).text == "second"
    assert state_of(database, failed).reason == "HTTP 502 code 463"
    with database.read() as session:
        assert session.scalars(select(ConversationRow.needs_human)).one()


@pytest.mark.usefixtures("committed")
def test_only_the_holder_of_the_lane_sends(outbox: Outbox, lease: Lease) -> None:
    with pytest.raises(LeaseLost):
        outbox.start_sending(Lease(lease.key, "somebody", lease.token), LANE)


@pytest.mark.usefixtures("committed")
def test_a_late_ack_does_not_take_a_read_message_back(
    outbox: Outbox, lease: Lease, database: Database, clock: FakeClock
) -> None:
    message = start(outbox, lease)
    assert outbox.record_receipt("1", message.message_id, DeliveryState.READ, clock.now())
    outbox.mark_sent(lease, message)
    assert outbox.record_receipt("1", message.message_id, DeliveryState.DELIVERED, clock.now())
    assert state_of(database, message).state == DeliveryState.READ


@pytest.mark.usefixtures("committed")
def test_a_receipts_whole_seconds_put_nothing_before_its_sending(
    outbox: Outbox, lease: Lease, database: Database, clock: FakeClock
) -> None:
    message = start(outbox, lease)
    early = clock.now() - timedelta(milliseconds=900)
    outbox.record_receipt("1", message.message_id, DeliveryState.DELIVERED, early)
    row = state_of(database, message)
    assert row.sending_at is not None
    assert row.sent_at is not None
    assert row.delivered_at is not None
    assert row.sending_at <= row.sent_at <= row.delivered_at


@pytest.mark.usefixtures("committed")
def test_a_receipt_of_another_tenant_is_unknown(outbox: Outbox, lease: Lease, clock: FakeClock) -> None:
    message = start(outbox, lease)
    assert not outbox.record_receipt("2", message.message_id, DeliveryState.READ, clock.now())


@pytest.mark.usefixtures("committed")
def test_the_sweep_finds_lanes_that_are_due(outbox: Outbox) -> None:
    assert outbox.due_lanes(10) == [LANE]


OTHER_LANE = "conversation:2"
A_DAY = timedelta(days=1)


@pytest.fixture
def other_lease(leases: Leases) -> Lease:
    return claim(leases, OTHER_LANE)


@pytest.fixture
def another(database: Database, clock: FakeClock, committed: None, leases: Leases) -> None:
    """A reply to another guest of the same business."""
    phone = "972502222222@s.whatsapp.net"
    commit_reply(database, clock, leases, "other", address=GuestAddress(phone, phone=phone))


@pytest.mark.usefixtures("another")
def test_a_line_that_is_down_is_tried_by_one_message_while_the_others_wait(
    outbox: Outbox, lease: Lease, clock: FakeClock
) -> None:
    outbox.postpone_line(lease, start(outbox, lease), 10, A_DAY)
    assert outbox.due_lanes(10) == []
    clock.advance(10)
    assert outbox.due_lanes(10) == [LANE]
    # It has not come back, nor has it woken anybody: the others do not wait for ever.
    clock.advance(5)
    assert sorted(outbox.due_lanes(10)) == [LANE, OTHER_LANE]


@pytest.mark.usefixtures("another")
def test_what_is_committed_while_the_line_is_down_waits_with_the_others(
    outbox: Outbox, lease: Lease, other_lease: Lease, database: Database, clock: FakeClock
) -> None:
    outbox.postpone_line(lease, start(outbox, lease), 10, timedelta(0))
    newcomer = outbox.start_sending(other_lease, OTHER_LANE)
    assert newcomer is not None
    assert outbox.wait_for_line(other_lease, newcomer)
    row = state_of(database, newcomer)
    assert (row.state, row.attempts, row.sending_at) == ("committed", 0, None)
    clock.advance(10)
    assert outbox.due_lanes(10) == [LANE]


@pytest.mark.usefixtures("another")
def test_a_line_that_is_back_is_waited_for_by_nobody(
    outbox: Outbox, lease: Lease, other_lease: Lease, clock: FakeClock
) -> None:
    outbox.postpone_line(lease, start(outbox, lease), 10, A_DAY)
    assert outbox.wake_tenant("1") == [LANE, OTHER_LANE]
    message = outbox.start_sending(other_lease, OTHER_LANE)
    assert message is not None
    assert not outbox.wait_for_line(other_lease, message)


@pytest.mark.usefixtures("another")
def test_what_is_too_old_does_not_wait_for_the_line(outbox: Outbox, lease: Lease, clock: FakeClock) -> None:
    clock.advance(60)
    outbox.postpone_line(lease, start(outbox, lease), 10, timedelta(seconds=30))
    assert sorted(outbox.due_lanes(10)) == [LANE, OTHER_LANE]


@pytest.mark.usefixtures("committed")
def test_what_has_not_left_is_committed_again_and_what_may_have_is_not(
    outbox: Outbox, lease: Lease, database: Database, clock: FakeClock
) -> None:
    first = start(outbox, lease)
    assert not first.may_have_left
    outbox.postpone_line(lease, first, 10, A_DAY)
    assert state_of(database, first).state == "committed"
    clock.advance(10)
    without_an_ack = start(outbox, lease)
    assert not without_an_ack.may_have_left
    outbox.postpone(lease, without_an_ack, 10)
    assert state_of(database, first).state == "sending"
    clock.advance(10)
    again = start(outbox, lease)
    assert again.may_have_left
    # This attempt has sent nothing, but the one before it may have.
    outbox.postpone_line(lease, again, 10, A_DAY)
    assert state_of(database, first).state == "sending"


@pytest.mark.usefixtures("committed")
def test_an_ack_alone_says_nothing_of_a_delivery(
    outbox: Outbox, lease: Lease, database: Database, clock: FakeClock
) -> None:
    message = start(outbox, lease)
    outbox.record_receipt("1", message.message_id, DeliveryState.SENT, clock.now())
    row = state_of(database, message)
    assert (row.state, row.delivered_at) == ("sent", None)
    assert row.sent_at is not None

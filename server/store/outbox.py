"""Committed messages on their way out, first in, first out within a lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.conversations import Lease
from server.domain.messages import Channel, DeliveryState, OutboundMessage
from server.ports.clock import Clock
from server.store.leases import check_lease
from server.store.models import ConversationRow, OutboxRow
from server.store.session import Database

_LEAVING = (DeliveryState.COMMITTED, DeliveryState.SENDING)

# How far a message has got; a receipt never takes it back.
_PROGRESS = {
    DeliveryState.COMMITTED: 0,
    DeliveryState.SENDING: 1,
    DeliveryState.SENT: 2,
    DeliveryState.DELIVERED: 3,
    DeliveryState.READ: 4,
}


class Outbox:
    """The ``OutboxStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def due_lanes(self, limit: int) -> Sequence[str]:
        """Lanes with a message that may be sent now."""
        with self._database.read() as session:
            return session.scalars(
                select(OutboxRow.lane)
                .where(OutboxRow.state.in_(_LEAVING), OutboxRow.due_at <= self._clock.now())
                .distinct()
                .limit(limit)
            ).all()

    def is_due(self, lane: str) -> bool:
        """Whether the lane's first message may be sent now."""
        with self._database.read() as session:
            row = _first(session, lane)
            return row is not None and row.due_at <= self._clock.now()

    def start_sending(self, lease: Lease, lane: str) -> OutboundMessage | None:
        """Mark the lane's first message as being sent, if it is due, and return it."""
        with self._database.write() as session:
            check_lease(session, lease)
            row = _first(session, lane)
            now = self._clock.now()
            if row is None or row.due_at > now:
                return None
            row.state = DeliveryState.SENDING
            row.sending_at = row.sending_at or now
            row.attempts += 1
            return OutboundMessage(
                id=row.id,
                tenant_id=row.tenant_id,
                channel=Channel(row.channel),
                lane=row.lane,
                to=row.to_address,
                text=row.text,
                message_id=row.message_id,
                attempts=row.attempts,
                committed_at=row.committed_at,
            )

    def mark_sent(self, lease: Lease, message: OutboundMessage) -> None:
        """The provider has taken it; a receipt may have been quicker."""
        with self._database.write() as session:
            check_lease(session, lease)
            row = session.get_one(OutboxRow, message.id)
            row.sent_at = row.sent_at or self._clock.now()
            _advance(row, DeliveryState.SENT)

    def mark_failed(self, lease: Lease, message: OutboundMessage, reason: str) -> None:
        """It will never be sent: the guest still waits, so the conversation needs a person."""
        with self._database.write() as session:
            check_lease(session, lease)
            _fail(session, session.get_one(OutboxRow, message.id), reason)

    def postpone(self, lease: Lease, message: OutboundMessage, delay_s: float) -> None:
        """Try again later, under the same message id."""
        with self._database.write() as session:
            check_lease(session, lease)
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == message.id)
                .values(due_at=self._clock.now() + timedelta(seconds=delay_s))
            )

    def wake_tenant(self, tenant_id: str) -> Sequence[str]:
        """What waits for a later try may be sent now; returns the lanes."""
        with self._database.write() as session:
            lanes = session.scalars(
                update(OutboxRow)
                .where(
                    OutboxRow.tenant_id == tenant_id,
                    OutboxRow.channel == Channel.WHATSAPP,
                    OutboxRow.state.in_(_LEAVING),
                )
                .values(due_at=self._clock.now())
                .returning(OutboxRow.lane)
            ).all()
            return sorted(set(lanes))

    def requeue(self, tenant_id: str) -> int:
        """Let the tenant's failed messages leave again, under their ids; return how many."""
        with self._database.write() as session:
            now = self._clock.now()
            again = session.scalars(
                update(OutboxRow)
                .where(OutboxRow.tenant_id == tenant_id, OutboxRow.state == DeliveryState.FAILED)
                # From now on it has the whole time again before it is given up.
                .values(state=DeliveryState.COMMITTED, reason="", attempts=0, due_at=now, committed_at=now)
                .returning(OutboxRow.id)
            ).all()
            return len(again)

    def record_receipt(
        self, tenant_id: str, message_id: str, state: DeliveryState, at: datetime, reason: str = ""
    ) -> bool:
        """Note that a message was delivered, read or failed; a state never goes back. False if unknown."""
        with self._database.write() as session:
            row = session.scalars(
                select(OutboxRow).where(
                    OutboxRow.tenant_id == tenant_id,
                    OutboxRow.channel == Channel.WHATSAPP,
                    OutboxRow.message_id == message_id,
                )
            ).one_or_none()
            if row is None:
                return False
            if state is DeliveryState.FAILED:
                if row.delivered_at is None:
                    _fail(session, row, reason)
                return True
            # WhatsApp tells whole seconds: a receipt would stand before what it is the receipt of.
            at = max(at, row.sent_at or row.sending_at or row.committed_at)
            row.sent_at = row.sent_at or at
            row.delivered_at = row.delivered_at or at
            if state is DeliveryState.READ:
                row.read_at = row.read_at or at
            _advance(row, state)
            return True


def _first(session: Session, lane: str) -> OutboxRow | None:
    return session.scalars(
        select(OutboxRow)
        .where(OutboxRow.lane == lane, OutboxRow.state.in_(_LEAVING))
        .order_by(OutboxRow.id)
        .limit(1)
    ).one_or_none()


def _advance(row: OutboxRow, state: DeliveryState) -> None:
    if _PROGRESS[state] > _PROGRESS.get(DeliveryState(row.state), -1):
        row.state = state


def _fail(session: Session, row: OutboxRow, reason: str) -> None:
    row.state = DeliveryState.FAILED
    row.reason = reason
    if row.conversation_id is not None:
        session.execute(
            update(ConversationRow).where(ConversationRow.id == row.conversation_id).values(needs_human=True)
        )

"""Committed messages on their way out, first in, first out within a lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, or_, select, text, update
from sqlalchemy.orm import Session

from server.domain.conversations import Lease, Mode
from server.domain.messages import Channel, DeliveryState, OutboundKind, OutboundMessage
from server.ports.clock import Clock
from server.store.due import AT_ONCE, due, is_due
from server.store.leases import check_lease
from server.store.models import ConversationRow, OutboxRow, table_of
from server.store.needs import ask_for_a_person
from server.store.session import Database

# The reason of the one message that tries whether its tenant's line is back.
_LINE_DOWN = "not connected"
# The others of the tenant follow so long after it, unless it wakes them at once.
_BEHIND_THE_PROBE = timedelta(seconds=5)

_OUTBOX, _CONVERSATION = table_of(OutboxRow), table_of(ConversationRow)
# In letters, as the partial index has it: SQLite does not take that index for values it is given.
_IS_LEAVING = text("outbox_messages.state IN ('committed', 'sending')")
# Every reply goes through these: they are compiled once.
_NEXT = (
    select(
        *(
            _OUTBOX.c[name]
            for name in (
                "id",
                "tenant_id",
                "conversation_id",
                "channel",
                "lane",
                "kind",
                "to_address",
                "text",
                "message_id",
                "state",
                "attempts",
                "due_at",
                "committed_at",
            )
        )
    )
    .where(_OUTBOX.c.lane == bindparam("in_lane"), _IS_LEAVING)
    .order_by(_OUTBOX.c.id)
    .limit(1)
)
_NEXT_LOCKED = _NEXT.with_for_update()
_MODE = select(_CONVERSATION.c.mode).where(_CONVERSATION.c.id == bindparam("conversation"))
_THIS = update(_OUTBOX).where(_OUTBOX.c.id == bindparam("message"))
_CANCEL = _THIS.values(state=DeliveryState.CANCELLED, reason="staff took over")
_START = _THIS.values(
    state=DeliveryState.SENDING,
    reason="",
    attempts=_OUTBOX.c.attempts + 1,
    sending_at=func.coalesce(_OUTBOX.c.sending_at, bindparam("at")),
)

# A receipt may have been quicker.
_SENT = _THIS.values(
    sent_at=func.coalesce(_OUTBOX.c.sent_at, bindparam("at")),
    state=case(
        (_OUTBOX.c.state.in_((DeliveryState.DELIVERED, DeliveryState.READ)), _OUTBOX.c.state),
        else_=DeliveryState.SENT,
    ),
)

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
                .where(_IS_LEAVING, due(OutboxRow.due_at, self._clock.now()))
                .distinct()
                .limit(limit)
            ).all()

    def is_due(self, lane: str) -> bool:
        """Whether the lane's first message may be sent now."""
        with self._database.read() as session:
            row = session.connection().execute(_NEXT, {"in_lane": lane}).first()
            return row is not None and is_due(row.due_at, self._clock.now())

    def start_sending(self, lease: Lease, lane: str) -> OutboundMessage | None:
        """Mark the lane's first message as being sent, if it is due, and return it.

        A reply of the desk in a conversation that staff have taken over is cancelled instead.
        """
        with self._database.write() as session:
            check_lease(session, lease)
            connection = session.connection()
            now = self._clock.now()
            # Locked: a takeover at this moment has cancelled the row before we see it, or waits for us and
            # finds it being sent.
            while (row := connection.execute(_NEXT_LOCKED, {"in_lane": lane}).first()) is not None:
                if _is_unwanted(connection, row):
                    connection.execute(_CANCEL, {"message": row.id})
                    continue
                if not is_due(row.due_at, now):
                    return None
                connection.execute(_START, {"message": row.id, "at": now})
                return _to_message(row)
            return None

    def mark_sent(self, lease: Lease, message: OutboundMessage) -> None:
        """The provider has taken it; a receipt may have been quicker."""
        with self._database.write() as session:
            check_lease(session, lease)
            session.connection().execute(_SENT, {"message": message.id, "at": self._clock.now()})

    def mark_failed(self, lease: Lease, message: OutboundMessage, reason: str) -> None:
        """It will never be sent: the guest still waits, so the conversation needs a person."""
        with self._database.write() as session:
            check_lease(session, lease)
            _fail(session, session.get_one(OutboxRow, message.id), reason, self._clock.now())

    def postpone(self, lease: Lease, message: OutboundMessage, delay_s: float) -> None:
        """Try again later, under the same message id.

        The message stays ``sending``: nobody knows whether it has left, and whoever cancels it must know
        that it may have.
        """
        with self._database.write() as session:
            check_lease(session, lease)
            row = session.get_one(OutboxRow, message.id, with_for_update=True)
            row.due_at = self._clock.now() + timedelta(seconds=delay_s)

    def postpone_line(
        self, lease: Lease, message: OutboundMessage, delay_s: float, give_up_after: timedelta
    ) -> None:
        """The tenant's line is down: *message* tries it again in *delay_s* seconds, and the others wait."""
        with self._database.write() as session:
            check_lease(session, lease)
            now = self._clock.now()
            next_try = now + timedelta(seconds=delay_s)
            young = OutboxRow.committed_at > now - give_up_after
            waiting = _leaving(message.tenant_id, message.channel).where(
                or_(OutboxRow.id == message.id, young)
            )
            _set_due(session, waiting, next_try + _BEHIND_THE_PROBE)
            row = session.get_one(OutboxRow, message.id)
            _has_not_left(row, message)
            row.due_at, row.reason = next_try, _LINE_DOWN

    def wait_for_line(self, lease: Lease, message: OutboundMessage) -> bool:
        """Let *message*, which has not been tried, wait behind the one that tries the line.

        False if there is none: the line has come back, or nobody knows of its being down.
        """
        with self._database.write() as session:
            check_lease(session, lease)
            now = self._clock.now()
            probe_at = session.scalars(
                select(OutboxRow.due_at)
                .where(
                    OutboxRow.tenant_id == message.tenant_id,
                    OutboxRow.channel == message.channel,
                    _IS_LEAVING,
                    OutboxRow.reason == _LINE_DOWN,
                    OutboxRow.id != message.id,
                    ~due(OutboxRow.due_at, now),
                )
                .limit(1)
            ).first()
            if probe_at is None:
                return False
            row = session.get_one(OutboxRow, message.id, with_for_update=True)
            _has_not_left(row, message)
            row.attempts -= 1
            row.due_at = probe_at + _BEHIND_THE_PROBE
            return True

    def wake_tenant(self, tenant_id: str) -> Sequence[str]:
        """What waits for a later try may be sent now; returns the lanes."""
        with self._database.write() as session:
            return _set_due(session, _leaving(tenant_id, Channel.WHATSAPP), AT_ONCE)

    def requeue(self, tenant_id: str) -> int:
        """Let the tenant's failed messages leave again, under their ids; return how many."""
        with self._database.write() as session:
            now = self._clock.now()
            again = session.scalars(
                update(OutboxRow)
                .where(OutboxRow.tenant_id == tenant_id, OutboxRow.state == DeliveryState.FAILED)
                # From now on it has the whole time again before it is given up.
                .values(
                    state=DeliveryState.COMMITTED, reason="", attempts=0, due_at=AT_ONCE, committed_at=now
                )
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
                if row.delivered_at is None and row.state != DeliveryState.CANCELLED:
                    _fail(session, row, reason, self._clock.now())
                return True
            # WhatsApp tells whole seconds: a receipt would stand before what it is the receipt of.
            at = max(at, row.sent_at or row.sending_at or row.committed_at)
            row.sent_at = row.sent_at or at
            if state is not DeliveryState.SENT:
                row.delivered_at = row.delivered_at or at
            if state is DeliveryState.READ:
                row.read_at = row.read_at or at
            # Of a cancelled message too: it had left after all, and the log says so.
            _advance(row, state)
            return True


def _is_unwanted(connection: Connection, row: Row[*tuple[Any, ...]]) -> bool:
    if row.kind != OutboundKind.REPLY or row.conversation_id is None:
        return False
    # After the row has been locked: its mode is that of the takeover which was waited for.
    mode = connection.execute(_MODE, {"conversation": row.conversation_id}).scalar_one()
    return Mode(mode) is not Mode.AI


def _to_message(row: Row[*tuple[Any, ...]]) -> OutboundMessage:
    """The message of a row as it was before this attempt."""
    return OutboundMessage(
        id=row.id,
        tenant_id=row.tenant_id,
        channel=Channel(row.channel),
        lane=row.lane,
        to=row.to_address,
        text=row.text,
        message_id=row.message_id,
        attempts=row.attempts + 1,
        committed_at=row.committed_at,
        may_have_left=row.state == DeliveryState.SENDING,
    )


def _has_not_left(row: OutboxRow, message: OutboundMessage) -> None:
    """This attempt has sent nothing. What an earlier one did is another matter."""
    if not message.may_have_left:
        row.state, row.sending_at = DeliveryState.COMMITTED, None


def _leaving(tenant_id: str, channel: Channel) -> Select[int]:
    return select(OutboxRow.id).where(
        OutboxRow.tenant_id == tenant_id, OutboxRow.channel == channel, _IS_LEAVING
    )


def _set_due(session: Session, rows: Select[int], due_at: datetime) -> Sequence[str]:
    """Set when *rows* are due, and nothing of a line that is down any more; returns their lanes."""
    # In their order, so that two who do this at once wait for one another instead of both for ever.
    locked = rows.order_by(OutboxRow.id).with_for_update()
    lanes = session.scalars(
        update(OutboxRow)
        .where(OutboxRow.id.in_(locked))
        .values(due_at=due_at, reason="")
        .returning(OutboxRow.lane)
        .execution_options(synchronize_session=False)
    ).all()
    return sorted(set(lanes))


def _advance(row: OutboxRow, state: DeliveryState) -> None:
    if _PROGRESS[state] > _PROGRESS.get(DeliveryState(row.state), -1):
        row.state = state


def _fail(session: Session, row: OutboxRow, reason: str, now: datetime) -> None:
    # The conversation before the message, as a takeover locks them.
    if row.conversation_id is not None:
        ask_for_a_person(session, row.conversation_id, now)
    row.state = DeliveryState.FAILED
    row.reason = reason

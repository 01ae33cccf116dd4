"""Who answers a conversation: takeover, hand-back, and what staff write.

Whoever changes a mode holds the conversation's row until the commit. The commit of a reply takes the same
row (`server.store.replies`), so that of a takeover and a reply one comes first: a reply before the takeover
is found here and cancelled, one after it is refused there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from server.domain.conversations import Lease, Mode, Unanswered
from server.domain.messages import Channel, DeliveryState, OutboundKind, conversation_lane
from server.domain.modes import Actor, EventKind, ModeBy, ModeChange, StaffMessage
from server.domain.phrases import Phrase
from server.errors import Conflict, UnprocessableRequest
from server.ports.clock import Clock
from server.store.drafts import close_drafts
from server.store.due import AT_ONCE
from server.store.leases import check_lease
from server.store.locked import locked_conversation
from server.store.models import ConversationEventRow, ConversationRow, GuestRow, InboundRow, OutboxRow
from server.store.needs import ask_for_a_person
from server.store.session import Database
from server.store.tenants import get_tenant_row, to_tenant
from server.store.turn_ids import message_id_for

BY_TIME = Actor(ModeBy.TIME)


class Modes:
    """The ``ModeStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set_mode(self, tenant_id: str, conversation_id: int, mode: Mode, actor: Actor) -> ModeChange:
        """Change the mode; unless it becomes ``ai``, cancel what the desk has committed."""
        with self._database.write() as session:
            conversation = locked_conversation(session, tenant_id, conversation_id)
            if mode is Mode.AI:
                hand_back(session, conversation, actor, self._clock.now())
                return ModeChange(conversation_id, mode, 0)
            cancelled = take_over(session, conversation, mode, actor, self._clock.now())
            return ModeChange(conversation_id, mode, cancelled)

    def is_sending(self, conversation_id: int) -> bool:
        """Whether staff have the conversation and a reply of the desk is on its way all the same."""
        with self._database.read() as session:
            found = session.execute(
                select(OutboxRow.id)
                .join(ConversationRow, ConversationRow.id == OutboxRow.conversation_id)
                .where(
                    OutboxRow.lane == conversation_lane(conversation_id),
                    OutboxRow.kind == OutboundKind.REPLY,
                    OutboxRow.state == DeliveryState.SENDING,
                    ConversationRow.mode != Mode.AI,
                )
                .limit(1)
            )
            return found.first() is not None

    def cancel_sending(self, lease: Lease, conversation_id: int) -> int:
        """Cancel what is marked as being sent: whoever sent it has lost the lane, or waits to try again."""
        with self._database.write() as session:
            check_lease(session, lease)
            conversation = session.get(ConversationRow, conversation_id, with_for_update=True)
            # Handed back meanwhile: what is on its way now is wanted.
            if conversation is None or Mode(conversation.mode) is Mode.AI:
                return 0
            reason = "staff took over; it may have left before"
            return _cancel_replies(session, conversation_id, DeliveryState.SENDING, reason)

    def write_as_staff(
        self, tenant_id: str, conversation_id: int, text: str, actor: Actor, client_id: str | None = None
    ) -> StaffMessage:
        """Take the conversation over, unless staff have drafts made there, and put *text* behind what is
        leaving, in one transaction."""
        with self._database.write() as session:
            conversation = locked_conversation(session, tenant_id, conversation_id)
            key = f"{conversation_id}/{client_id or secrets.token_hex(16)}"
            message_id = message_id_for(key, OutboundKind.STAFF, tenant_id)
            known = _find_outgoing(session, tenant_id, message_id)
            if known is not None:
                return _repeated(conversation_id, known, text)
            now = self._clock.now()
            channel, to = guest_address(session, conversation)
            take_over(session, conversation, mode_after_word(conversation), actor, now)
            close_drafts(session, conversation_id, now)
            conversation.last_message_at = now
            row = staff_row(conversation, channel, to, text, message_id, now)
            session.add(row)
            return _to_staff_message(conversation_id, row, is_new=True)

    def hand_back_due(self, limit: int) -> Sequence[int]:
        """Give the desk back the conversations in which staff have said nothing for long; return them."""
        now = self._clock.now()
        with self._database.read() as session:
            due = session.scalars(
                select(ConversationRow.id)
                .where(ConversationRow.hand_back_at <= now)
                .order_by(ConversationRow.hand_back_at)
                .limit(limit)
            ).all()
        return [conversation_id for conversation_id in due if self._hand_back_if_due(conversation_id, now)]

    def _hand_back_if_due(self, conversation_id: int, now: datetime) -> bool:
        with self._database.write() as session:
            conversation = session.get(ConversationRow, conversation_id, with_for_update=True)
            if conversation is None or conversation.hand_back_at is None or conversation.hand_back_at > now:
                return False
            hand_back(session, conversation, BY_TIME, now)
            # The desk answers what comes; what the guest wrote to the team is still the team's to answer.
            if is_left_waiting(session, conversation_id):
                ask_for_a_person(session, conversation_id, now)
            return True


def take_over(
    session: Session, conversation: ConversationRow, mode: Mode, actor: Actor, now: datetime
) -> int:
    """Give a conversation to staff; return how many of the desk's replies that has cancelled.

    Args:
        conversation: locked.
        mode: ``human`` or ``draft``.
        now: when staff spoke. From then on the time runs after which the desk takes over again.
    """
    before = Mode(conversation.mode)
    conversation.needs_human_since = None
    conversation.hand_back_at = _later(conversation.hand_back_at, hand_back_at(session, conversation, now))
    if before is not mode:
        conversation.mode, conversation.mode_by = mode, actor.by
        kind = EventKind.TAKEOVER if before is Mode.AI else EventKind.MODE
        session.add(_event(conversation, kind, actor, mode, now))
    return _cancel_replies(session, conversation.id, DeliveryState.COMMITTED, "staff took over")


def mode_after_word(conversation: ConversationRow) -> Mode:
    """What a word of staff's makes of the mode: who has drafts made goes on having them made."""
    return Mode.DRAFT if Mode(conversation.mode) is Mode.DRAFT else Mode.HUMAN


def hand_back(session: Session, conversation: ConversationRow, actor: Actor, now: datetime) -> None:
    """Give a locked conversation back to the desk."""
    conversation.hand_back_at = None
    close_drafts(session, conversation.id, now)
    if Mode(conversation.mode) is not Mode.AI:
        conversation.mode, conversation.mode_by = Mode.AI, actor.by
        session.add(_event(conversation, EventKind.HAND_BACK, actor, Mode.AI, now))


def hand_back_at(session: Session, conversation: ConversationRow, spoke_at: datetime) -> datetime | None:
    """When the desk takes over again if staff say nothing more after *spoke_at*; None is never."""
    settings = to_tenant(get_tenant_row(session, conversation.tenant_id)).settings
    minutes = settings.hand_back_after_minutes
    return spoke_at + timedelta(minutes=minutes) if minutes > 0 else None


def is_left_waiting(session: Session, conversation_id: int) -> bool:
    """Whether the last word is the guest's, and was left to staff."""
    newest = session.scalars(_newest_inbound(conversation_id)).first()
    if newest is None or newest.unanswered_because != Unanswered.HUMAN:
        return False
    answered = select(OutboxRow.id).where(
        OutboxRow.conversation_id == conversation_id,
        OutboxRow.kind == OutboundKind.STAFF,
        OutboxRow.committed_at >= newest.received_at,
    )
    return session.scalars(answered.limit(1)).first() is None


def _newest_inbound(conversation_id: int) -> Select[InboundRow]:
    rows = select(InboundRow).where(InboundRow.conversation_id == conversation_id)
    return rows.order_by(InboundRow.id.desc()).limit(1)


def _later(before: datetime | None, after: datetime | None) -> datetime | None:
    # Words that came late do not take back what was said after them; never stays never.
    return None if after is None else max(before or after, after)


def _cancel_replies(session: Session, conversation_id: int, state: DeliveryState, reason: str) -> int:
    # Locked in their order, as everybody does. PostgreSQL looks at the state again after it has waited for
    # a row: one that has begun to leave meanwhile is not among them.
    rows = session.scalars(
        select(OutboxRow.id)
        .where(
            OutboxRow.lane == conversation_lane(conversation_id),
            OutboxRow.kind == OutboundKind.REPLY,
            OutboxRow.state == state,
        )
        .order_by(OutboxRow.id)
        .with_for_update()
    ).all()
    cancelled = update(OutboxRow).where(OutboxRow.id.in_(rows))
    session.execute(cancelled.values(state=DeliveryState.CANCELLED, reason=reason))
    return len(rows)


def _event(
    conversation: ConversationRow, kind: EventKind, actor: Actor, mode: Mode, now: datetime
) -> ConversationEventRow:
    return ConversationEventRow(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        kind=kind,
        actor=str(actor),
        details={"mode": mode},
        at=now,
    )


def _find_outgoing(session: Session, tenant_id: str, message_id: str) -> OutboxRow | None:
    return session.scalars(
        select(OutboxRow).where(
            OutboxRow.tenant_id == tenant_id,
            OutboxRow.channel.in_([Channel.WHATSAPP, Channel.CHAT]),
            OutboxRow.message_id == message_id,
        )
    ).one_or_none()


def _repeated(conversation_id: int, known: OutboxRow, text: str) -> StaffMessage:
    if known.text != text:
        raise Conflict(Phrase("another text was sent under this id; give a new message a new id"))
    return _to_staff_message(conversation_id, known, is_new=False)


def guest_address(session: Session, conversation: ConversationRow) -> tuple[Channel, str]:
    """Where the guest wrote from last; if only the business has written, where it wrote to.

    Somebody who has only called is written to on WhatsApp.
    """
    newest = _newest_inbound(conversation.id).where(InboundRow.channel != Channel.VOICE)
    row = session.scalars(newest.where(InboundRow.from_me.is_(False))).first()
    row = row or session.scalars(newest).first()
    if row is None:
        phone = session.get_one(GuestRow, conversation.guest_id).phone
        if phone is not None:
            return Channel.WHATSAPP, phone
        raise UnprocessableRequest(
            Phrase("nobody has written in this conversation: there is no address to send to")
        )
    return Channel(row.channel), row.reply_to


def staff_row(
    conversation: ConversationRow, channel: Channel, to: str, text: str, message_id: str, now: datetime
) -> OutboxRow:
    # A chat client reads the conversation: nothing is pushed to it.
    is_out = channel is Channel.CHAT
    return OutboxRow(
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        turn_id=None,
        lane=conversation_lane(conversation.id),
        channel=channel,
        kind=OutboundKind.STAFF,
        to_address=to,
        text=text,
        message_id=message_id,
        state=DeliveryState.SENT if is_out else DeliveryState.COMMITTED,
        due_at=AT_ONCE,
        committed_at=now,
        sent_at=now if is_out else None,
    )


def _to_staff_message(conversation_id: int, row: OutboxRow, *, is_new: bool) -> StaffMessage:
    return StaffMessage(conversation_id, row.message_id, DeliveryState(row.state), row.lane, is_new)

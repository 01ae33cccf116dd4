"""Calls that are over, and what goes on in writing of one that broke off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from server.domain.calls import CONTINUED_TURN, call_turn_id
from server.domain.conversations import Mode, Reply
from server.domain.messages import Channel, DeliveryState, OutboundKind, conversation_lane
from server.store.due import AT_ONCE
from server.store.models import CallRow, ConversationRow, InboundRow, OutboxRow, TurnRow
from server.store.turn_ids import message_id_for


def due_endings(session: Session, now: datetime, limit: int) -> Sequence[CallRow]:
    """Calls whose end is to be looked at."""
    return session.scalars(
        select(CallRow).where(CallRow.continue_at <= now).order_by(CallRow.continue_at).limit(limit)
    ).all()


def close_ending(session: Session, call_id: str, reply: Reply | None, now: datetime) -> str | None:
    """Nobody looks at the call's end again; *reply* goes to the guest's WhatsApp, if they have written there.

    Returns its outbox lane; None if nothing is to be sent: somebody was quicker, staff have the thread, the
    guest is known by telephone alone, or has called again.
    """
    call = session.scalars(
        update(CallRow)
        .where(CallRow.id == call_id, CallRow.continue_at.is_not(None))
        .values(continue_at=None)
        .returning(CallRow)
    ).one_or_none()
    if call is None or reply is None or _has_called_again(session, call):
        return None
    # Locked: staff who take over at this moment have done so before, or find the message in the outbox.
    conversation = session.get_one(ConversationRow, call.conversation_id, with_for_update=True)
    to = _whatsapp_address(session, call.conversation_id)
    if to is None or Mode(conversation.mode) is not Mode.AI:
        return None
    turn = _turn_row(call, reply, now)
    session.add(turn)
    session.flush()
    sent = _outbox_row(turn, reply, to, now)
    session.add(sent)
    conversation.last_message_at = now
    return sent.lane


def _has_called_again(session: Session, call: CallRow) -> bool:
    later = exists().where(
        CallRow.conversation_id == call.conversation_id,
        CallRow.started_at > call.started_at,
        CallRow.id != call.id,
    )
    return bool(session.scalar(select(later)))


def _whatsapp_address(session: Session, conversation_id: int) -> str | None:
    """Where the guest wrote from last; a number that never wrote may not be on WhatsApp at all."""
    return session.scalars(
        select(InboundRow.reply_to)
        .where(
            InboundRow.conversation_id == conversation_id,
            InboundRow.channel == Channel.WHATSAPP,
            InboundRow.from_me.is_(False),
        )
        .order_by(InboundRow.id.desc())
        .limit(1)
    ).first()


def _turn_row(call: CallRow, reply: Reply, now: datetime) -> TurnRow:
    # It is no turn of the call's: it was not spoken there.
    return TurnRow(
        id=call_turn_id(call.id, CONTINUED_TURN),
        tenant_id=call.tenant_id,
        conversation_id=call.conversation_id,
        source=reply.source,
        language=reply.language,
        handover=reply.handover,
        reason=reply.reason,
        citations=[asdict(citation) for citation in reply.citations],
        model=reply.model,
        prompt_version=reply.prompt_version,
        started_at=now,
        committed_at=now,
    )


def _outbox_row(turn: TurnRow, reply: Reply, to: str, now: datetime) -> OutboxRow:
    return OutboxRow(
        tenant_id=turn.tenant_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        lane=conversation_lane(turn.conversation_id),
        channel=Channel.WHATSAPP,
        kind=OutboundKind.REPLY,
        to_address=to,
        text=reply.text,
        message_id=message_id_for(turn.id, OutboundKind.REPLY, to),
        state=DeliveryState.COMMITTED,
        due_at=AT_ONCE,
        committed_at=now,
    )

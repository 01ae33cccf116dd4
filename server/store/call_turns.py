"""What was said on a call, in the caller's thread: one turn, one line, however often it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from server.domain.calls import Call, CallTurn, EndedCall, call_turn_id
from server.domain.conversations import Turn, WaitingMessage
from server.domain.messages import Channel, DeliveryState, MessageKind, OutboundKind
from server.store.due import AT_ONCE
from server.store.models import ConversationRow, InboundRow, OutboxRow, TurnRow
from server.store.needs import ask_for_a_person, ask_for_help
from server.store.notices import staff_notices
from server.store.questions import note_question
from server.store.replies import to_reply
from server.store.session import Database
from server.store.turn_ids import message_id_for

# A turn stands in its thread with all that belongs to it: what the indices are for.
_IS_ITS_REPLY = and_(
    OutboxRow.conversation_id == TurnRow.conversation_id,
    OutboxRow.turn_id == TurnRow.id,
    OutboxRow.kind == OutboundKind.REPLY,
)
# Each with what was told of it, and with the caller's words if there were any.
SPOKEN_TURNS = (
    select(TurnRow, OutboxRow.text, InboundRow.text)
    .join(OutboxRow, _IS_ITS_REPLY)
    .outerjoin(
        InboundRow,
        and_(InboundRow.conversation_id == OutboxRow.conversation_id, InboundRow.covered_by == OutboxRow.id),
    )
)


def keep_turn(
    database: Database, session: Session, call: Call, turn: CallTurn, console_url: str
) -> Sequence[str]:
    """Keep *turn*, or what is new about it; returns the outbox lanes that have news for staff."""
    values = _turn_values(call, turn)
    # Two processes may tell of the same turn at once: the second waits here, and then tells of it again.
    is_new = session.execute(
        database.insert(TurnRow).values(**values).on_conflict_do_nothing().returning(TurnRow.id)
    ).first()
    is_news = _add(session, call, turn) if is_new else _retell(session, call, turn, values)
    if not is_news or call.is_test:
        return []
    told = _as_turn(call, turn)
    note_question(database, session, told, turn.reply, turn.ended_at)
    notices = staff_notices(told, turn.reply, console_url, turn.ended_at)
    session.add_all(notices)
    return [notice.lane for notice in notices]


def find_turn(session: Session, call_id: str, number: int) -> CallTurn | None:
    """A turn as it is kept."""
    found = session.execute(SPOKEN_TURNS.where(TurnRow.id == call_turn_id(call_id, number))).one_or_none()
    if found is None:
        return None
    turn, told, words = found
    return CallTurn(
        number=number,
        words=words or "",
        reply=to_reply(turn, _meant(turn, told)),
        told=told,
        started_at=turn.started_at,
        ended_at=turn.committed_at,
    )


def as_ended(session: Session, call: Call) -> EndedCall:
    """*call*, which is over, with what was said last."""
    last_first = (TurnRow.started_at.desc(), TurnRow.committed_at.desc())
    found = session.execute(
        SPOKEN_TURNS.where(TurnRow.call_id == call.id).order_by(*last_first).limit(1)
    ).one_or_none()
    if found is None:
        return EndedCall(call)
    turn, told, words = found
    return EndedCall(call, words or "", to_reply(turn, _meant(turn, told)), told)


def _add(session: Session, call: Call, turn: CallTurn) -> bool:
    """Put it into the thread; whether staff are to hear of it."""
    said = _outbox_row(call, turn)
    session.add(said)
    session.flush()
    if turn.words:
        session.add(_inbound_row(session, call, turn, said.id))
    _touch(session, call, turn)
    return turn.reply.handover


def _retell(session: Session, call: Call, turn: CallTurn, values: dict[str, Any]) -> bool:
    """Keep what is new about a turn; whether staff are to hear of it who have not yet."""
    known = session.get_one(TurnRow, values["id"], with_for_update=True)
    said = session.scalars(select(OutboxRow).join(TurnRow, _IS_ITS_REPLY).where(TurnRow.id == known.id)).one()
    # What was heard stays heard, and what is known stays known, in whatever order processes tell of it.
    if not turn.told and (said.text or not turn.reply.text):
        return False
    is_news = turn.reply.handover and not known.handover
    for name in _RETOLD:
        setattr(known, name, values[name])
    said.text, said.state = turn.told, _state(turn)
    said.committed_at, said.delivered_at = turn.ended_at, turn.ended_at if turn.told else None
    _touch(session, call, turn)
    return is_news


# Of a turn that is told again.
_RETOLD = (
    "source",
    "language",
    "handover",
    "reason",
    "citations",
    "timings_ms",
    "steps_ms",
    "model",
    "prompt_version",
    "intended",
    "committed_at",
)


def _turn_values(call: Call, turn: CallTurn) -> dict[str, Any]:
    reply = turn.reply
    return {
        "id": call_turn_id(call.id, turn.number),
        "tenant_id": call.tenant.id,
        "conversation_id": call.conversation_id,
        "source": reply.source,
        "language": reply.language,
        "handover": reply.handover,
        "reason": reply.reason,
        "citations": [asdict(citation) for citation in reply.citations],
        "timings_ms": dict(reply.timings_ms),
        "steps_ms": dict(reply.steps_ms),
        "model": reply.model,
        "prompt_version": reply.prompt_version,
        "quick_replies": [],
        "call_id": call.id,
        "intended": None if turn.told == reply.text else reply.text,
        "started_at": turn.started_at,
        "committed_at": turn.ended_at,
    }


def _meant(turn: TurnRow, told: str) -> str:
    """All of the reply, also where the caller heard a part of it."""
    return told if turn.intended is None else turn.intended


def _state(turn: CallTurn) -> DeliveryState:
    # Nobody heard a word of it: it stands in no history.
    return DeliveryState.DELIVERED if turn.told else DeliveryState.CANCELLED


def _outbox_row(call: Call, turn: CallTurn) -> OutboxRow:
    turn_id, now = call_turn_id(call.id, turn.number), turn.ended_at
    return OutboxRow(
        tenant_id=call.tenant.id,
        conversation_id=call.conversation_id,
        turn_id=turn_id,
        lane=f"call:{call.id}",
        channel=Channel.VOICE,
        kind=OutboundKind.REPLY,
        to_address=call.caller,
        text=turn.told,
        message_id=message_id_for(turn_id, OutboundKind.REPLY, call.caller),
        state=_state(turn),
        due_at=AT_ONCE,
        committed_at=now,
        sent_at=now,
        delivered_at=now if turn.told else None,
    )


def _inbound_row(session: Session, call: Call, turn: CallTurn, reply_id: int) -> InboundRow:
    conversation = session.get_one(ConversationRow, call.conversation_id)
    return InboundRow(
        tenant_id=call.tenant.id,
        conversation_id=call.conversation_id,
        guest_id=conversation.guest_id,
        channel=Channel.VOICE,
        from_me=False,
        provider_id=f"{call.id}:{turn.number}",
        reply_to=call.caller,
        kind=MessageKind.TEXT,
        text=turn.words,
        details={},
        sent_at=turn.started_at,
        # It stands in the thread before what was said to it.
        received_at=turn.started_at,
        due_at=AT_ONCE,
        # Words on the phone are answered on the phone: they never wait for a turn.
        handled_at=turn.ended_at,
        covered_by=reply_id,
    )


def _touch(session: Session, call: Call, turn: CallTurn) -> None:
    values: dict[str, Any] = {"last_message_at": turn.ended_at, "language": turn.reply.language}
    session.execute(
        update(ConversationRow).where(ConversationRow.id == call.conversation_id).values(**values)
    )
    if turn.reply.handover and not call.is_test:
        ask = ask_for_help if turn.reply.urgent else ask_for_a_person
        ask(session, call.conversation_id, turn.ended_at)


def _as_turn(call: Call, turn: CallTurn) -> Turn:
    """What staff are told of it with the same words as of any turn."""
    said = WaitingMessage(0, call.id, MessageKind.TEXT, turn.words, None, turn.started_at, 0)
    return Turn(
        id=call_turn_id(call.id, turn.number),
        tenant=call.tenant,
        conversation_id=call.conversation_id,
        channel=Channel.VOICE,
        mode=call.mode,
        reply_to=call.caller,
        guest_name=call.guest_name,
        messages=[said],
        history=call.history,
        offered=(),
    )

"""The commit of a reply: the one place where messages are covered and the outbox is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.orm import Session

from server.domain.conversations import Analysis, Lease, Mode, Reply, ReplySource, Turn, Unanswered
from server.domain.knowledge import Citation
from server.domain.messages import Channel, DeliveryState, OutboundKind, conversation_lane
from server.domain.reminders import EMERGENCY
from server.errors import LeaseLost, Overtaken
from server.ports.clock import Clock
from server.store.drafts import add_draft
from server.store.due import AT_ONCE
from server.store.leases import check_lease
from server.store.models import ConversationRow, InboundRow, OutboxRow, TurnRow, table_of
from server.store.needs import ask_for_a_person, ask_for_help
from server.store.newer import newer_key, newer_messages
from server.store.notices import staff_notices
from server.store.questions import note_question
from server.store.session import Database
from server.store.turn_ids import message_id_for

_INBOUND, _CONVERSATION = table_of(InboundRow), table_of(ConversationRow)
# A guest waits for the commit: its statements are compiled once.
_COURSE = (
    select(_CONVERSATION.c.mode, newer_messages().exists())
    .where(_CONVERSATION.c.id == bindparam("conversation"))
    # Messages that are being saved refer to the row meanwhile: they need not wait.
    .with_for_update(of=_CONVERSATION, key_share=True)
)
_ADD_REPLY = insert(table_of(OutboxRow)).returning(table_of(OutboxRow).c.id)
_HANDLE = (
    update(_INBOUND)
    .where(_INBOUND.c.id.in_(bindparam("ids", expanding=True)), _INBOUND.c.handled_at.is_(None))
    .values(
        handled_at=bindparam("at"), unanswered_because=bindparam("because"), covered_by=bindparam("reply")
    )
    .returning(_INBOUND.c.id)
)
_NOTE_REPLY = (
    update(_CONVERSATION)
    .where(_CONVERSATION.c.id == bindparam("conversation"))
    .values(offered=bindparam("offered"), language=bindparam("language"), last_message_at=bindparam("at"))
)
_NOTE_TURN = (
    update(_CONVERSATION)
    .where(_CONVERSATION.c.id == bindparam("conversation"))
    .values(last_message_at=bindparam("at"))
)


class Replies:
    """The ``ReplyStore`` port, and the commits of replies that `turns` makes.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url
        turns = table_of(TurnRow)
        self._add_turn = database.insert(turns).on_conflict_do_nothing().returning(turns.c.id)

    def commit_reply(
        self,
        lease: Lease,
        turn: Turn,
        reply: Reply,
        started_at: datetime,
        analysis: Analysis | None = None,
        *,
        unless_newer: bool = False,
    ) -> Sequence[str]:
        """Save *reply* as covering the turn's messages and put it into the outbox, in one transaction."""
        with self._database.write() as session:
            check_lease(session, lease)
            connection = session.connection()
            _check_course(connection, turn, Mode.AI, unless_newer=unless_newer)
            now = self._clock.now()
            added = connection.execute(self._add_turn, _turn_row(turn, reply, started_at, analysis, now))
            if added.first() is None:
                raise _too_late(turn)
            row = _reply_row(turn, reply, now)
            outbox_id = connection.execute(_ADD_REPLY, row).scalar_one()
            _handle(connection, turn, now, reply_id=outbox_id)
            connection.execute(
                _NOTE_REPLY,
                {
                    "conversation": turn.conversation_id,
                    "offered": list(reply.offered),
                    "language": reply.language,
                    "at": now,
                },
            )
            note_question(self._database, session, turn, reply, now)
            lanes = [row["lane"]] if turn.channel is Channel.WHATSAPP else []
            if reply.handover:
                lanes += self._call_staff(session, turn, reply, now)
            return lanes

    def commit_draft(
        self, lease: Lease, turn: Turn, reply: Reply, *, unless_newer: bool = False
    ) -> Sequence[str]:
        """Keep *reply* for staff to decide on; the turn's messages are left to them."""
        with self._database.write() as session:
            check_lease(session, lease)
            connection = session.connection()
            _check_course(connection, turn, Mode.DRAFT, unless_newer=unless_newer)
            now = self._clock.now()
            _handle(connection, turn, now, because=Unanswered.HUMAN)
            add_draft(session, turn, reply, now)
            connection.execute(_NOTE_TURN, {"conversation": turn.conversation_id, "at": now})
            note_question(self._database, session, turn, reply, now)
            return self._call_staff(session, turn, reply, now)

    def close_unanswered(
        self, lease: Lease, turn: Turn, because: Unanswered, *, needs_human: bool
    ) -> Sequence[str]:
        """Mark the turn's messages as handled without a reply."""
        with self._database.write() as session:
            check_lease(session, lease)
            now = self._clock.now()
            _handle(session.connection(), turn, now, because=because)
            session.connection().execute(_NOTE_TURN, {"conversation": turn.conversation_id, "at": now})
            return self._call_staff(session, turn, None, now) if needs_human else []

    def find_reply(self, message_id: int) -> Reply | None:
        """The reply that covers an inbound row, if there is one."""
        with self._database.read() as session:
            found = session.execute(
                select(OutboxRow.text, TurnRow)
                .join(InboundRow, InboundRow.covered_by == OutboxRow.id)
                .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
                .where(InboundRow.id == message_id)
            ).one_or_none()
            if found is None:
                return None
            text, turn = found
            return to_reply(turn, text)

    def _call_staff(self, session: Session, turn: Turn, reply: Reply | None, now: datetime) -> list[str]:
        if turn.is_test:
            return []
        ask = ask_for_help if reply is not None and reply.urgent else ask_for_a_person
        ask(session, turn.conversation_id, now)
        notices = staff_notices(turn, reply, self._console_url, now)
        session.add_all(notices)
        return [notice.lane for notice in notices]


def _check_course(connection: Connection, turn: Turn, wanted: Mode, *, unless_newer: bool) -> None:
    """Let the commit go on only while the conversation's mode is *wanted*, and the guest has written no more.

    Staff who take over lock the same row: the commit comes before them, or not at all.
    """
    mode, has_newer = connection.execute(_COURSE, newer_key(turn)).one()
    if Mode(mode) is not wanted:
        raise Overtaken(f"conversation {turn.conversation_id} is answered by others now: {mode}")
    if unless_newer and has_newer:
        raise Overtaken(f"the guest of conversation {turn.conversation_id} has written more")


def _ids(turn: Turn) -> list[int]:
    return [message.id for message in turn.messages]


def _handle(
    connection: Connection, turn: Turn, now: datetime, *, reply_id: int | None = None, because: str = ""
) -> None:
    """Handle all of the turn's messages or none: one that was handled before means the lease was lost.

    Args:
        reply_id: the outbox row that covers them; None: none does, *because*.
    """
    values = {"ids": _ids(turn), "at": now, "because": because, "reply": reply_id}
    if len(connection.execute(_HANDLE, values).all()) != len(turn.messages):
        raise _too_late(turn)


def _too_late(turn: Turn) -> LeaseLost:
    return LeaseLost(f"messages of conversation {turn.conversation_id} were handled by somebody else")


def _turn_row(
    turn: Turn, reply: Reply, started_at: datetime, analysis: Analysis | None, now: datetime
) -> dict[str, Any]:
    return {
        "id": turn.id,
        "tenant_id": turn.tenant.id,
        "conversation_id": turn.conversation_id,
        "source": reply.source,
        "language": reply.language,
        "handover": reply.handover,
        "reason": reply.reason,
        "citations": [asdict(citation) for citation in reply.citations],
        "timings_ms": dict(reply.timings_ms),
        "steps_ms": {**reply.steps_ms, "committed": _since_arrival_ms(turn, now)},
        "model": reply.model,
        "prompt_version": reply.prompt_version,
        "quick_replies": list(reply.quick_replies),
        "analysis": None if analysis is None else asdict(analysis),
        "started_at": started_at,
        "committed_at": now,
    }


def _since_arrival_ms(turn: Turn, now: datetime) -> float:
    return round(max(0.0, (now - turn.messages[0].received_at) / timedelta(milliseconds=1)), 2)


def _reply_row(turn: Turn, reply: Reply, now: datetime) -> dict[str, Any]:
    # A chat API client gets the reply on the call itself: there is nothing left to send.
    is_out = turn.channel is Channel.CHAT
    return {
        "tenant_id": turn.tenant.id,
        "conversation_id": turn.conversation_id,
        "turn_id": turn.id,
        "lane": conversation_lane(turn.conversation_id),
        "channel": turn.channel,
        "kind": OutboundKind.REPLY,
        "to_address": turn.reply_to,
        "text": reply.text,
        "message_id": message_id_for(turn.id, OutboundKind.REPLY, turn.reply_to),
        "state": DeliveryState.SENT if is_out else DeliveryState.COMMITTED,
        "due_at": AT_ONCE,
        "committed_at": now,
        "sent_at": now if is_out else None,
        "attempts": 0,
        "reason": "",
    }


def to_reply(turn: TurnRow, text: str) -> Reply:
    """The reply that *turn* tells of; *text* is what it says."""
    return Reply(
        text=text,
        source=ReplySource(turn.source),
        language=turn.language,
        citations=[Citation(**citation) for citation in turn.citations],
        handover=turn.handover,
        reason=turn.reason,
        timings_ms=turn.timings_ms,
        steps_ms=turn.steps_ms,
        model=turn.model,
        prompt_version=turn.prompt_version,
        quick_replies=tuple(turn.quick_replies),
        urgent=turn.reason.startswith(EMERGENCY),
    )

"""Marks of what staff look at: while a mark stays the same, so does what their page would show.

Each is one query, a step or a few into an index for each thing that a page shows, so that it can be asked
several times a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from server.errors import NotFound
from server.ports.clock import Clock
from server.ports.conversations import CONVERSATIONS_ON_A_PAGE, LINES_ON_A_PAGE
from server.store.models import (
    AuditRow,
    CallRow,
    ConversationEventRow,
    ConversationRow,
    DraftRow,
    GuestRow,
    InboundRow,
    LabelRow,
    NoteRow,
    OutboxRow,
    QuestionRow,
    RowId,
)
from server.store.session import Database

_MARK_BYTES = 12

Column = ColumnElement[Any] | InstrumentedAttribute[Any]

_TENANT = bindparam("tenant_id", type_=String)
_CONVERSATION = bindparam("conversation_id", type_=RowId)


class Changes:
    """Asks for marks. They hold no word of anybody's, and mean nothing but by being the same or not."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of_list(self, tenant_id: str) -> str:
        """The mark of the tenant's newest conversations. Older ones count with what staff did to them.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with self._database.read() as session:
            rows = session.execute(_LIST, {"tenant_id": tenant_id}).all()
        return self._mark(rows)

    def of_thread(self, tenant_id: str, conversation_id: int) -> str:
        """The mark of a conversation's newest lines and of what stands around them.

        Raises:
            NotFound: the tenant has no such conversation.
            StoreUnavailable: the database does not answer.
        """
        asked = {"tenant_id": tenant_id, "conversation_id": conversation_id}
        with self._database.read() as session:
            rows = session.execute(_THREAD, asked).all()
        if not rows:
            raise NotFound("there is no such conversation")
        return self._mark(rows)

    def _mark(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> str:
        now = self._clock.now()
        # A guest who goes on typing changes nothing; one who stopped without a word does.
        told = [(_is_ahead(row[0], now), *row[1:]) for row in rows]
        return hashlib.blake2b(repr(told).encode(), digest_size=_MARK_BYTES).hexdigest()


def _is_ahead(until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now


def _newest(column: Column, *of: ColumnElement[bool], by: Column) -> ScalarSelect[Any]:
    return select(column).where(*of).order_by(by.desc()).limit(1).scalar_subquery()


def _joined(column: Column, *of: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.aggregate_strings(column, ",")).where(*of).scalar_subquery()


def _newest_joined(column: Column, *of: ColumnElement[bool], by: Column) -> ScalarSelect[Any]:
    """*column* of the newest rows, as many as a page has lines."""
    rows = select(column.label("told")).where(*of).order_by(by.desc()).limit(LINES_ON_A_PAGE).subquery()
    return select(func.aggregate_strings(rows.c.told, ",")).scalar_subquery()


def _words(*columns: Column) -> ColumnElement[str]:
    """Several columns as one text."""
    told: ColumnElement[str] = literal("")
    for column in columns:
        told = told + func.coalesce(cast(column, String), "") + ":"
    return told


def _list_query() -> Select[*tuple[Any, ...]]:
    newest = (
        select(ConversationRow)
        .where(ConversationRow.tenant_id == _TENANT)
        .order_by(ConversationRow.last_message_at.desc(), ConversationRow.id.desc())
        .limit(CONVERSATIONS_ON_A_PAGE)
        .subquery()
    )
    c = newest.c
    return (
        select(
            c.guest_typing_until,
            c.id,
            c.last_message_at,
            c.mode,
            c.needs_human_since,
            c.seen_inbound_id,
            c.assigned_to,
            c.language,
            GuestRow.name,
            _newest(InboundRow.id, InboundRow.conversation_id == c.id, by=InboundRow.id),
            _newest(
                _words(OutboxRow.id, OutboxRow.state), OutboxRow.conversation_id == c.id, by=OutboxRow.id
            ),
            _joined(LabelRow.label, LabelRow.conversation_id == c.id),
            _newest(AuditRow.id, AuditRow.tenant_id == _TENANT, by=AuditRow.id),
        )
        .join(GuestRow, GuestRow.id == c.guest_id)
        .order_by(c.last_message_at.desc(), c.id.desc())
    )


def _thread_query() -> Select[*tuple[Any, ...]]:
    of_inbound = InboundRow.conversation_id == _CONVERSATION
    of_outbox = OutboxRow.conversation_id == _CONVERSATION
    of_draft = DraftRow.conversation_id == _CONVERSATION
    of_question = QuestionRow.conversation_id == _CONVERSATION
    return (
        select(
            ConversationRow.guest_typing_until,
            ConversationRow.mode,
            ConversationRow.needs_human_since,
            ConversationRow.hand_back_at,
            ConversationRow.assigned_to,
            ConversationRow.language,
            GuestRow.name,
            GuestRow.phone,
            # What was made out in a recording is written into a message that is there already.
            _newest(_words(InboundRow.id, func.length(InboundRow.text)), of_inbound, by=InboundRow.id),
            select(func.count()).where(of_inbound, InboundRow.handled_at.is_(None)).scalar_subquery(),
            _newest_joined(_words(OutboxRow.id, OutboxRow.state), of_outbox, by=OutboxRow.id),
            _newest(
                ConversationEventRow.id,
                ConversationEventRow.conversation_id == _CONVERSATION,
                by=ConversationEventRow.id,
            ),
            _joined(_words(NoteRow.id, func.length(NoteRow.text)), NoteRow.conversation_id == _CONVERSATION),
            _joined(LabelRow.label, LabelRow.conversation_id == _CONVERSATION),
            _newest(_words(DraftRow.id, DraftRow.state), of_draft, by=DraftRow.id),
            _newest(_words(QuestionRow.id, QuestionRow.state), of_question, by=QuestionRow.id),
            _newest_joined(
                _words(CallRow.id, CallRow.seconds),
                CallRow.conversation_id == _CONVERSATION,
                by=CallRow.started_at,
            ),
        )
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(ConversationRow.id == _CONVERSATION, ConversationRow.tenant_id == _TENANT)
    )


# Made once: putting them together takes longer than asking them.
_LIST = _list_query()
_THREAD = _thread_query()

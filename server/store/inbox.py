"""Messages that came in: saved once, and waiting until a turn takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.domain.conversations import Lease, Mode, Turn, Unanswered
from server.domain.messages import (
    Channel,
    InboundMessage,
)
from server.ports.clock import Clock
from server.ports.store import Arrivals, Saved
from server.store.due import AT_ONCE, due, is_due
from server.store.group_commit import GroupCommit
from server.store.guests import Place, locate
from server.store.history import last_lines
from server.store.host_phone import note_host_message
from server.store.leases import check_lease
from server.store.models import (
    ConversationRow,
    GuestRow,
    InboundRow,
    TenantRow,
    table_of,
)
from server.store.newer import newer_key, newer_messages
from server.store.session import Database
from server.store.tenants import get_tenant_row, read_tenant
from server.store.turn_ids import turn_id_for
from server.store.waiting import to_waiting

# A guest who sends more at once gets the rest answered in the next turn.
MESSAGES_IN_A_TURN = 20


_INBOUND, _CONVERSATION = table_of(InboundRow), table_of(ConversationRow)
# What a message is known by: WhatsApp's ids are the sender's choice, and unique only within a chat.
_IDENTITY = ("tenant_id", "channel", "guest_id", "from_me", "provider_id")
_KNOWN = select(_INBOUND.c.id).where(*(_INBOUND.c[name] == bindparam(name) for name in _IDENTITY))
_ARRIVALS = select(newer_messages().exists(), _CONVERSATION.c.guest_typing_until).where(
    _CONVERSATION.c.id == bindparam("conversation")
)
_WAITING = (
    select(
        *(
            _INBOUND.c[name]
            for name in (
                "id",
                "channel",
                "provider_id",
                "reply_to",
                "kind",
                "text",
                "quoted",
                "details",
                "sent_at",
                "received_at",
                "attempts",
                "due_at",
            )
        )
    )
    .where(_INBOUND.c.conversation_id == bindparam("conversation"), _INBOUND.c.handled_at.is_(None))
    .order_by(_INBOUND.c.id)
    .limit(bindparam("limit"))
)
_GUEST, _TENANT = table_of(GuestRow), table_of(TenantRow)
_CONTEXT = (
    select(
        _CONVERSATION.c.tenant_id,
        _CONVERSATION.c.mode,
        _CONVERSATION.c.offered,
        _GUEST.c.name,
        _TENANT.c.settings,
        _TENANT.c.knowledge_version,
    )
    .join(_GUEST, _GUEST.c.id == _CONVERSATION.c.guest_id)
    .join(_TENANT, _TENANT.c.id == _CONVERSATION.c.tenant_id)
    .where(_CONVERSATION.c.id == bindparam("conversation"))
)
_TOUCH = (
    update(_CONVERSATION)
    .where(_CONVERSATION.c.id == bindparam("conversation"))
    .values(last_message_at=bindparam("at"))
)


# A tenant's messages that came in one call.
Batch = tuple[str, Sequence[InboundMessage]]


class Inbox:
    """The ``InboxStore`` port, and what `turns` does to waiting messages.

    Args:
        stale_after: a message that is older than this when its turn comes goes to staff.
    """

    def __init__(
        self, database: Database, clock: Clock, stale_after: timedelta = timedelta(hours=12)
    ) -> None:
        self._database = database
        self._clock = clock
        self._stale_after = stale_after
        self._insert = (
            database.insert(_INBOUND)
            .on_conflict_do_nothing()
            .returning(_INBOUND.c.id, *(_INBOUND.c[name] for name in _IDENTITY))
        )
        self._together: GroupCommit[Batch, Sequence[Saved]] = GroupCommit(self._save_all)

    def save(self, tenant_id: str, messages: Sequence[InboundMessage]) -> Sequence[Saved]:
        """Save what is new, in order, on the disk itself, in one transaction."""
        try:
            return self._together.save((tenant_id, messages))
        except IntegrityError:
            # Two requests met a new guest at the same moment; the loser finds the winner's rows.
            return self._together.save((tenant_id, messages))

    def save_alone(self, message: InboundMessage) -> Saved:
        """Save one message if it is new, in the transaction that this thread has joined."""
        with self._database.write_durably() as session:
            (saved,) = self._save_messages(session, [message], self._clock.now())
            return saved

    def _save_all(self, batches: Sequence[Batch]) -> Sequence[Sequence[Saved]]:
        """Save what several callers have at the same time. Guests wait for this and everything after it."""
        now = self._clock.now()
        with self._database.write_durably() as session:
            for tenant_id, messages in batches:
                if not messages:
                    get_tenant_row(session, tenant_id)
            messages = [message for _, batch in batches for message in batch]
            saved = iter(self._save_messages(session, messages, now) if messages else ())
            return [list(islice(saved, len(batch))) for _, batch in batches]

    def _save_messages(
        self, session: Session, messages: Sequence[InboundMessage], now: datetime
    ) -> Sequence[Saved]:
        places = locate(session, messages, now)
        rows = [_to_row(message, place, now) for message, place in zip(messages, places, strict=True)]
        # The messages' order is that of the ids. What is known already, or twice among these, gets none.
        added = session.connection().execute(self._insert, rows)
        new_ids = {tuple(identity): new_id for new_id, *identity in added}
        return [
            self._to_saved(session, message, row, new_ids.pop(_identity(row), None))
            for message, row in zip(messages, rows, strict=True)
        ]

    def _to_saved(
        self, session: Session, message: InboundMessage, row: Mapping[str, Any], new_id: int | None
    ) -> Saved:
        conversation_id = row["conversation_id"]
        if new_id is None:
            known = session.connection().execute(_KNOWN, {name: row[name] for name in _IDENTITY}).scalar_one()
            return Saved(known, conversation_id, is_new=False, is_waiting=False)
        is_waiting = row["handled_at"] is None
        if not is_waiting:
            # What waits moves its conversation up when its turn ends.
            moved = {"conversation": conversation_id, "at": row["received_at"]}
            session.connection().execute(_TOUCH, moved)
        if message.from_me:
            note_host_message(session, new_id, message, row["received_at"])
        return Saved(new_id, conversation_id, is_new=True, is_waiting=is_waiting)

    def due_conversations(self, limit: int) -> Sequence[int]:
        """Conversations with messages whose time has come, longest waiting first."""
        with self._database.read() as session:
            return session.scalars(
                select(InboundRow.conversation_id)
                .where(InboundRow.handled_at.is_(None), due(InboundRow.due_at, self._clock.now()))
                .group_by(InboundRow.conversation_id)
                .order_by(func.min(InboundRow.id))
                .limit(limit)
            ).all()

    def is_due(self, conversation_id: int) -> bool:
        """Whether the conversation's oldest waiting message is due."""
        with self._database.read() as session:
            rows = _waiting(session.connection(), conversation_id, limit=1)
            return bool(rows) and is_due(rows[0].due_at, self._clock.now())

    def next_turn(self, conversation_id: int, history_lines: int) -> Turn | None:
        """The waiting messages as one turn; None if there are none or the oldest is not due yet.

        Messages that have become stale make a turn of their own.
        """
        with self._database.read() as session:
            connection = session.connection()
            rows = _waiting(connection, conversation_id, MESSAGES_IN_A_TURN)
            now = self._clock.now()
            if not rows or not is_due(rows[0].due_at, now):
                return None
            is_stale = self._is_stale(rows[0], now)
            # The answer goes back the way the first of them came.
            rows = [
                row for row in rows if row.channel == rows[0].channel and self._is_stale(row, now) == is_stale
            ]
            context = connection.execute(_CONTEXT, {"conversation": conversation_id}).one()
            return Turn(
                id=turn_id_for(context.tenant_id, conversation_id, rows[0].id, rows[0].provider_id),
                tenant=read_tenant(context.tenant_id, context.settings, context.knowledge_version),
                conversation_id=conversation_id,
                channel=Channel(rows[0].channel),
                mode=Mode(context.mode),
                reply_to=rows[-1].reply_to,
                guest_name=context.name,
                messages=[to_waiting(row) for row in rows],
                history=last_lines(connection, conversation_id, history_lines),
                offered=tuple(context.offered),
                is_stale=is_stale,
            )

    def arrivals(self, turn: Turn) -> Arrivals:
        """Whether the guest has written more since *turn* was made up, or is writing."""
        with self._database.read() as session:
            newer, typing_until = session.connection().execute(_ARRIVALS, newer_key(turn)).one()
            return Arrivals(newer, typing_until is not None and typing_until > self._clock.now())

    def postpone(self, lease: Lease, turn: Turn, delay_s: float) -> None:
        """Count an attempt that failed and try again in *delay_s* seconds."""
        with self._database.write() as session:
            check_lease(session, lease)
            session.execute(
                update(InboundRow)
                .where(InboundRow.id.in_([message.id for message in turn.messages]))
                .values(
                    attempts=InboundRow.attempts + 1, due_at=self._clock.now() + timedelta(seconds=delay_s)
                )
            )

    def save_words(self, message_id: int, words: str, details: Mapping[str, object]) -> None:
        """Save what a message without words says; harmless to repeat, and after its turn."""
        with self._database.write() as session:
            row = session.get(InboundRow, message_id, with_for_update=True)
            if row is not None and not row.text:
                row.text, row.details = words, {**row.details, **details}

    def is_handled(self, message_id: int) -> bool:
        """Whether the message's turn has ended, with a reply or without."""
        with self._database.read() as session:
            handled: datetime | None = session.execute(
                select(InboundRow.handled_at).where(InboundRow.id == message_id)
            ).scalar_one()
            return handled is not None

    def find_chat_message(self, tenant_id: str, chat_key: str, message_id: int) -> Saved | None:
        """An inbound row of the tenant's chat client *chat_key*; None if it is not theirs."""
        with self._database.read() as session:
            found = session.execute(
                select(InboundRow.conversation_id, InboundRow.handled_at)
                .join(GuestRow, GuestRow.id == InboundRow.guest_id)
                .where(
                    InboundRow.id == message_id,
                    InboundRow.tenant_id == tenant_id,
                    GuestRow.chat_key == chat_key,
                )
            ).one_or_none()
            if found is None:
                return None
            return Saved(message_id, found.conversation_id, is_new=False, is_waiting=found.handled_at is None)

    def _is_stale(self, row: Row[*tuple[Any, ...]], now: datetime) -> bool:
        sent_at: datetime = row.sent_at
        return now - sent_at > self._stale_after


def _waiting(connection: Connection, conversation_id: int, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    return connection.execute(_WAITING, {"conversation": conversation_id, "limit": limit}).all()


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _IDENTITY)


def _to_row(message: InboundMessage, place: Place, now: datetime) -> dict[str, Any]:
    quoted = message.quoted
    is_waiting = message.kind.is_answerable and not message.from_me
    return {
        "tenant_id": message.tenant_id,
        "conversation_id": place.conversation_id,
        "guest_id": place.guest_id,
        "channel": message.channel,
        "from_me": message.from_me,
        "provider_id": message.provider_id,
        "sequence": message.sequence,
        "reply_to": message.address.reply_to,
        "kind": message.kind,
        "text": message.text,
        "quoted": None if quoted is None else {"id": quoted.provider_id, "text": quoted.text},
        "details": dict(message.details),
        "sent_at": message.sent_at,
        "received_at": now,
        "attempts": 0,
        "due_at": AT_ONCE,
        "handled_at": None if is_waiting else now,
        "unanswered_because": _unanswered(message),
    }


def _unanswered(message: InboundMessage) -> str:
    if message.from_me:
        return Unanswered.OWN
    return "" if message.kind.is_answerable else Unanswered.NOT_ANSWERABLE

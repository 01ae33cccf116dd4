"""Who still waits for a person, and reminders of it as messages of the outbox.

The outbox itself remembers what was told: all processes name a reminder alike, so that it has each once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, type_coerce
from sqlalchemy.orm import Session

from server.domain.conversations import Mode
from server.domain.messages import OutboundKind
from server.domain.phrases import Counted, Phrase
from server.domain.playground import is_test_key
from server.domain.reminders import Reminder, Waiting
from server.ports.clock import Clock
from server.store.models import ConversationRow, GuestRow, InboundRow, TenantRow, TurnRow
from server.store.models.base import UtcDateTime
from server.store.notices import Notice, add_notice, conversation_link, named, quoted
from server.store.session import Database
from server.store.tenants import to_tenant

# Not NULL within any range.
_SINCE: ColumnElement[datetime] = type_coerce(ConversationRow.needs_human_since, UtcDateTime())
_IS_SEEN_TO = or_(ConversationRow.assigned_to.is_not(None), ConversationRow.mode == Mode.HUMAN)


class Reminders:
    """The ``ReminderStore`` port.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url

    def waiting(self, first: datetime, last: datetime) -> Sequence[Waiting]:
        """The conversations that have waited since between *first* and *last*, by when they began."""
        query = (
            select(
                ConversationRow.id, ConversationRow.tenant_id, _SINCE, ConversationRow.is_urgent, _IS_SEEN_TO
            )
            .where(_SINCE.between(first, last))
            .order_by(_SINCE)
        )
        with self._database.read() as session:
            rows = session.execute(query).all()
            ids = {tenant_id for _, tenant_id, *_ in rows}
            found = session.scalars(select(TenantRow).where(TenantRow.id.in_(ids))) if ids else ()
            tenants = {row.id: to_tenant(row) for row in found}
        return [
            Waiting(conversation_id, tenants[tenant_id], since, is_urgent, is_seen_to)
            for conversation_id, tenant_id, since, is_urgent, is_seen_to in rows
        ]

    def remind(self, reminder: Reminder) -> Sequence[str]:
        """Tell staff, once; nothing if the conversation waits no longer, or is a test of theirs."""
        waiting, now = reminder.of, self._clock.now()
        still = and_(
            ConversationRow.id == waiting.conversation_id,
            ConversationRow.needs_human_since == waiting.since,
            ~_IS_SEEN_TO,
        )
        with self._database.write() as session:
            guest = session.scalars(
                select(GuestRow)
                .join(ConversationRow, ConversationRow.guest_id == GuestRow.id)
                .where(still)
                # Whoever takes over or erases the guest holds the same row: before this or after it.
                .with_for_update(of=ConversationRow, key_share=True)
            ).one_or_none()
            if guest is None or is_test_key(guest.chat_key):
                return []
            link = conversation_link(self._console_url, waiting.conversation_id)
            words = _words_asked(session, waiting)
            notice = Notice(
                f"waiting:{waiting.conversation_id}:{waiting.since.isoformat()}:{reminder.number}",
                OutboundKind.NOTICE,
                [_headline(guest.name, waiting, now), words, link],
                _event(session, reminder, link),
                is_on_whatsapp=True,
                people=reminder.people,
            )
            return add_notice(self._database, session, waiting.tenant, notice, now)


def _headline(name: str | None, waiting: Waiting, now: datetime) -> Phrase:
    guest, waited = named(name), _in_words(now - waiting.since)
    if waiting.is_urgent:
        return Phrase(
            "{guest} may be in danger, and has waited {waited} for a person. Please act now:",
            guest=guest,
            waited=waited,
        )
    return Phrase("{guest} has waited {waited} for a person:", guest=guest, waited=waited)


def _in_words(waited: timedelta) -> Phrase:
    minutes = waited // timedelta(minutes=1)
    if minutes < 120:
        return Counted("{count} minute", "{count} minutes", count=minutes)
    hours = minutes // 60
    if hours < 48:
        return Counted("{count} hour", "{count} hours", count=hours)
    return Counted("{count} day", "{count} days", count=hours // 24)


def _words_asked(session: Session, waiting: Waiting) -> str:
    """What a person was needed for; the guest may have said thanks since."""
    asked = session.execute(
        select(InboundRow.text, InboundRow.kind)
        .where(
            InboundRow.conversation_id == waiting.conversation_id,
            InboundRow.from_me.is_(False),
            InboundRow.received_at <= waiting.since,
        )
        .order_by(InboundRow.id.desc())
        .limit(1)
    ).one_or_none()
    return "" if asked is None else quoted(asked.text, asked.kind)


def _event(session: Session, reminder: Reminder, link: str) -> Mapping[str, object]:
    waiting = reminder.of
    reason = session.scalars(
        select(TurnRow.reason)
        .where(TurnRow.conversation_id == waiting.conversation_id, TurnRow.committed_at >= waiting.since)
        .where(TurnRow.handover)
        .order_by(TurnRow.committed_at.desc())
        .limit(1)
    ).one_or_none()
    return {
        "event": "needs_human",
        "tenant": waiting.tenant.id,
        "conversation": waiting.conversation_id,
        "url": link,
        "urgent": waiting.is_urgent,
        "reason": reason or "",
        "reminder": reminder.number,
        "since": waiting.since.isoformat(),
    }

"""What staff did that others may ask about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.audit import AuditEntry, AuditPage
from server.domain.cursors import NEWEST_ENTRY, AuditCursor
from server.domain.modes import Actor, EventKind, ModeBy
from server.store.models import AuditRow, ConversationEventRow
from server.store.session import Database

ENTRIES_ON_A_PAGE = 50
# Of what happens to conversations, what people did. Merges are WhatsApp's doing, hand-backs also time's.
_KINDS = (EventKind.TAKEOVER, EventKind.HAND_BACK, EventKind.MODE)


def add_audit(
    session: Session,
    tenant_id: str,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    **details: object,
) -> None:
    """Note it, in the transaction that does it. *details* hold no words of a guest's, and no secret."""
    session.add(
        AuditRow(
            tenant_id=tenant_id, actor=str(actor), action=action, subject=subject, details=details, at=now
        )
    )


class AuditLog:
    """Reads what was noted, and among it who took which conversation over and gave it back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, tenant_id: str, before: AuditCursor = NEWEST_ENTRY, limit: int = ENTRIES_ON_A_PAGE
    ) -> AuditPage:
        """The newest entries of the tenant's, or those before a cursor. Two queries."""
        with self._database.read() as session:
            noted = session.scalars(
                select(AuditRow)
                .where(AuditRow.tenant_id == tenant_id, AuditRow.id < before.audit_id)
                .order_by(AuditRow.id.desc())
                .limit(limit + 1)
            ).all()
            events = session.scalars(
                select(ConversationEventRow)
                .where(
                    ConversationEventRow.tenant_id == tenant_id,
                    ConversationEventRow.id < before.event_id,
                    ConversationEventRow.kind.in_(_KINDS),
                    ConversationEventRow.actor != ModeBy.TIME,
                )
                .order_by(ConversationEventRow.id.desc())
                .limit(limit + 1)
            ).all()
        rows = list(_merged(noted, events))
        shown = rows[:limit]
        older = str(_cursor_after(shown, before)) if len(rows) > limit else None
        return AuditPage([_to_entry(row) for row in shown], older)


def _merged(
    noted: Sequence[AuditRow], events: Sequence[ConversationEventRow]
) -> Iterator[AuditRow | ConversationEventRow]:
    """Both, newest first; each keeps its own order, so that a cursor can rely on it."""
    left, right = list(noted[::-1]), list(events[::-1])
    while left or right:
        if not right or (left and left[-1].at >= right[-1].at):
            yield left.pop()
        else:
            yield right.pop()


def _cursor_after(shown: Sequence[AuditRow | ConversationEventRow], before: AuditCursor) -> AuditCursor:
    audit = [row.id for row in shown if isinstance(row, AuditRow)]
    events = [row.id for row in shown if isinstance(row, ConversationEventRow)]
    return AuditCursor(min(audit, default=before.audit_id), min(events, default=before.event_id))


def _to_entry(row: AuditRow | ConversationEventRow) -> AuditEntry:
    if isinstance(row, AuditRow):
        return AuditEntry(row.at, row.actor, row.action, row.subject, row.details)
    # What a takeover and a hand-back have set is in their names.
    details = row.details if row.kind == EventKind.MODE else {}
    return AuditEntry(row.at, row.actor, row.kind, f"conversation {row.conversation_id}", details)

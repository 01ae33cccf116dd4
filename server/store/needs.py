"""Which conversations need a person, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, and_, bindparam, case, func, literal, select, update
from sqlalchemy.orm import Session

from server.store.guests_only import is_a_guest
from server.store.models import ConversationRow, GuestRow
from server.store.models.base import UtcDateTime
from server.store.session import Database

_SAME_EMERGENCY = timedelta(minutes=10)
# One more than pages count one by one.
MOST_NEEDS = 100

# Made once: putting it together takes longer than asking it.
_NEEDS = (
    select(ConversationRow.id, ConversationRow.needs_human_since)
    .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
    .where(
        ConversationRow.tenant_id == bindparam("tenant_id", type_=String),
        ConversationRow.needs_human_since.is_not(None),
        is_a_guest(),
    )
    .order_by(ConversationRow.needs_human_since.desc(), ConversationRow.id.desc())
    .limit(MOST_NEEDS)
)


def ask_for_a_person(session: Session, conversation_id: int, now: datetime) -> None:
    """Note that one is needed, since *now* or since it was noted first; holds the conversation's row."""
    since = func.coalesce(ConversationRow.needs_human_since, literal(now, UtcDateTime()))
    session.execute(
        update(ConversationRow).where(ConversationRow.id == conversation_id).values(needs_human_since=since)
    )


def ask_for_help(session: Session, conversation_id: int, now: datetime) -> None:
    """Note that somebody may be in danger: the waiting begins anew, and with it what staff are told of it.

    Unless it began so a moment ago: who calls for help again waits since the first time.
    """
    has_begun = and_(ConversationRow.is_urgent, ConversationRow.danger_at >= now - _SAME_EMERGENCY)
    since = case((has_begun, ConversationRow.needs_human_since), else_=literal(now, UtcDateTime()))
    session.execute(
        update(ConversationRow)
        .where(ConversationRow.id == conversation_id)
        .values(needs_human_since=since, danger_at=now)
    )


@dataclass(frozen=True, slots=True)
class Need:
    """A conversation that needs a person. Once one has come and is needed again, that is another need."""

    conversation_id: int
    since: datetime


class Needs:
    """Read-only. Tests that staff make on the playground are nobody's need."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, tenant_id: str) -> Sequence[Need]:
        """The tenant's newest needs, `MOST_NEEDS` at most.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with self._database.read() as session:
            rows = session.execute(_NEEDS, {"tenant_id": tenant_id})
            return [Need(conversation_id, since) for conversation_id, since in rows if since is not None]

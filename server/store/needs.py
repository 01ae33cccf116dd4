"""That a conversation waits for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, literal, update
from sqlalchemy.orm import Session

from server.store.models import ConversationRow
from server.store.models.base import UtcDateTime


def ask_for_a_person(session: Session, conversation_id: int, now: datetime) -> None:
    """Note that one is needed, since *now* or since it was noted first; holds the conversation's row."""
    since = func.coalesce(ConversationRow.needs_human_since, literal(now, UtcDateTime()))
    session.execute(
        update(ConversationRow).where(ConversationRow.id == conversation_id).values(needs_human_since=since)
    )

"""Where the tests of staff stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from server.store.models import ConversationRow, GuestRow, TurnRow
from server.store.session import Database


class Playground:
    """Finds a test by its chat key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant_id: str, chat_key: str) -> int | None:
        """The test's conversation; None before its first message."""
        query = (
            select(ConversationRow.id)
            .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
            .where(GuestRow.tenant_id == tenant_id, GuestRow.chat_key == chat_key)
        )
        with self._database.read() as session:
            return session.scalars(query).one_or_none()

    def quick_replies(self, tenant_id: str, conversation_id: int) -> Sequence[str]:
        """What a guest may want to ask next, after the last answer."""
        newest = (
            select(TurnRow.quick_replies)
            .where(TurnRow.tenant_id == tenant_id, TurnRow.conversation_id == conversation_id)
            .order_by(TurnRow.committed_at.desc())
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalars(newest).one_or_none() or ()

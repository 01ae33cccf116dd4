"""How far staff have seen their conversations."""

from __future__ import annotations

from sqlalchemy import update

from server.store.models import ConversationRow
from server.store.session import Database


class SeenMarks:
    """One mark for each conversation: what one member of staff has seen is new to none of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def move(self, tenant_id: str, conversation_id: int, inbound_id: int) -> None:
        """The tenant's staff have seen the conversation up to that message; never back."""
        with self._database.write() as session:
            session.execute(
                update(ConversationRow)
                .where(
                    ConversationRow.id == conversation_id,
                    ConversationRow.tenant_id == tenant_id,
                    ConversationRow.seen_inbound_id < inbound_id,
                )
                .values(seen_inbound_id=inbound_id)
            )

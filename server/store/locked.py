"""One conversation, held until the end of the transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from server.errors import NotFound
from server.store.models import ConversationRow


def locked_conversation(session: Session, tenant_id: str, conversation_id: int) -> ConversationRow:
    """The tenant's conversation; whoever else wants to change it waits for this transaction.

    Raises:
        NotFound: the tenant has no such conversation.
    """
    conversation = session.get(ConversationRow, conversation_id, with_for_update=True)
    if conversation is None or conversation.tenant_id != tenant_id:
        raise NotFound("there is no such conversation")
    return conversation

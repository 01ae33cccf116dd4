"""What we ask of the database about drafts: replies that staff decide on."""

from __future__ import annotations

from typing import Protocol

from server.domain.conversations import Reply, Turn
from server.domain.drafts import Draft
from server.domain.modes import Actor, StaffMessage


class DraftStore(Protocol):
    """Drafts of a tenant's conversations. Those of the mode ``draft`` are kept by ``TurnStore``."""

    def open_draft(self, tenant_id: str, conversation_id: int) -> Draft | None:
        """The draft that waits for staff; None if there is none, or the guest has written more since."""
        ...

    def find_question(self, tenant_id: str, conversation_id: int, history_lines: int) -> Turn:
        """What the guest has written since the business's last word, as a turn of nobody's.

        Raises:
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: the last word is the business's.
        """
        ...

    def keep(self, turn: Turn, reply: Reply) -> None:
        """Make *reply* the conversation's open draft, in place of any other.

        Raises:
            Conflict: the guest has written more, or the desk answers again; nothing was kept.
            NotFound: there is no such conversation any more.
        """
        ...

    def send(
        self, tenant_id: str, conversation_id: int, draft_id: int, text: str | None, actor: Actor
    ) -> StaffMessage:
        """Send a draft as a message of staff's; the same again is the same message.

        Args:
            text: what staff have made of it; None sends it as it is.

        Raises:
            Conflict: it is out of date (which words of staff's own never are), or somebody has sent other
                words in its place.
            NotFound: the tenant's conversation has no such draft.
            UnprocessableRequest: nobody is known to send it to.
        """
        ...

    def drop(self, tenant_id: str, conversation_id: int, draft_id: int, actor: Actor) -> None:
        """Nobody is to send it. Harmless for one that is not open any more.

        Raises:
            NotFound: the tenant's conversation has no such draft.
        """
        ...

"""What we ask of the database about conversations as a whole: who answers them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from server.domain.conversations import Lease, Mode
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.messages import Channel
from server.domain.modes import Actor, ModeChange, StaffMessage
from server.domain.views import ConversationPage, ThreadPage, Wanted

CONVERSATIONS_ON_A_PAGE = 40
LINES_ON_A_PAGE = 80


class ModeStore(Protocol):
    """Who answers a conversation."""

    def set_mode(self, tenant_id: str, conversation_id: int, mode: Mode, actor: Actor) -> ModeChange:
        """Change the mode. Unless it becomes ``ai``, what the desk has committed there is cancelled, and
        from then on the desk commits nothing and begins to send nothing there.

        Raises:
            NotFound: the tenant has no such conversation.
        """
        ...

    def is_sending(self, conversation_id: int) -> bool:
        """Whether staff have the conversation and a reply of the desk is on its way all the same."""
        ...

    def cancel_sending(self, lease: Lease, conversation_id: int) -> int:
        """Cancel what is marked as being sent while nobody sends it; return how much that was.

        Args:
            lease: of the conversation's outbox lane.

        Raises:
            LeaseLost: nothing was cancelled.
        """
        ...

    def write_as_staff(
        self, tenant_id: str, conversation_id: int, text: str, actor: Actor, client_id: str | None = None
    ) -> StaffMessage:
        """Take the conversation over and put *text* behind what is leaving, in one transaction.

        In mode ``draft`` staff are at it already: that stays. An open draft is out of date.

        Args:
            client_id: the caller's own id of the message: the same again is the same message.

        Raises:
            Conflict: *client_id* was used for another text.
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: nobody is known to send it to.
        """
        ...

    def hand_back_due(self, limit: int) -> Sequence[int]:
        """Give the desk back the conversations in which staff have said nothing for long; return them."""
        ...


class ConversationLog(Protocol):
    """What was said, for those who look from outside. Every question names the tenant."""

    def conversations(
        self,
        tenant_id: str,
        wanted: Wanted,
        before: ListCursor | None,
        limit: int = CONVERSATIONS_ON_A_PAGE,
    ) -> ConversationPage:
        """A page of the tenant's conversations, newest first."""
        ...

    def thread(
        self,
        tenant_id: str,
        conversation_id: int,
        before: ThreadCursor = NEWEST,
        limit: int = LINES_ON_A_PAGE,
    ) -> ThreadPage:
        """The newest lines of a conversation, or those before a cursor, as the guest may see them.

        Raises:
            NotFound: the tenant has no such conversation.
        """
        ...

    def most_asked(self, tenant_id: str, limit: int) -> Sequence[tuple[Channel, str]]:
        """What several guests have lately written word for word, the commonest first."""
        ...

"""Takes each message in once and wakes its conversation."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.messages import InboundMessage
from server.ports.queue import WorkQueue
from server.ports.store import InboxStore, Saved


class Receiver:
    """Between the channels and the inbox."""

    def __init__(self, inbox: InboxStore, conversations: WorkQueue) -> None:
        self._inbox = inbox
        self._conversations = conversations

    def receive(self, tenant_id: str, messages: Sequence[InboundMessage]) -> Sequence[Saved]:
        """Save *messages*, then wake their conversations. Waits on one transaction only.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nothing was saved.
        """
        saved = self._inbox.save(tenant_id, messages)
        # Saved before woken: a crash in between leaves rows that the sweep finds. The other order would
        # lose them.
        for conversation_id in sorted({row.conversation_id for row in saved if row.is_waiting}):
            self._conversations.put(str(conversation_id))
        return saved

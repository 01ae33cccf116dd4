"""Recovery: finds what is due and was not woken, or whose worker died."""

from __future__ import annotations

import asyncio

import structlog

from server.ports.queue import WorkQueue
from server.ports.store import InboxStore, OutboxStore

INTERVAL_S = 1.0
AT_ONCE = 200

log = structlog.get_logger(__name__)


class Sweep:
    """Once a second, in every process: wakes each conversation and lane that is due."""

    def __init__(
        self, inbox: InboxStore, outbox: OutboxStore, conversations: WorkQueue, lanes: WorkQueue
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._conversations = conversations
        self._lanes = lanes

    async def run(self) -> None:
        """Sweep until cancelled; a database that does not answer is tried again at the next round."""
        while True:
            try:
                await asyncio.to_thread(self.once)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next round must come
                log.warning("sweep.failed", error=type(error).__name__)
            await asyncio.sleep(INTERVAL_S)

    def once(self) -> None:
        """One round."""
        for conversation_id in self._inbox.due_conversations(AT_ONCE):
            self._conversations.put(str(conversation_id))
        for lane in self._outbox.due_lanes(AT_ONCE):
            self._lanes.put(lane)

"""A reply on demand, where staff answer themselves: they decide what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Protocol

import structlog

from server.domain.conversations import Reply, Turn
from server.domain.drafts import Draft
from server.domain.modes import Actor, StaffMessage
from server.domain.phrases import Phrase
from server.errors import TooBusy
from server.ports.drafts import DraftStore
from server.ports.queue import WorkQueue

log = structlog.get_logger(__name__)


class Answering(Protocol):
    """Decides what to say."""

    async def answer(self, turn: Turn) -> Reply:
        """What the desk would say to the turn's messages."""
        ...


class Hearing(Protocol):
    """Knows what is said in recordings."""

    async def hear(self, turn: Turn) -> Turn:
        """*turn* with the words of its voice messages."""
        ...


class Suggestions:
    """Has drafts made on demand, and sends those that staff accept.

    Args:
        submit: runs a coroutine on the core's event loop, from any thread.
        history_lines: how many earlier lines an answer is given.
        longest_s: how long staff are kept waiting for one at most.
    """

    def __init__(
        self,
        drafts: DraftStore,
        engine: Answering,
        ears: Hearing,
        lanes: WorkQueue,
        submit: Callable[[Coroutine[Any, Any, Reply]], Future[Reply]],
        history_lines: int,
        longest_s: float,
    ) -> None:
        self._drafts = drafts
        self._engine = engine
        self._ears = ears
        self._lanes = lanes
        self._submit = submit
        self._history_lines = history_lines
        self._longest_s = longest_s

    def open_draft(self, tenant_id: str, conversation_id: int) -> Draft | None:
        """The draft that waits for staff, if it is still up to date."""
        return self._drafts.open_draft(tenant_id, conversation_id)

    def suggest(self, tenant_id: str, conversation_id: int) -> None:
        """Have what the guest wrote last answered by a draft. Blocks; a process that dies leaves none.

        Raises:
            Conflict: the guest has written more meanwhile, or the desk answers again.
            NotFound: the tenant has no such conversation.
            TooBusy: no answer came in time.
            UnprocessableRequest: there is nothing to answer.
        """
        turn = self._drafts.find_question(tenant_id, conversation_id, self._history_lines)
        answering = self._submit(self._answer(turn))
        try:
            reply = answering.result(self._longest_s)
        except TimeoutError:
            answering.cancel()
            raise TooBusy(Phrase("no suggestion came in time: go back and ask again")) from None
        self._drafts.keep(turn, reply)
        log.info("draft.suggested", conversation=conversation_id, source=reply.source)

    def send(
        self, tenant_id: str, conversation_id: int, draft_id: int, text: str | None, actor: Actor
    ) -> StaffMessage:
        """Send a draft as a message of staff's, as `DraftStore.send` does."""
        message = self._drafts.send(tenant_id, conversation_id, draft_id, text, actor)
        if message.is_new:
            log.info("draft.sent", conversation=conversation_id, draft=draft_id, message=message.message_id)
        self._lanes.put(message.lane)
        return message

    def drop(self, tenant_id: str, conversation_id: int, draft_id: int, actor: Actor) -> None:
        """Nobody is to send it.

        Raises:
            NotFound: the tenant's conversation has no such draft.
        """
        self._drafts.drop(tenant_id, conversation_id, draft_id, actor)

    async def _answer(self, turn: Turn) -> Reply:
        return await self._engine.answer(await self._ears.hear(turn))

"""One turn: what waits is answered with one reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from server.conversation.analysis import analyse
from server.conversation.engine import Engine
from server.domain.conversations import Lease, Mode, Reply, Turn
from server.outbox.presence import Presence
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.ports.store import ReplyStore

# So often the engine may fail before the guest is told that the team has the message.
ATTEMPTS = 3

log = structlog.get_logger(__name__)


class TurnTaker:
    """Presence, engine, commit, and what is written afterwards."""

    def __init__(
        self, engine: Engine, replies: ReplyStore, presence: Presence, lanes: WorkQueue, clock: Clock
    ) -> None:
        self._engine = engine
        self._replies = replies
        self._presence = presence
        self._lanes = lanes
        self._clock = clock

    async def take(self, lease: Lease, turn: Turn) -> None:
        """Answer the turn's messages with one reply. Safe to run again after a crash.

        Raises:
            LeaseLost: somebody else has the conversation; nothing was saved.
            StoreUnavailable: nothing was saved.
        """
        if turn.mode is not Mode.AI or turn.tenant.settings.ai_paused:
            self._wake(await asyncio.to_thread(self._leave_to_staff, lease, turn))
            return
        started_at = self._clock.now()
        async with self._presence.composing(turn):
            reply = await self._answer(turn)
        # One transaction, refused if the lease was lost. The reply's message id follows from the turn, so
        # that sending it twice is sending it once.
        self._wake(await asyncio.to_thread(self._replies.commit_reply, lease, turn, reply, started_at))
        log.info(
            "turn.committed",
            turn=turn.id,
            conversation=turn.conversation_id,
            source=reply.source,
            handover=reply.handover,
            reason=reply.reason,
        )
        await self._note(turn, reply)

    async def _answer(self, turn: Turn) -> Reply:
        if turn.messages[0].attempts >= ATTEMPTS:
            return self._engine.give_up(turn)
        return await self._engine.answer(turn)

    def _leave_to_staff(self, lease: Lease, turn: Turn) -> Sequence[str]:
        # In mode ``human`` staff are reading along already.
        return self._replies.close_unanswered(lease, turn, needs_human=turn.mode is not Mode.HUMAN)

    def _wake(self, lanes: Sequence[str]) -> None:
        for lane in lanes:
            self._lanes.put(lane)

    async def _note(self, turn: Turn, reply: Reply) -> None:
        """The reply is on its way: nothing that fails from here on may fail the turn."""
        try:
            await asyncio.to_thread(self._replies.record_analysis, turn.id, analyse(turn, reply))
        except Exception as error:  # noqa: BLE001 - to take the turn again would find it handled
            log.warning("turn.not_analysed", turn=turn.id, error=type(error).__name__)

"""One turn: what waits is answered with one reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from server.conversation.analysis import analyse
from server.conversation.engine import Engine
from server.conversation.quiet import WaitBounds, wait_s
from server.domain.conversations import Lease, Mode, Reply, Turn, Unanswered
from server.domain.messages import Channel
from server.errors import Overtaken
from server.outbox.presence import Presence
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.ports.store import InboxStore, ReplyStore

# So often the engine may fail before the guest is told that the team has the message.
ATTEMPTS = 3
# How often a turn looks whether the guest has written more.
LOOK_EVERY_S = 0.4
# What is left to do after a reply would keep its delivery from the database and the interpreter.
HEAD_START_S = 0.02
# A guest who goes on typing is not waited for any longer.
LONGEST_TYPING_S = 8.0

log = structlog.get_logger(__name__)


class TurnTaker:
    """Presence, engine, wait, commit, and what is written afterwards."""

    def __init__(
        self,
        engine: Engine,
        inbox: InboxStore,
        replies: ReplyStore,
        presence: Presence,
        lanes: WorkQueue,
        clock: Clock,
        bounds: WaitBounds,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._replies = replies
        self._presence = presence
        self._lanes = lanes
        self._clock = clock
        self._bounds = bounds

    async def take(self, lease: Lease, turn: Turn, commit_by: float) -> None:
        """Answer the turn's messages with one reply. Safe to run again after a crash.

        Args:
            commit_by: monotonic time from which on the turn no longer gives way to newer messages.

        Raises:
            LeaseLost: somebody else has the conversation; nothing was saved.
            Overtaken: the guest wrote more, or staff took over; nothing was saved, look again.
            StoreUnavailable: nothing was saved.
        """
        unanswered = _not_for_the_desk(turn)
        if unanswered is not None:
            self._wake(await asyncio.to_thread(self._leave_to_staff, lease, turn, unanswered))
            return
        started_at = self._clock.now()
        async with self._presence.composing(turn):
            reply = await self._prepare(turn, commit_by)
        lanes = await asyncio.to_thread(self._commit, lease, turn, reply, started_at, commit_by)
        self._wake(lanes)
        log.info(
            "turn.committed",
            turn=turn.id,
            conversation=turn.conversation_id,
            source=reply.source,
            handover=reply.handover,
            reason=reply.reason,
        )
        if lanes:
            await asyncio.sleep(HEAD_START_S)
        await self._note(turn, reply)

    async def _prepare(self, turn: Turn, commit_by: float) -> Reply:
        """The reply, made while it is waited for more messages; dropped when there are any."""
        answering = asyncio.create_task(self._answer(turn))
        try:
            waited_ms = await self._await_quiet(turn, commit_by)
            while not answering.done():
                await asyncio.wait({answering}, timeout=LOOK_EVERY_S)
                if not answering.done():
                    await self._check_newer(turn, commit_by)
            reply = answering.result()
        finally:
            answering.cancel()
            # Whatever it had under way, the model's stream above all, is closed before the next try.
            await asyncio.gather(answering, return_exceptions=True)
        return replace(reply, timings_ms={**reply.timings_ms, "wait": waited_ms})

    async def _await_quiet(self, turn: Turn, commit_by: float) -> float:
        """Wait until the guest seems to have said all; returns what of that was spent on purpose, in ms.

        Raises:
            Overtaken: there is more.
        """
        if turn.channel is Channel.CHAT or self._bounds.longest_s == 0:
            return 0.0
        quiet_at = turn.messages[-1].received_at + timedelta(seconds=wait_s(turn.messages, self._bounds))
        left_s = (quiet_at - self._clock.now()).total_seconds()
        if left_s <= 0:
            return 0.0
        # At most what was meant: the clock may have been set back.
        await asyncio.sleep(min(left_s, self._bounds.longest_s))
        typed_s = 0.0
        while await self._check_newer(turn, commit_by) and typed_s < LONGEST_TYPING_S:
            await asyncio.sleep(LOOK_EVERY_S)
            typed_s += LOOK_EVERY_S
        return round((left_s + typed_s) * 1000, 1)

    async def _check_newer(self, turn: Turn, commit_by: float) -> bool:
        """Whether the guest is typing.

        Raises:
            Overtaken: the guest has sent more, and the turn still gives way.
        """
        if self._clock.monotonic() >= commit_by:
            return False
        arrivals = await asyncio.to_thread(self._inbox.arrivals, turn)
        if arrivals.has_newer:
            raise Overtaken(f"the guest of conversation {turn.conversation_id} has written more")
        return arrivals.is_typing

    async def _answer(self, turn: Turn) -> Reply:
        if turn.messages[0].attempts >= ATTEMPTS:
            return self._engine.give_up(turn)
        return await self._engine.answer(turn)

    def _commit(
        self, lease: Lease, turn: Turn, reply: Reply, started_at: datetime, commit_by: float
    ) -> Sequence[str]:
        # One transaction, refused if the lease was lost. The reply's message id follows from the turn, so
        # that sending it twice is sending it once.
        return self._replies.commit_reply(
            lease, turn, reply, started_at, unless_newer=self._clock.monotonic() < commit_by
        )

    def _leave_to_staff(self, lease: Lease, turn: Turn, because: Unanswered) -> Sequence[str]:
        # In mode ``human`` staff are reading along already.
        return self._replies.close_unanswered(lease, turn, because, needs_human=turn.mode is not Mode.HUMAN)

    def _wake(self, lanes: Sequence[str]) -> None:
        for lane in lanes:
            self._lanes.put(lane)

    async def _note(self, turn: Turn, reply: Reply) -> None:
        """The reply is on its way: nothing that fails from here on may fail the turn."""
        try:
            await asyncio.to_thread(self._replies.record_analysis, turn.id, analyse(turn, reply))
        except Exception as error:  # noqa: BLE001 - to take the turn again would find it handled
            log.warning("turn.not_analysed", turn=turn.id, error=type(error).__name__)


def _not_for_the_desk(turn: Turn) -> Unanswered | None:
    """Why staff, not the desk, are to answer; None if the desk is."""
    if turn.mode is not Mode.AI:
        return Unanswered.HUMAN
    if turn.is_stale:
        return Unanswered.STALE
    return Unanswered.PAUSED if turn.tenant.settings.ai_paused else None

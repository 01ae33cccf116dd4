"""One turn: what waits is answered with one reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from server.conversation.analysis import analyse
from server.conversation.engine import Engine
from server.conversation.quiet import WaitBounds, wait_s
from server.domain.conversations import Lease, Mode, Reply, Turn, Unanswered
from server.domain.events import Listener, Replace, ReplyEvent
from server.domain.messages import Channel
from server.errors import Overtaken
from server.observability.record import record_turn, record_turn_without_reply
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
# From when on operators count a reply as slow.
SLOW_AFTER_S = 10.0

log = structlog.get_logger(__name__)


class Hearing(Protocol):
    """Those who read along with a turn. Nothing here waits or raises."""

    def hear(self, event: ReplyEvent) -> None:
        """Say *event* to everybody."""
        ...

    def end(self, reply: Reply | None) -> None:
        """The turn is committed, or (None) handled without a reply."""
        ...

    def has_left(self) -> bool:
        """Whether nobody waits for the reply any more."""
        ...


class Audience(Protocol):
    """Knows who reads along."""

    def hearing(self, turn: Turn) -> Hearing:
        """Everybody who reads along with *turn*, now or later."""
        ...


class ClientLeft(Exception):
    """Nobody waits for the reply any more."""


class TurnTaker:
    """Presence, engine, wait, commit, and what is written afterwards."""

    def __init__(
        self,
        engine: Engine,
        inbox: InboxStore,
        replies: ReplyStore,
        presence: Presence,
        lanes: WorkQueue,
        audience: Audience,
        clock: Clock,
        bounds: WaitBounds,
        slow_after_s: float = SLOW_AFTER_S,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._replies = replies
        self._presence = presence
        self._lanes = lanes
        self._audience = audience
        self._clock = clock
        self._bounds = bounds
        self._slow_after_s = slow_after_s

    async def take(self, lease: Lease, turn: Turn, commit_by: float) -> None:
        """Answer the turn's messages with one reply. Safe to run again after a crash.

        Args:
            commit_by: monotonic time from which on the turn no longer gives way to newer messages.

        Raises:
            LeaseLost: somebody else has the conversation; nothing was saved.
            Overtaken: the guest wrote more, or staff took over; nothing was saved, look again.
            StoreUnavailable: nothing was saved.
        """
        hearing = self._audience.hearing(turn)
        unanswered = _not_for_the_desk(turn)
        if unanswered is not None:
            # In mode ``human`` staff are reading along already.
            await self._close(lease, turn, unanswered, hearing, needs_human=turn.mode is not Mode.HUMAN)
            return
        try:
            reply, lanes = await self._reply(lease, turn, commit_by, hearing)
        except ClientLeft:
            await self._close(lease, turn, Unanswered.CLIENT_LEFT, hearing, needs_human=False)
            return
        hearing.end(reply)
        self._wake(lanes)
        waited = self._clock.now() - turn.messages[0].received_at
        record_turn(turn.channel, reply, waited.total_seconds(), self._slow_after_s)
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

    async def _reply(
        self, lease: Lease, turn: Turn, commit_by: float, hearing: Hearing
    ) -> tuple[Reply, Sequence[str]]:
        """The committed reply, and the lanes that it leaves in."""
        started_at = self._clock.now()
        try:
            async with self._presence.composing(turn):
                reply = _timed(await self._prepare(turn, commit_by, hearing), turn, started_at)
            return reply, await asyncio.to_thread(self._commit, lease, turn, reply, started_at, commit_by)
        except Exception:
            # What was shown belongs to a reply that there will not be.
            hearing.hear(Replace(""))
            raise

    async def _prepare(self, turn: Turn, commit_by: float, hearing: Hearing) -> Reply:
        """The reply, made while it is waited for more messages; dropped when there are any."""
        answering = asyncio.create_task(self._answer(turn, hearing.hear))
        try:
            waited_ms = await self._await_quiet(turn, commit_by)
            while not answering.done():
                await asyncio.wait({answering}, timeout=LOOK_EVERY_S)
                if not answering.done():
                    await self._check_newer(turn, commit_by)
                    if hearing.has_left():
                        raise ClientLeft
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

    async def _answer(self, turn: Turn, listen: Listener) -> Reply:
        if turn.messages[0].attempts >= ATTEMPTS:
            return self._engine.give_up(turn)
        return await self._engine.answer(turn, listen)

    def _commit(
        self, lease: Lease, turn: Turn, reply: Reply, started_at: datetime, commit_by: float
    ) -> Sequence[str]:
        # One transaction, refused if the lease was lost. The reply's message id follows from the turn, so
        # that sending it twice is sending it once.
        return self._replies.commit_reply(
            lease, turn, reply, started_at, unless_newer=self._clock.monotonic() < commit_by
        )

    async def _close(
        self, lease: Lease, turn: Turn, because: Unanswered, hearing: Hearing, *, needs_human: bool
    ) -> None:
        """Handle the turn without a reply."""
        self._wake(
            await asyncio.to_thread(
                self._replies.close_unanswered, lease, turn, because, needs_human=needs_human
            )
        )
        hearing.end(None)
        record_turn_without_reply("unanswered")

    def _wake(self, lanes: Sequence[str]) -> None:
        for lane in lanes:
            self._lanes.put(lane)

    async def _note(self, turn: Turn, reply: Reply) -> None:
        """The reply is on its way: nothing that fails from here on may fail the turn."""
        try:
            await asyncio.to_thread(self._replies.record_analysis, turn.id, analyse(turn, reply))
        except Exception as error:  # noqa: BLE001 - to take the turn again would find it handled
            log.warning("turn.not_analysed", turn=turn.id, error=type(error).__name__)


def _timed(reply: Reply, turn: Turn, started_at: datetime) -> Reply:
    """*reply* with its moments counted from the arrival of the oldest message."""
    queued = max(0.0, (started_at - turn.messages[0].received_at) / timedelta(milliseconds=1))
    steps = {name: round(queued + since_start, 2) for name, since_start in reply.steps_ms.items()}
    return replace(reply, steps_ms={"queued": round(queued, 2), **steps})


def _not_for_the_desk(turn: Turn) -> Unanswered | None:
    """Why staff, not the desk, are to answer; None if the desk is."""
    if turn.mode is not Mode.AI:
        return Unanswered.HUMAN
    if turn.is_stale:
        return Unanswered.STALE
    return Unanswered.PAUSED if turn.tenant.settings.ai_paused else None

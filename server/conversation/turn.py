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
from server.domain.conversations import Analysis, Mode, Reply, Turn, Unanswered
from server.domain.events import Listener, Replace, ReplyEvent
from server.domain.messages import Channel
from server.errors import Overtaken
from server.observability.record import record_turn, record_turn_without_reply
from server.outbox.presence import Presence
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.ports.store import Ended, InboxStore, Taken, TurnStore

# So often the engine may fail before the guest is told that the team has the message.
ATTEMPTS = 3
# How often a turn looks whether the guest has written more.
LOOK_EVERY_S = 0.4
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


class Ears(Protocol):
    """Knows what is said in recordings."""

    async def hear(self, turn: Turn) -> Turn:
        """*turn* with the words of its voice messages."""
        ...

    def keep(self, turn: Turn) -> None:
        """Have what the turn's messages carry ready for staff; returns at once."""
        ...


class _Nobody:
    """Hears a draft being made."""

    def hear(self, event: ReplyEvent) -> None:
        """Forget it."""

    def end(self, reply: Reply | None) -> None:
        """Nobody waits for that."""

    def has_left(self) -> bool:
        """Nobody was there who could."""
        return False


class ClientLeft(Exception):
    """Nobody waits for the reply any more."""


class TurnTaker:
    """Presence, engine, wait, commit."""

    def __init__(
        self,
        engine: Engine,
        inbox: InboxStore,
        turns: TurnStore,
        presence: Presence,
        lanes: WorkQueue,
        audience: Audience,
        ears: Ears,
        clock: Clock,
        bounds: WaitBounds,
        slow_after_s: float = SLOW_AFTER_S,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._turns = turns
        self._presence = presence
        self._lanes = lanes
        self._audience = audience
        self._ears = ears
        self._clock = clock
        self._bounds = bounds
        self._slow_after_s = slow_after_s

    async def take(self, taken: Taken, commit_by: float) -> bool:
        """Answer the turn's messages with one reply and give its lease back. Safe to run again after a crash.

        In mode ``draft`` the reply is kept for staff: it covers nothing, and nothing leaves.

        Args:
            commit_by: monotonic time from which on the turn no longer gives way to newer messages.

        Returns:
            Whether more is due in the conversation.

        Raises:
            LeaseLost: somebody else has the conversation; nothing was saved.
            Overtaken: the guest wrote more, or staff took over; nothing was saved, look again.
            StoreUnavailable: nothing was saved.
        """
        turn = taken.turn
        hearing = self._audience.hearing(turn)
        if _wants_draft(turn):
            return await self._draft(taken, commit_by, hearing)
        unanswered = _not_for_the_desk(turn)
        if unanswered is not None:
            self._ears.keep(turn)
            # In mode ``human`` staff are reading along already.
            return await self._close(taken, unanswered, hearing, needs_human=turn.mode is not Mode.HUMAN)
        try:
            reply, ended = await self._reply(taken, commit_by, hearing)
        except ClientLeft:
            return await self._close(taken, Unanswered.CLIENT_LEFT, hearing, needs_human=False)
        hearing.end(reply)
        self._wake(ended.lanes)
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
        return ended.is_due

    async def _reply(self, taken: Taken, commit_by: float, hearing: Hearing) -> tuple[Reply, Ended]:
        """The committed reply, and what its commit has left."""
        turn = taken.turn
        started_at = self._clock.now()
        try:
            async with self._presence.composing(turn):
                heard, reply = await self._prepare(turn, commit_by, hearing)
            reply = _timed(reply, turn, started_at)
            answered = Taken(taken.lease, heard)
            return reply, await asyncio.to_thread(self._commit, answered, reply, started_at, commit_by)
        except Exception:
            # What was shown belongs to a reply that there will not be.
            hearing.hear(Replace(""))
            raise

    async def _draft(self, taken: Taken, commit_by: float, hearing: Hearing) -> bool:
        """Keep what the desk would have answered for staff to decide on; whether more is due."""
        turn = taken.turn
        # Neither typing nor words are shown: there may never be a reply.
        heard, reply = await self._prepare(turn, commit_by, _Nobody())
        ended = await asyncio.to_thread(
            self._turns.commit_draft,
            taken.lease,
            heard,
            reply,
            unless_newer=self._clock.monotonic() < commit_by,
        )
        self._wake(ended.lanes)
        hearing.end(None)
        record_turn_without_reply("drafted")
        log.info("turn.drafted", turn=turn.id, conversation=turn.conversation_id, source=reply.source)
        return ended.is_due

    async def _prepare(self, turn: Turn, commit_by: float, hearing: Hearing) -> tuple[Turn, Reply]:
        """The turn with all its words, and the reply, made while it is waited for more messages; dropped when
        there are any."""
        answering = asyncio.create_task(self._answer(turn, hearing.hear))
        try:
            waited_ms = await self._await_quiet(turn, commit_by)
            while not answering.done():
                await asyncio.wait({answering}, timeout=LOOK_EVERY_S)
                if not answering.done():
                    await self._check_newer(turn, commit_by)
                    if hearing.has_left():
                        raise ClientLeft
            heard, reply = answering.result()
        finally:
            answering.cancel()
            # Whatever it had under way, the model's stream above all, is closed before the next try.
            await asyncio.gather(answering, return_exceptions=True)
        return heard, replace(reply, timings_ms={**reply.timings_ms, "wait": waited_ms})

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

    async def _answer(self, turn: Turn, listen: Listener) -> tuple[Turn, Reply]:
        if turn.messages[0].attempts >= ATTEMPTS:
            return turn, self._engine.give_up(turn)
        heard = await self._ears.hear(turn)
        if turn.mode is not Mode.DRAFT:
            return heard, await self._engine.answer(heard, listen)
        whole = await asyncio.to_thread(self._turns.with_unanswered, heard)
        return heard, await self._engine.answer(whole, listen)

    def _commit(self, taken: Taken, reply: Reply, started_at: datetime, commit_by: float) -> Ended:
        # One transaction, refused if the lease was lost. The reply's message id follows from the turn, so
        # that sending it twice is sending it once.
        return self._turns.commit(
            taken.lease,
            taken.turn,
            reply,
            started_at,
            _analysed(taken.turn, reply),
            unless_newer=self._clock.monotonic() < commit_by,
        )

    async def _close(self, taken: Taken, because: Unanswered, hearing: Hearing, *, needs_human: bool) -> bool:
        """Handle the turn without a reply; whether more is due."""
        ended = await asyncio.to_thread(
            self._turns.close, taken.lease, taken.turn, because, needs_human=needs_human
        )
        self._wake(ended.lanes)
        hearing.end(None)
        record_turn_without_reply("unanswered")
        return ended.is_due

    def _wake(self, lanes: Sequence[str]) -> None:
        for lane in lanes:
            self._lanes.put(lane)


def _analysed(turn: Turn, reply: Reply) -> Analysis | None:
    try:
        return analyse(turn, reply)
    except Exception as error:  # noqa: BLE001 - what is noted for staff must not keep a reply from a guest
        log.warning("turn.not_analysed", turn=turn.id, error=type(error).__name__)
        return None


def _timed(reply: Reply, turn: Turn, started_at: datetime) -> Reply:
    """*reply* with its moments counted from the arrival of the oldest message."""
    queued = max(0.0, (started_at - turn.messages[0].received_at) / timedelta(milliseconds=1))
    steps = {name: round(queued + since_start, 2) for name, since_start in reply.steps_ms.items()}
    return replace(reply, steps_ms={"queued": round(queued, 2), **steps})


def _wants_draft(turn: Turn) -> bool:
    """Whether staff are to decide on what the desk would answer. What fails again and again is not made."""
    return (
        turn.mode is Mode.DRAFT
        and turn.channel is not Channel.VOICE
        and not turn.is_stale
        and not turn.tenant.settings.ai_paused
        and turn.messages[0].attempts < ATTEMPTS
    )


def _not_for_the_desk(turn: Turn) -> Unanswered | None:
    """Why staff, not the desk, are to answer; None if the desk is."""
    if turn.mode is not Mode.AI:
        return Unanswered.HUMAN
    if turn.is_stale:
        return Unanswered.STALE
    return Unanswered.PAUSED if turn.tenant.settings.ai_paused else None

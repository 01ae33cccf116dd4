"""Works through a conversation's waiting messages, one turn at a time."""

from __future__ import annotations

import asyncio
import math

import structlog

from server.conversation.turn import TurnTaker
from server.domain.conversations import Turn
from server.domain.messages import InboundMessage
from server.errors import LeaseLost, Overtaken, StoreUnavailable
from server.leases import keep
from server.observability.record import record_turn_without_reply
from server.ports.clock import Clock
from server.ports.store import Begun, InboxStore, LeaseStore, Taken, TurnStore

RETRY_DELAY_S = 1.0
# A guest who writes on and on gets an answer all the same after so long.
LONGEST_OVERTAKING_S = 8.0
# One who has waited for so long, whatever for, gets what there is.
LONGEST_WAIT_S = 20.0

log = structlog.get_logger(__name__)


class Drain:
    """Strict order within a conversation: whoever has its lease takes its turns.

    Args:
        history_lines: how many earlier lines a turn is given.
    """

    def __init__(
        self,
        leases: LeaseStore,
        inbox: InboxStore,
        turns: TurnStore,
        taker: TurnTaker,
        clock: Clock,
        history_lines: int,
    ) -> None:
        self._leases = leases
        self._inbox = inbox
        self._turns = turns
        self._taker = taker
        self._clock = clock
        self._history_lines = history_lines

    async def run(self, key: str) -> None:
        """Take turns until nothing of conversation *key* is due. Safe to call at any time, anywhere."""
        conversation_id = int(key)
        taken = await self._take(conversation_id)
        while taken is not None:
            taken = await self._take(conversation_id) if await self._see_out(taken) else None

    def begin(self, message: InboundMessage) -> Begun:
        """Save *message* for a caller who waits, and take its turn; `go_on` answers it. Blocks.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nothing was saved.
        """
        return self._turns.begin(message, self._history_lines)

    async def go_on(self, begun: Begun) -> None:
        """Answer what was begun, and whatever its conversation has after it."""
        if begun.taken is None or await self._see_out(begun.taken):
            await self.run(str(begun.saved.conversation_id))

    async def _take(self, conversation_id: int) -> Taken | None:
        # Who has the conversation looks again after giving it back, so nothing is forgotten.
        return await asyncio.to_thread(self._turns.take, conversation_id, self._history_lines)

    async def _see_out(self, taken: Taken) -> bool:
        """Answer what was taken, again for as long as it is overtaken; whether more may be due.

        The lease is given back in any case.
        """
        commit_by = math.inf
        turn: Turn | None = taken.turn
        async with keep(self._leases, taken.lease) as kept:
            while turn is not None:
                commit_by = min(commit_by, self._patience_of(turn))
                try:
                    is_due = await self._answer(Taken(taken.lease, turn), commit_by)
                except Overtaken:
                    commit_by = min(commit_by, self._clock.monotonic() + LONGEST_OVERTAKING_S)
                    turn = await self._look_again(turn)
                else:
                    kept.is_given_back = True
                    return is_due
        return True

    async def _answer(self, taken: Taken, commit_by: float) -> bool:
        """Whether more is due; the lease is ours no longer.

        Raises:
            Overtaken: nothing was saved, and the lease is still ours.
            StoreUnavailable: as much is saved as was before.
        """
        turn = taken.turn
        try:
            try:
                return await self._taker.take(taken, commit_by)
            except (LeaseLost, Overtaken, StoreUnavailable):
                raise
            except Exception as error:
                record_turn_without_reply("failed")
                log.exception("turn.failed", turn=turn.id, error=type(error).__name__)
                return await asyncio.to_thread(self._turns.postpone, taken.lease, turn, RETRY_DELAY_S)
        except LeaseLost:
            log.warning("drain.lease_lost", conversation=turn.conversation_id)
            return False

    async def _look_again(self, turn: Turn) -> Turn | None:
        """What waits now in the conversation of *turn*, which was overtaken."""
        record_turn_without_reply("overtaken")
        log.info("turn.overtaken", turn=turn.id)
        return await asyncio.to_thread(self._inbox.next_turn, turn.conversation_id, self._history_lines)

    def _patience_of(self, turn: Turn) -> float:
        """Until when, in monotonic time, the turn's guest is made to wait for their own next messages."""
        waited_s = (self._clock.now() - turn.messages[0].received_at).total_seconds()
        return self._clock.monotonic() + LONGEST_WAIT_S - waited_s

"""Works through a conversation's waiting messages, one turn at a time."""

from __future__ import annotations

import asyncio
import math

import structlog

from server.conversation.turn import TurnTaker
from server.domain.conversations import Lease, Turn, conversation_key
from server.errors import LeaseLost, Overtaken, StoreUnavailable
from server.leases import hold
from server.observability.record import record_turn_without_reply
from server.ports.clock import Clock
from server.ports.store import InboxStore, LeaseStore

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
        self, leases: LeaseStore, inbox: InboxStore, taker: TurnTaker, clock: Clock, history_lines: int
    ) -> None:
        self._leases = leases
        self._inbox = inbox
        self._taker = taker
        self._clock = clock
        self._history_lines = history_lines

    async def run(self, key: str) -> None:
        """Take turns until nothing of conversation *key* is due. Safe to call at any time, anywhere."""
        conversation_id = int(key)
        is_due = True
        while is_due:
            async with hold(self._leases, conversation_key(conversation_id)) as lease:
                if lease is None:
                    # Who holds it looks again after giving it back, so nothing is forgotten.
                    return
                try:
                    await self._take_turn(lease, conversation_id)
                except LeaseLost:
                    log.warning("drain.lease_lost", conversation=conversation_id)
                    return
            is_due = await asyncio.to_thread(self._inbox.is_due, conversation_id)

    async def _take_turn(self, lease: Lease, conversation_id: int) -> None:
        """Take what waits, again for as long as it is overtaken."""
        commit_by = math.inf
        while True:
            turn = await asyncio.to_thread(self._inbox.next_turn, conversation_id, self._history_lines)
            if turn is None:
                return
            try:
                await self._taker.take(lease, turn, min(commit_by, self._patience_of(turn)))
                return
            except Overtaken:
                commit_by = min(commit_by, self._clock.monotonic() + LONGEST_OVERTAKING_S)
                record_turn_without_reply("overtaken")
                log.info("turn.overtaken", turn=turn.id)
            except (LeaseLost, StoreUnavailable):
                raise
            except Exception as error:
                record_turn_without_reply("failed")
                log.exception("turn.failed", turn=turn.id, error=type(error).__name__)
                await asyncio.to_thread(self._inbox.postpone, lease, turn, RETRY_DELAY_S)
                return

    def _patience_of(self, turn: Turn) -> float:
        """Until when, in monotonic time, the turn's guest is made to wait for their own next messages."""
        waited_s = (self._clock.now() - turn.messages[0].received_at).total_seconds()
        return self._clock.monotonic() + LONGEST_WAIT_S - waited_s

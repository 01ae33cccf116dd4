"""What a guest would be answered, for staff who want to know: nothing is said, nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Any

from server.conversation.engine import Engine
from server.domain.conversations import Reply, Turn, lone_turn
from server.domain.knowledge import Passage
from server.domain.messages import Channel
from server.domain.tenants import Tenant
from server.errors import TooBusy
from server.ports.clock import Clock

Submit = Callable[[Coroutine[Any, Any, "Rehearsal"]], "Future[Rehearsal]"]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A reply that nobody gets, and the passages that were looked at for it, best first."""

    reply: Reply
    passages: Sequence[Passage]


class Rehearsals:
    """Tries questions on the engine that answers guests, past the answers of before.

    Args:
        submit: runs work on the event loop of the desk.
        patience_s: how long whoever tries waits at most.
    """

    def __init__(self, engine: Engine, clock: Clock, submit: Submit, patience_s: float) -> None:
        self._engine = engine.without_cache()
        self._clock = clock
        self._submit = submit
        self._patience_s = patience_s

    def try_question(self, tenant: Tenant, channel: Channel, question: str) -> Rehearsal:
        """Answer *question* as a guest's first one. Blocks; what a model costs the business pays.

        Raises:
            StoreUnavailable: the documents cannot be read.
            TooBusy: there was no answer in time.
        """
        turn = lone_turn(tenant, channel, question, self._clock.now())
        trying = self._submit(self._answer(turn))
        try:
            return trying.result(self._patience_s)
        except NotInTime:
            trying.cancel()
            raise TooBusy("there was no answer in time; try again in a moment") from None

    async def _answer(self, turn: Turn) -> Rehearsal:
        reply = await self._engine.answer(turn)
        return Rehearsal(reply, await asyncio.to_thread(self._engine.ranking, turn))

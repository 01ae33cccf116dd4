"""What callers say: answered by the same engine as what guests write, and kept in the same threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from server.conversation.engine import Engine
from server.conversation.reflexes import reflex
from server.domain.calls import ASKED_FOR_PERSON, Call, CallTurn, call_turn_id
from server.domain.conversations import HistoryLine, Reply, Turn, WaitingMessage
from server.domain.events import Listener
from server.domain.messages import Channel, MessageKind
from server.errors import AppError
from server.ports.calls import CallStore
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.voice.contacts import contact_reply
from server.voice.lines import Line, line

log = structlog.get_logger(__name__)


class Asking:
    """Between calls and the core.

    Words on the phone are answered on the phone, at once: they never wait in the inbox, and need no lease.
    """

    def __init__(self, engine: Engine, calls: CallStore, lanes: WorkQueue, clock: Clock) -> None:
        self._engine = engine
        self._calls = calls
        self._lanes = lanes
        self._clock = clock

    def now(self) -> datetime:
        """The time; aware."""
        return self._clock.now()

    def foresee(self, call: Call, words: str) -> None:
        """Begin what answering *words* will take. Blocks, and never raises."""
        self._engine.foresee(call.tenant.id, words)

    async def answer(
        self,
        call: Call,
        number: int,
        words: str,
        history: Sequence[HistoryLine],
        offered: Sequence[str],
        listen: Listener,
    ) -> Reply:
        """The reply to *words*, the call's *number*-th turn; what passes the gate is told as it comes.

        Args:
            history: of the thread and the call, oldest first.
            offered: document ids that the last reply offered.
        """
        said = WaitingMessage(0, f"{call.id}:{number}", MessageKind.TEXT, words, None, self._clock.now(), 0)
        turn = Turn(
            id=call_turn_id(call.id, number),
            tenant=call.tenant,
            conversation_id=call.conversation_id,
            channel=Channel.VOICE,
            mode=call.mode,
            reply_to=call.caller,
            guest_name=call.guest_name,
            messages=[said],
            history=history,
            offered=offered,
        )
        reading = contact_reply(words, history, call.tenant.settings.languages)
        # Who is in danger, or wants a person, gets help first, whatever number they name.
        if reading is not None and reflex(turn, reading.language) is None:
            return reading
        return _as_heard(call, await self._engine.answer(turn, listen))

    async def record(self, call: Call, turn: CallTurn) -> None:
        """Keep what was said. A database that is away loses the line, never the call."""
        try:
            for lane in await asyncio.to_thread(self._calls.record, call, turn):
                self._lanes.put(lane)
        except AppError as error:
            log.error("call.turn_not_kept", call=call.id, turn=turn.number, error=type(error).__name__)


def _as_heard(call: Call, reply: Reply) -> Reply:
    """*reply* in the words of a call: who is put through is not told that a person will write."""
    if reply.reason != ASKED_FOR_PERSON or not call.tenant.settings.transfer_number:
        return reply
    return replace(reply, text=line(Line.TRANSFERRING, reply.language))

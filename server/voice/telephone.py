"""What a call does next, as far as Twilio's webhooks decide it: who answers, transfers, messages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from cachetools import TTLCache

from server.domain.calls import ANSWER_PENDING, Call, CallTurn, NextStep
from server.domain.conversations import HistoryLine, Reply, ReplySource, Speaker
from server.domain.events import nobody
from server.domain.language import UNDETERMINED, detect_language
from server.ports.calls import CallStore
from server.voice.asking import Asking
from server.voice.lines import Line, line, nobody_there
from server.voice.office_hours import rings_first

# From the caller's words to the answer, whatever they are told meanwhile.
ANSWER_WITHIN_S = 10.0
# No silence is longer than two seconds, and Twilio's recogniser has waited one to know that they finished.
FIRST_WAIT_S = 0.7
NEXT_WAIT_S = 1.7
# The log is waited for, so that whoever the caller is sent to finds it; not for long, as they hear nothing.
_KEEP_WITHIN_S = 0.2
HISTORY_LINES = 8
# What is being asked by this process. A caller comes back for it within seconds, or has hung up.
_MOST_ASKED, _ASKED_FOR_S = 1_000, 60

log = structlog.get_logger(__name__)

Submit = Callable[[Coroutine[Any, Any, Reply]], Future[Reply]]


@dataclass(slots=True)
class _Asked:
    """Words that are being answered; ``is_held``: the caller was told to wait."""

    words: str
    started_at: datetime
    reply: Future[Reply] = field(default_factory=Future)
    is_held: threading.Event = field(default_factory=threading.Event)


class Telephone:
    """Calls as the webhooks see them. Its methods block.

    Args:
        submit: runs a coroutine on the core's event loop, from any thread.
    """

    def __init__(self, calls: CallStore, asking: Asking, submit: Submit) -> None:
        self._calls = calls
        self._asking = asking
        self._submit = submit
        self._asked: TTLCache[tuple[str, int], _Asked] = TTLCache(_MOST_ASKED, _ASKED_FOR_S)
        self._lock = threading.Lock()

    def ring(self, call_id: str, called: str, caller: str) -> Call:
        """A call has come in.

        Raises:
            NotFound: no business has the number.
        """
        call = self._calls.ring(call_id, called, caller, HISTORY_LINES)
        log.info("call.rings", call=call.id, tenant=call.tenant.id, conversation=call.conversation_id)
        return call

    def find(self, call_id: str) -> Call | None:
        """A call that has rung."""
        return self._calls.find(call_id, HISTORY_LINES)

    def rings_first(self, call: Call) -> bool:
        """Whether the business's own telephone rings before the desk answers, now."""
        return rings_first(call.tenant.settings, self._asking.now())

    def nobody_there(self, call: Call, language: str) -> str:
        """What a caller hears whom no person answers, now."""
        return nobody_there(call.tenant.settings, language, self._asking.now())

    def issue_token(self, call: Call) -> str:
        """The secret that opens the call's media socket once."""
        return self._calls.issue_token(call.id)

    def go_on_with(self, call: Call, step: NextStep, to_say: str = "") -> None:
        """What the call does next."""
        self._calls.go_on_with(call.id, step, to_say)

    def answer(self, call: Call, number: int, words: str) -> Reply | None:
        """The reply to what Twilio's own recogniser understood; a sorry line when there is none in time.

        None if it takes longer than a caller should be left in silence: `wait_for` has it later.
        """
        asked = self._ask(call, number, words, call.history, self._asking.now())
        return self._reply_within(FIRST_WAIT_S, call, number, asked)

    def wait_for(self, call: Call, number: int) -> Reply | None:
        """The reply to a turn that had none in time, in this process or another."""
        kept = self._calls.find_turn(call.id, number)
        if kept is not None and kept.reply.text:
            self._keep(call, replace(kept, told=kept.reply.text, ended_at=self._asking.now()))
            return kept.reply
        with self._lock:
            asked = self._asked.get((call.id, number))
        if asked is None:
            # The process that was asked is another one, or is no more.
            words = "" if kept is None else kept.words
            started_at = self._asking.now() if kept is None else kept.started_at
            asked = self._ask(call, number, words, _before(call.history, words), started_at)
        return self._reply_within(NEXT_WAIT_S, call, number, asked)

    def message_left(self, call: Call, recording_url: str) -> None:
        """The caller has left a message; staff hear of it."""
        language = language_of(call, "")
        told = line(Line.MESSAGE_TAKEN, language)
        reply = Reply(
            text=told, source=ReplySource.SHORTCUT, language=language, handover=True, reason="message_left"
        )
        now = self._asking.now()
        self._keep(call, _turn(_MESSAGE, f"[{recording_url}]", reply, now, now))

    def ended(self, call_id: str, because: str, seconds: int | None) -> None:
        """The network tells that the call is over."""
        self._calls.end(call_id, because, seconds)
        log.info("call.ended", call=call_id, because=because, seconds=seconds)

    def _ask(
        self, call: Call, number: int, words: str, history: Sequence[HistoryLine], started_at: datetime
    ) -> _Asked:
        asked = _Asked(words, started_at)

        async def make() -> Reply:
            reply = await self._asking.answer(call, number, words, history, (), nobody)
            if asked.is_held.is_set():
                # Whoever the caller is sent to finds it, and so does who looks after a call that broke off.
                now = self._asking.now()
                turn = replace(_turn(number, words, reply, started_at, now), told="")
                with suppress(TimeoutError):
                    async with asyncio.timeout(_KEEP_WITHIN_S):
                        await self._asking.record(call, turn)
            return reply

        asked.reply = self._submit(make())
        with self._lock:
            self._asked[call.id, number] = asked
        return asked

    def _reply_within(self, seconds: float, call: Call, number: int, asked: _Asked) -> Reply | None:
        left_s = ANSWER_WITHIN_S - (self._asking.now() - asked.started_at).total_seconds()
        try:
            reply = asked.reply.result(max(0.0, min(seconds, left_s)))
        except Exception as error:  # noqa: BLE001 - whatever failed, the caller must hear something
            is_late = not asked.reply.done()
            if is_late and left_s > seconds:
                self._hold(call, number, asked)
                return None
            asked.reply.cancel()
            log.error("call.answer_failed", call=call.id, error=type(error).__name__)
            reply = _sorry(language_of(call, asked.words), "answer_late" if is_late else "answer_failed")
        self._keep(call, _turn(number, asked.words, reply, asked.started_at, self._asking.now()))
        return reply

    def _hold(self, call: Call, number: int, asked: _Asked) -> None:
        """Leave the caller's words where any process finds them."""
        if asked.is_held.is_set():
            return
        asked.is_held.set()
        language = language_of(call, asked.words)
        pending = Reply(text="", source=ReplySource.SHORTCUT, language=language, reason=ANSWER_PENDING)
        self._keep(call, _turn(number, asked.words, pending, asked.started_at, self._asking.now()))

    def _keep(self, call: Call, turn: CallTurn) -> None:
        """Have it in the thread; what is slow or fails does so after the caller was answered."""

        async def keep() -> Reply:
            await self._asking.record(call, turn)
            return turn.reply

        try:
            self._submit(keep()).result(_KEEP_WITHIN_S)
        except Exception as error:  # noqa: BLE001 - the caller must hear the answer whatever becomes of the log
            log.error("call.turn_not_kept", call=call.id, turn=turn.number, error=type(error).__name__)


def _turn(number: int, words: str, reply: Reply, started_at: datetime, ended_at: datetime) -> CallTurn:
    """A turn whose reply is told whole."""
    return CallTurn(
        number=number, words=words, reply=reply, told=reply.text, started_at=started_at, ended_at=ended_at
    )


def _sorry(language: str, reason: str) -> Reply:
    return Reply(
        text=line(Line.SORRY, language),
        source=ReplySource.SHORTCUT,
        language=language,
        handover=True,
        reason=reason,
    )


def _before(history: Sequence[HistoryLine], words: str) -> Sequence[HistoryLine]:
    """*history* without the words that are being asked."""
    asks = bool(history) and history[-1] == HistoryLine(Speaker.GUEST, words)
    return history[:-1] if asks else history


# Far below the numbers of turns over the media socket, which begin at a time in microseconds.
FALLBACK_TURNS = 10_000
_MESSAGE = 1_000_000


def language_of(call: Call, words: str) -> str:
    """What a caller is spoken to in: as they speak, else as their thread is, else as the business prefers."""
    detected = detect_language(words)
    if detected != UNDETERMINED:
        return detected
    return call.language or next(iter(call.tenant.settings.languages), "en")

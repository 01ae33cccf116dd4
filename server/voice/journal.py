"""What of a call stands in the log: each answer as it was heard, with all that is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from server.domain.calls import Call, CallTurn, NextStep
from server.domain.conversations import Reply, ReplySource
from server.voice.answer import Answer
from server.voice.asking import Asking

# An answer that was cut short is made to its end all the same, for the log, if that takes no longer.
CONCLUDES_WITHIN_S = 3.0


class Journal:
    """Of one call.

    Args:
        over: what the call goes on with; done when its socket has nothing more to do.
    """

    def __init__(self, call: Call, asking: Asking, over: asyncio.Future[tuple[NextStep, str]]) -> None:
        self._call = call
        self._asking = asking
        self._over = over

    def keep(self, answer: Answer, told: str, language: str) -> Coroutine[Any, Any, None]:
        """The work of keeping *answer*, which is over now and is dropped with it.

        Args:
            told: what the caller heard of it.
            language: of what has no reply to tell.
        """
        return self._keep(answer, self._as_turn(answer, told, language))

    async def _keep(self, answer: Answer, turn: CallTurn) -> None:
        if turn.words or turn.told:
            await self._asking.record(self._call, turn)
        if turn.words and answer.reply is None:
            reply = await self._concluded(answer)
            if reply is not None:
                reply = replace(reply, steps_ms={**reply.steps_ms, **turn.reply.steps_ms})
                await self._asking.record(self._call, replace(turn, reply=reply))
        await answer.drop()

    async def _concluded(self, answer: Answer) -> Reply | None:
        """All of *answer*, if it comes soon; nobody who is still on the line waits for it."""
        asked: asyncio.Future[Any] = asyncio.create_task(answer.asked())
        with suppress(TimeoutError):
            async with asyncio.timeout(CONCLUDES_WITHIN_S):
                await asyncio.wait({asked, self._over}, return_when=asyncio.FIRST_COMPLETED)
                if self._is_hung_up:
                    await asked
        asked.cancel()
        return answer.reply

    @property
    def _is_hung_up(self) -> bool:
        over = self._over
        return over.done() and not over.cancelled() and over.result()[0] is NextStep.HANG_UP

    def _as_turn(self, answer: Answer, told: str, language: str) -> CallTurn:
        reply = answer.reply or Reply(text=told, source=ReplySource.MODEL, language=language)
        return CallTurn(
            number=answer.number,
            words=answer.words,
            reply=replace(reply, steps_ms={**reply.steps_ms, **answer.steps_ms()}),
            # Sentences are heard without the lines between them.
            told=reply.text if told.split() == reply.text.split() else told,
            started_at=answer.asked_at,
            ended_at=self._asking.now(),
        )

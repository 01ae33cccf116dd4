"""A model's answer: context, prompt, words behind the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple

import structlog

from server.conversation import phrases
from server.conversation.gate import Accepted, Refused
from server.conversation.prompts import PROMPT_VERSION, Prompts
from server.conversation.quick_replies import quick_replies
from server.conversation.recital import Recital
from server.conversation.steps import Steps
from server.conversation.stream_gate import StreamGate
from server.domain.conversations import Reply, ReplySource, Turn
from server.domain.events import ToolResult, ToolStart
from server.domain.knowledge import Passage, cited
from server.domain.model_calls import ModelCall
from server.errors import ProviderError
from server.knowledge.retrieve import Retriever
from server.knowledge.seasons import holds_on
from server.observability.metrics import GATE_REFUSALS
from server.ports.ai import Finished, LanguageModel, ModelRequest, Restarted
from server.ports.clock import Clock

PASSAGES = 5
KNOWLEDGE = "knowledge"

log = structlog.get_logger(__name__)

Account = Callable[[ModelCall], None]


class Answered(NamedTuple):
    """A reply, and the passages that the model was given for it."""

    reply: Reply
    passages: Sequence[Passage]


class ModelAnswers:
    """Asks a model and lets out what the gate accepts.

    Args:
        first_token_s: the limit to its first word.
        total_s: the limit to its last word, all fall-backs included; counted from the first call, as a
            process that has just started takes seconds to look things up.
    """

    def __init__(
        self, retriever: Retriever, prompts: Prompts, clock: Clock, first_token_s: float, total_s: float
    ) -> None:
        self._retriever = retriever
        self._prompts = prompts
        self._clock = clock
        self._first_token_s = first_token_s
        self._total_s = total_s

    async def answer(
        self, turn: Turn, language: str, model: LanguageModel, recital: Recital, account: Account
    ) -> Answered | None:
        """The model's reply as far as the gate lets it out; None if the embedded answers must do.

        Args:
            recital: is told the words as they pass; void where None is returned.
            account: is told of every call that was made.
        """
        steps = Steps(self._clock)
        passages = await self._look_up(turn, recital) if turn.wishes.uses_knowledge else []
        steps.reach("context")
        told = _Telling(turn, passages, self._clock, recital, steps)
        request = ModelRequest(
            lines=self._prompts.build(turn, passages, self._clock.now()),
            first_token_s=self._first_token_s,
            total_s=self._total_s,
            account=account,
        )
        try:
            await told.read(model, request)
        except ProviderError as error:
            log.warning("engine.model_failed", turn=turn.id, reason=error.reason)
            recital.void()
            return None
        reply = self._judged(turn, language, told, recital, steps)
        return None if reply is None else Answered(_with_quick_replies(reply, passages), passages)

    def _judged(
        self, turn: Turn, language: str, told: _Telling, recital: Recital, steps: Steps
    ) -> Reply | None:
        verdict = told.gate.finish()
        steps.reach("gate")
        if isinstance(verdict, Refused):
            log.warning("engine.model_refused", turn=turn.id, reason=verdict.reason)
            GATE_REFUSALS.inc(reason=verdict.reason)
            recital.hold_back(verdict.reason)
            return None
        if not verdict.asks_team:
            recital.say(verdict.text[len(told.gate.shown) :])
        return _reply(verdict, language, told.model, steps)

    async def _look_up(self, turn: Turn, recital: Recital) -> list[Passage]:
        recital.look_up(ToolStart(KNOWLEDGE))
        found = self._retriever.found(turn.tenant, turn.question, turn.history, PASSAGES)
        passages = (
            await asyncio.to_thread(self.passages, turn) if found is None else self._current(turn, found)
        )
        recital.look_up(ToolResult(KNOWLEDGE, len(passages)))
        return passages

    def passages(self, turn: Turn) -> list[Passage]:
        """What the model is given for *turn*, of what holds today, best first. Blocks.

        Raises:
            StoreUnavailable: the documents cannot be read.
        """
        return self._current(turn, self._retriever.likely(turn.tenant, turn.question, turn.history, PASSAGES))

    def _current(self, turn: Turn, found: Sequence[Passage]) -> list[Passage]:
        today = self._clock.now().astimezone(turn.tenant.settings.zone).date()
        return [passage for passage in found if holds_on(passage.document, today)]


class _Telling:
    """Reads one answer through a gate, from the beginning again if another model takes over."""

    def __init__(
        self, turn: Turn, passages: Sequence[Passage], clock: Clock, recital: Recital, steps: Steps
    ) -> None:
        self._turn = turn
        self._passages = passages
        self._now = clock.now()
        self._recital = recital
        self._steps = steps
        self.model = ""
        self.gate = self._new_gate()

    async def read(self, model: LanguageModel, request: ModelRequest) -> None:
        """Read until the answer is whole, or certain to be refused.

        Raises:
            ProviderError: there is no whole answer.
        """
        async with aclosing(model.stream(request)) as events:
            async for event in events:
                match event:
                    case str():
                        self._steps.reach("first_token")
                        self._recital.say(self.gate.feed(event))
                    case Restarted():
                        self._recital.void()
                        self.gate = self._new_gate()
                    case Finished():
                        self.model = event.model
                    case _:
                        pass
                if self.gate.is_refused:
                    break
        self._steps.reach("last_token")

    def _new_gate(self) -> StreamGate:
        return StreamGate(self._turn, self._passages, self._now)


def _with_quick_replies(reply: Reply, passages: Sequence[Passage]) -> Reply:
    if reply.handover:
        return reply
    ranking = [cited(passage) for passage in passages]
    return replace(reply, quick_replies=quick_replies(ranking, reply.citations, reply.language))


def _reply(verdict: Accepted, language: str, model: str, steps: Steps) -> Reply:
    return Reply(
        text=phrases.asked_team(language) if verdict.asks_team else verdict.text,
        source=ReplySource.MODEL,
        language=language,
        citations=verdict.citations,
        handover=verdict.asks_team,
        reason="model_does_not_know" if verdict.asks_team else "",
        model=model,
        prompt_version=PROMPT_VERSION,
        timings_ms={
            "retrieval": steps.reached_ms["context"],
            "model": steps.between_ms("context", "last_token"),
            "gate": steps.between_ms("last_token", "gate"),
        },
        steps_ms=steps.reached_ms,
    )

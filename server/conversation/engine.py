"""From a turn's messages to a reply that may leave.

In this order: reflexes, early exits, the choice from a list, an answer that was given before, the model
behind the gate, the embedded answers, the team.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from server.conversation import phrases
from server.conversation.after_hours import with_return
from server.conversation.answer_cache import AnswerCache, answer_key, may_be_kept
from server.conversation.gate import prepare_gate
from server.conversation.model_answer import Answered, ModelAnswers
from server.conversation.prompts import Prompts
from server.conversation.quick_replies import quick_replies
from server.conversation.recital import Recital
from server.conversation.reflexes import prepare_reflexes, reflex
from server.conversation.shortcuts import shortcut
from server.conversation.steps import Steps
from server.domain.conversations import Reply, ReplySource, Speaker, Turn
from server.domain.events import Listener, nobody
from server.domain.knowledge import AnswerAction, KnowledgeAnswer, Passage
from server.domain.language import reply_language
from server.domain.messages import MessageKind
from server.domain.model_calls import ModelCall
from server.domain.spending import Level
from server.domain.tenants import Tenant
from server.knowledge.answer import EmbeddedAnswers
from server.knowledge.question import names_something
from server.knowledge.retrieve import Retriever
from server.ports.ai import LanguageModel, ModelSet
from server.ports.clock import Clock


class Budget(Protocol):
    """Says how much a model may still cost."""

    def during_call(
        self, tenant: Tenant, conversation_id: int, now: datetime, cost_micros: int
    ) -> AbstractAsyncContextManager[Level]:
        """How a turn may be answered; while the block runs a call is under way that may cost so much."""
        ...


@dataclass(frozen=True, slots=True)
class Models:
    """Those that are asked, and what they may cost.

    ``account`` is told of each call, with the turn that it was made for; it returns at once.
    """

    known: ModelSet
    budget: Budget
    account: Callable[[Turn, ModelCall], None]

    def chosen(self, turn: Turn, level: Level) -> LanguageModel:
        """Which is asked: what the caller wished for, unless money is short."""
        if level is Level.CHEAPER:
            return self.known.cheap
        return self.known.by_name.get(turn.wishes.model, self.known.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Limits, in seconds, and what is switched off to measure its worth.

    ``first_token_s`` and ``total_s`` are the model's limits to its first and its last word.
    """

    first_token_s: float
    total_s: float
    exits_early: bool = True


class Engine:
    """Answers turns. It has an answer to everything: when nothing else works, the team is asked.

    Args:
        models: None where none is configured; then the embedded answers do it alone.
        cache: None where answers are not kept.
    """

    def __init__(
        self,
        answers: EmbeddedAnswers,
        retriever: Retriever,
        models: Models | None,
        clock: Clock,
        options: EngineOptions,
        cache: AnswerCache | None = None,
        prompts: Prompts | None = None,
    ) -> None:
        self._answers = answers
        self._retriever = retriever
        self._models = models
        self._clock = clock
        self._options = options
        self._cache = cache
        # As they were when last prepared or answered for: what is foreseen may be of a moment ago.
        self._tenants: dict[str, Tenant] = {}
        self._from_model = ModelAnswers(
            retriever, prompts or Prompts(), clock, options.first_token_s, options.total_s
        )

    async def answer(self, turn: Turn, listen: Listener = nobody) -> Reply:
        """Decide what to say to the turn's messages.

        Args:
            listen: is told the words as they pass the gate; what it was told last may differ from the reply.
        """
        steps = Steps(self._clock)
        self._tenants[turn.tenant.id] = turn.tenant
        language = _language(turn)
        opening = _opening(turn, language)
        recital = Recital(listen, opening)
        reply = with_return(await self._decide(turn, language, recital), turn, self._clock.now())
        if turn.unheard is not None and not reply.handover:
            # The words are answered; somebody has to listen to the rest.
            reply = replace(reply, handover=True, reason=turn.unheard)
        # In danger every word before the help is one too many.
        text = reply.text if reply.urgent else opening + reply.text
        total = {"total": round(steps.elapsed_s * 1000, 2)}
        timings_ms = {**reply.timings_ms, **total}
        return replace(reply, text=text, timings_ms=timings_ms, held_back=recital.held_back)

    def prepare(self, tenant: Tenant) -> None:
        """Load what answering the tenant's guests takes. Blocks.

        Raises:
            StoreUnavailable: its documents cannot be read.
        """
        prepare_reflexes()
        prepare_gate()
        self._tenants[tenant.id] = tenant
        for language in tenant.settings.languages:
            self._answers.prepare(tenant, language)

    def foresee(self, tenant_id: str, text: str) -> None:
        """Begin what answering *text* will take, while it is still being saved. Blocks, and never raises."""
        tenant = self._tenants.get(tenant_id)
        if tenant is not None and names_something(text):
            self._retriever.foresee(tenant, text)

    def without_cache(self) -> Engine:
        """The same, yet it gives no answer of before and keeps none."""
        twin = copy(self)
        twin._cache = None
        return twin

    def ranking(self, turn: Turn) -> Sequence[Passage]:
        """The passages that *turn* is answered from, best first. Blocks.

        Raises:
            StoreUnavailable: the documents cannot be read.
        """
        if self._models is not None:
            return self.look_up(turn)
        return self._retriever.retrieve(turn.tenant, turn.question, turn.history)

    def look_up(self, turn: Turn) -> Sequence[Passage]:
        """The passages that a model would be given for *turn*. Blocks.

        Raises:
            StoreUnavailable: the documents cannot be read.
        """
        return self._from_model.passages(turn)

    def give_up(self, turn: Turn) -> Reply:
        """The reply when answering failed again and again: the team has the message."""
        return with_return(_to_team(_language(turn), "engine_failed"), turn, self._clock.now())

    async def _decide(self, turn: Turn, language: str, recital: Recital) -> Reply:
        now = self._clock.now()
        if not turn.question.strip():
            return _media_reply(turn, language)
        at_once = reflex(turn, language)
        if at_once is None and self._options.exits_early:
            at_once = shortcut(turn, language, now)
        if at_once is not None:
            return at_once
        # A choice from a list that we offered is taken literally: no model need interpret it.
        if self._models is not None and not turn.offered:
            reply = await self._ask(turn, language, self._models, recital)
            if reply is not None:
                return reply
        if not turn.wishes.uses_knowledge:
            return _to_team(language, "not_known")
        return await asyncio.to_thread(self._from_knowledge, turn, language)

    async def _ask(self, turn: Turn, language: str, models: Models, recital: Recital) -> Reply | None:
        """An answer of before or the model's; None if the embedded answers must do."""
        name = turn.wishes.model or models.known.name
        key = None
        if self._cache is not None and not _encloses(turn):
            key = answer_key(turn, language, name, self._clock.now())
        if self._cache is None or key is None:
            answered = await self._ask_model(turn, language, models, recital)
            return None if answered is None else answered.reply
        cache = self._cache

        async def make() -> Reply | None:
            answered = await self._ask_model(turn, language, models, recital)
            if answered is not None and may_be_kept(answered.reply, turn, answered.passages):
                await cache.keep(key, answered.reply)
            return None if answered is None else answered.reply

        return await cache.get_or_make(key, make)

    async def _ask_model(
        self, turn: Turn, language: str, models: Models, recital: Recital
    ) -> Answered | None:
        during_call = models.budget.during_call(
            turn.tenant, turn.conversation_id, self._clock.now(), models.known.call_cost_micros
        )
        async with during_call as level:
            if level is Level.HUMAN:
                return Answered(_to_team(language, "budget_spent"), ())
            if level is Level.EMBEDDED:
                return None
            model = models.chosen(turn, level)
            return await self._from_model.answer(
                turn, language, model, recital, lambda call: models.account(turn, call)
            )

    def _from_knowledge(self, turn: Turn, language: str) -> Reply:
        started = self._clock.monotonic()
        answer = self._answers.answer(
            turn.tenant, turn.question, turn.history, turn.offered, language, self._clock.now()
        )
        is_offer = answer.action is AnswerAction.OFFER
        is_handover = answer.action is AnswerAction.ASK_TEAM or bool(answer.unanswered)
        return Reply(
            text=answer.text,
            source=ReplySource.KNOWLEDGE,
            language=language,
            citations=answer.citations,
            offered=[citation.document for citation in answer.citations] if is_offer else (),
            handover=is_handover,
            reason=_reason(answer),
            conflicts=answer.conflicts,
            quick_replies=_quick_replies(answer, language),
            timings_ms={"knowledge": round((self._clock.monotonic() - started) * 1000, 2)},
        )


def _reason(answer: KnowledgeAnswer) -> str:
    """What staff should know of an answer from the documents."""
    if answer.action is AnswerAction.ASK_TEAM:
        return "not_known"
    if answer.unanswered:
        return "not_all_known"
    return "documents_disagree" if answer.conflicts else ""


def _quick_replies(answer: KnowledgeAnswer, language: str) -> Sequence[str]:
    """What is on offer, or what stands near what was answered."""
    match answer.action:
        case AnswerAction.OFFER:
            return [citation.title for citation in answer.citations]
        case AnswerAction.ANSWER:
            return quick_replies(answer.ranking, answer.citations, language)
        case AnswerAction.ASK_TEAM:
            return ()


def _language(turn: Turn) -> str:
    """The guest's language: of what waits, else of what was written before."""
    before = [line.text for line in turn.history if line.speaker is Speaker.GUEST]
    return reply_language([*before, turn.question], turn.tenant.settings.languages)


def _opening(turn: Turn, language: str) -> str:
    """A line before the first words to a guest, where the business wants the machine to be known."""
    is_first = all(line.speaker is Speaker.GUEST for line in turn.history)
    if not (turn.tenant.settings.ai_disclosure and is_first):
        return ""
    return phrases.disclosure(language, turn.tenant.settings.name) + "\n"


def _encloses(turn: Turn) -> bool:
    """Whether the answer is to more than words, which the same words of another guest may not come with."""
    return any(message.kind not in (MessageKind.TEXT, MessageKind.AUDIO) for message in turn.messages)


def _media_reply(turn: Turn, language: str) -> Reply:
    return Reply(
        text=phrases.media_received(language),
        source=ReplySource.SHORTCUT,
        language=language,
        handover=True,
        reason=turn.unheard or "no_words",
    )


def _to_team(language: str, reason: str) -> Reply:
    return Reply(
        text=phrases.holding_line(language),
        source=ReplySource.SHORTCUT,
        language=language,
        handover=True,
        reason=reason,
    )

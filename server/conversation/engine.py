"""From a turn's messages to a reply that may leave: shortcuts, model behind the gate, embedded answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from server.conversation import phrases
from server.conversation.gate import Refused, check_reply
from server.conversation.prompts import build_prompt
from server.conversation.shortcuts import shortcut
from server.domain.conversations import Reply, ReplySource, Speaker, Turn
from server.domain.knowledge import AnswerAction, KnowledgeAnswer, Passage
from server.domain.language import reply_language
from server.domain.tenants import Tenant
from server.errors import ProviderError
from server.knowledge.answer import EmbeddedAnswers
from server.knowledge.retrieve import Retriever
from server.knowledge.seasons import holds_on
from server.ports.ai import LanguageModel, ModelRequest
from server.ports.clock import Clock

PASSAGES = 5

log = structlog.get_logger(__name__)


class Engine:
    """Answers turns. It has an answer to everything: when nothing else works, the team is asked.

    Args:
        model: None where none is configured; then the embedded answers do it alone.
        first_token_s: the model's limit to its first word.
        total_s: the model's limit to its last word.
    """

    def __init__(
        self,
        answers: EmbeddedAnswers,
        retriever: Retriever,
        model: LanguageModel | None,
        clock: Clock,
        first_token_s: float,
        total_s: float,
    ) -> None:
        self._answers = answers
        self._retriever = retriever
        self._model = model
        self._clock = clock
        self._first_token_s = first_token_s
        self._total_s = total_s

    async def answer(self, turn: Turn) -> Reply:
        """Decide what to say to the turn's messages."""
        started = self._clock.monotonic()
        reply = _disclosed(turn, await self._decide(turn))
        total_ms = (self._clock.monotonic() - started) * 1000
        return replace(reply, timings_ms={**reply.timings_ms, "total": round(total_ms, 2)})

    def prepare(self, tenant: Tenant) -> None:
        """Load what answering the tenant's guests takes. Blocks.

        Raises:
            StoreUnavailable: its documents cannot be read.
        """
        for language in tenant.settings.languages:
            self._answers.prepare(tenant, language)

    def give_up(self, turn: Turn) -> Reply:
        """The reply when answering failed again and again: the team has the message."""
        language = _language(turn)
        return Reply(
            text=phrases.holding_line(language),
            source=ReplySource.SHORTCUT,
            language=language,
            handover=True,
            reason="engine_failed",
        )

    async def _decide(self, turn: Turn) -> Reply:
        language = _language(turn)
        if not turn.question.strip():
            return _media_reply(language)
        early = shortcut(turn, language, self._clock.now())
        if early is not None:
            return early
        # A choice from a list that we offered is taken literally: no model need interpret it.
        if self._model is not None and not turn.offered:
            reply = await self._ask_model(turn, language, self._model)
            if reply is not None:
                return reply
        return await asyncio.to_thread(self._from_knowledge, turn, language)

    async def _ask_model(self, turn: Turn, language: str, model: LanguageModel) -> Reply | None:
        """The model's reply as far as the gate lets it out; None if the embedded answers must do."""
        started = self._clock.monotonic()
        found = await asyncio.to_thread(
            self._retriever.retrieve, turn.tenant, turn.question, turn.history, PASSAGES
        )
        today = self._clock.now().astimezone(turn.tenant.settings.zone).date()
        passages = [passage for passage in found if holds_on(passage.document, today)]
        retrieved = self._clock.monotonic()
        try:
            words = await self._read(model, turn, passages)
        except ProviderError as error:
            log.warning("engine.model_failed", turn=turn.id, reason=error.reason)
            return None
        timings = {
            "retrieval": round((retrieved - started) * 1000, 2),
            "model": round((self._clock.monotonic() - retrieved) * 1000, 2),
        }
        gated = check_reply(words, turn, passages, self._clock.now())
        if isinstance(gated, Refused):
            log.warning("engine.model_refused", turn=turn.id, reason=gated.reason)
            return None
        if gated.asks_team:
            return _team_reply(language, timings)
        return Reply(
            text=gated.text,
            source=ReplySource.MODEL,
            language=language,
            citations=gated.citations,
            timings_ms=timings,
        )

    async def _read(self, model: LanguageModel, turn: Turn, passages: Sequence[Passage]) -> str:
        request = ModelRequest(
            lines=build_prompt(turn, passages, self._clock.now()),
            first_token_s=self._first_token_s,
            total_s=self._total_s,
        )
        async with aclosing(model.stream(request)) as pieces:
            return "".join([piece async for piece in pieces])

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
            timings_ms={"knowledge": round((self._clock.monotonic() - started) * 1000, 2)},
        )


def _reason(answer: KnowledgeAnswer) -> str:
    """What staff should know of an answer from the documents."""
    if answer.action is AnswerAction.ASK_TEAM:
        return "not_known"
    if answer.unanswered:
        return "not_all_known"
    return "documents_disagree" if answer.conflicts else ""


def _language(turn: Turn) -> str:
    """The guest's language: of what waits, else of what was written before."""
    before = [line.text for line in turn.history if line.speaker is Speaker.GUEST]
    return reply_language([*before, turn.question], turn.tenant.settings.languages)


def _disclosed(turn: Turn, reply: Reply) -> Reply:
    """With a line before the first words to a guest, where the business wants the machine to be known."""
    is_first = all(line.speaker is Speaker.GUEST for line in turn.history)
    if not (turn.tenant.settings.ai_disclosure and is_first):
        return reply
    line = phrases.disclosure(reply.language, turn.tenant.settings.name)
    return replace(reply, text=f"{line}\n{reply.text}")


def _media_reply(language: str) -> Reply:
    return Reply(
        text=phrases.media_received(language),
        source=ReplySource.SHORTCUT,
        language=language,
        handover=True,
        reason="no_words",
    )


def _team_reply(language: str, timings_ms: Mapping[str, float]) -> Reply:
    return Reply(
        text=phrases.asked_team(language),
        source=ReplySource.MODEL,
        language=language,
        handover=True,
        reason="model_does_not_know",
        timings_ms=timings_ms,
    )

"""Engines over the house of `tests.fakes.answers`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from server.conversation.answer_cache import AnswerCache
from server.conversation.engine import Engine, EngineOptions, Models
from server.domain.conversations import Turn
from server.domain.knowledge import Document
from server.domain.model_calls import ModelCall
from server.domain.spending import Level
from server.domain.tenants import Tenant
from server.knowledge.answer import EmbeddedAnswers
from server.ports.ai import LanguageModel, ModelSet
from server.ports.clock import Clock
from tests.fakes.answers import a_retriever
from tests.fakes.clock import FakeClock


class FixedBudget:
    """Always at the same level."""

    def __init__(self, level: Level = Level.NORMAL) -> None:
        self.now_at = level

    @asynccontextmanager
    async def during_call(
        self,
        tenant: Tenant,  # noqa: ARG002
        conversation_id: int,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
        cost_micros: int,  # noqa: ARG002
    ) -> AsyncIterator[Level]:
        yield self.now_at


def the_models(
    usual: LanguageModel,
    cheap: LanguageModel | None = None,
    level: Level = Level.NORMAL,
    calls: list[tuple[Turn, ModelCall]] | None = None,
) -> Models:
    """Models whose calls are kept in *calls*."""
    kept = [] if calls is None else calls
    known = ModelSet("gpt-4o-mini", usual, cheap or usual, {"gpt-4o-mini": usual})
    return Models(known, FixedBudget(level), lambda turn, call: kept.append((turn, call)))


def an_engine(
    models: Models | None = None,
    *,
    first_token_s: float = 0.05,
    total_s: float = 0.1,
    exits_early: bool = True,
    cache: AnswerCache | None = None,
    documents: Sequence[Document] = (),
    clock: Clock | None = None,
) -> Engine:
    """An engine over *documents*, or over the house's own."""
    retriever = a_retriever(*documents)
    options = EngineOptions(first_token_s=first_token_s, total_s=total_s, exits_early=exits_early)
    return Engine(EmbeddedAnswers(retriever), retriever, models, clock or FakeClock(), options, cache)

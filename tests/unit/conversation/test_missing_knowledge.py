"""What the engine hands over for want of a document is a question for staff, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.conversation.engine import Engine
from server.conversation.prompts import ASK_TEAM
from server.domain.conversations import ReplySource, Turn
from server.domain.questions import misses_knowledge
from server.domain.spending import Level
from tests.fakes.language_model import FakeModel
from tests.support.engines import an_engine, the_models
from tests.support.turns import a_turn


async def is_question(engine: Engine, turn: Turn) -> bool:
    return misses_knowledge(turn, await engine.answer(turn))


@pytest.mark.parametrize(
    "text", ["Who won the regatta?", "When is breakfast? And who won the regatta in Reykjavik?"]
)
async def test_what_no_document_answers_is_a_question(text: str) -> None:
    assert await is_question(an_engine(), a_turn(text))


async def test_what_a_model_does_not_find_is_a_question() -> None:
    engine = an_engine(the_models(FakeModel(ASK_TEAM)), first_token_s=30, total_s=30)
    turn = a_turn("Who won the regatta?")
    reply = await engine.answer(turn)
    assert reply.source is ReplySource.MODEL
    assert misses_knowledge(turn, reply)


@pytest.mark.parametrize(
    "text", ["When is breakfast?", "Hello!", "I want to talk to a person", "Help, there is a fire!"]
)
async def test_whatever_else_is_said_is_none(text: str) -> None:
    assert not await is_question(an_engine(), a_turn(text))


async def test_a_budget_that_is_spent_makes_no_question() -> None:
    engine = an_engine(the_models(FakeModel(), level=Level.HUMAN))
    assert not await is_question(engine, a_turn("Who won the regatta?"))


async def test_a_caller_who_wants_no_knowledge_asks_none() -> None:
    turn = a_turn("Who won the regatta?")
    unread = replace(turn.messages[0], details={"use_rag": False})
    assert not await is_question(an_engine(), replace(turn, messages=[unread]))

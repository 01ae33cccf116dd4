"""What a guest would be answered is found out by the engine that answers guests, and leaves no trace."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from server.adapters.event_loop import EventLoopThread
from server.conversation.answer_cache import AnswerCache
from server.conversation.engine import Engine
from server.conversation.rehearsal import Rehearsals
from server.domain.conversations import ReplySource, Turn, lone_turn
from server.domain.messages import Channel
from server.domain.model_calls import ModelCall
from server.domain.spending import Level
from server.errors import TooBusy
from tests.fakes.answers import HOUSE
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel
from tests.support.engines import an_engine, the_models

WAIT_S = 30
QUESTION = "When is breakfast?"
FROM_MODEL = "Breakfast is from 7:30 to 10:30. [p1]"


@pytest.fixture
def loop() -> Iterator[EventLoopThread]:
    """The desk's, as far as this goes."""
    loop = EventLoopThread(worker_threads=2)
    loop.start()
    yield loop
    loop.stop()


def rehearsals(engine: Engine, loop: EventLoopThread, patience_s: float = 60) -> Rehearsals:
    return Rehearsals(engine, FakeClock(), loop.submit, patience_s)


def test_a_question_is_answered_with_the_passages_that_were_looked_at(loop: EventLoopThread) -> None:
    rehearsal = rehearsals(an_engine(), loop).try_question(HOUSE, Channel.CHAT, QUESTION)
    assert "7:30" in rehearsal.reply.text
    best = rehearsal.passages[0]
    assert best.document.id == "breakfast"
    assert 0 < best.score <= 1
    assert rehearsal.reply.timings_ms


def test_what_nothing_answers_would_be_handed_over(loop: EventLoopThread) -> None:
    rehearsal = rehearsals(an_engine(), loop).try_question(HOUSE, Channel.CHAT, "Who won the regatta?")
    assert rehearsal.reply.handover
    assert rehearsal.reply.reason == "not_known"


def test_an_answer_of_before_is_neither_given_nor_kept(loop: EventLoopThread) -> None:
    model = FakeModel(FROM_MODEL, FROM_MODEL, FROM_MODEL)
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10), first_token_s=30, total_s=30)
    trying = rehearsals(engine, loop)
    turn = lone_turn(HOUSE, Channel.CHAT, QUESTION, FakeClock().now())
    assert trying.try_question(HOUSE, Channel.CHAT, QUESTION).reply.source is ReplySource.MODEL
    # Nothing was kept for the guest ...
    assert loop.submit(engine.answer(turn)).result().source is ReplySource.MODEL
    # ... whose answer is kept for other guests, and not for staff.
    assert loop.submit(engine.answer(turn)).result().source is ReplySource.CACHE
    assert trying.try_question(HOUSE, Channel.CHAT, QUESTION).reply.source is ReplySource.MODEL


def test_what_a_model_costs_is_counted(loop: EventLoopThread) -> None:
    calls: list[tuple[Turn, ModelCall]] = []
    engine = an_engine(the_models(FakeModel(FROM_MODEL), calls=calls), first_token_s=30, total_s=30)
    rehearsals(engine, loop).try_question(HOUSE, Channel.CHAT, QUESTION)
    assert [turn.tenant for turn, _ in calls] == [HOUSE]


def test_a_budget_that_is_spent_holds_for_staff_too(loop: EventLoopThread) -> None:
    model = FakeModel(FROM_MODEL)
    engine = an_engine(the_models(model, level=Level.HUMAN))
    rehearsal = rehearsals(engine, loop).try_question(HOUSE, Channel.CHAT, QUESTION)
    assert rehearsal.reply.reason == "budget_spent"
    assert model.requests == []


def test_a_desk_that_does_not_answer_in_time_is_given_up(loop: EventLoopThread) -> None:
    has_begun = threading.Event()

    async def never(work: Any) -> Any:
        work.close()
        has_begun.set()
        await asyncio.Event().wait()

    def submit(work: Any) -> Future[Any]:
        submitted = loop.submit(never(work))
        # What has not begun when it is given up would complain that nobody ever waited for it.
        assert has_begun.wait(WAIT_S)
        return submitted

    trying = Rehearsals(an_engine(), FakeClock(), submit, patience_s=0)
    with pytest.raises(TooBusy):
        trying.try_question(HOUSE, Channel.CHAT, QUESTION)

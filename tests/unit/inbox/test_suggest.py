"""Suggestions: what becomes of an answer that staff asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from server.domain.conversations import Reply, Turn
from server.domain.drafts import Draft
from server.domain.messages import DeliveryState
from server.domain.modes import Actor, ModeBy, StaffMessage
from server.errors import TooBusy
from server.inbox.suggest import Suggestions
from tests.fakes.suggesting import SUGGESTED, FakeEars, FakeEngine
from tests.fakes.work_queue import FakeQueue
from tests.support.turns import a_turn

NOA = Actor(ModeBy.CONSOLE, "Noa")


class OneQuestion:
    """The ``DraftStore`` port, as far as one question goes."""

    def __init__(self) -> None:
        self.kept: list[tuple[Turn, Reply]] = []
        self.turn = a_turn("When is check-in?")

    def open_draft(self, tenant_id: str, conversation_id: int) -> Draft | None:  # noqa: ARG002
        return None

    def find_question(self, tenant_id: str, conversation_id: int, history_lines: int) -> Turn:  # noqa: ARG002
        return self.turn

    def keep(self, turn: Turn, reply: Reply) -> None:
        self.kept.append((turn, reply))

    def send(
        self,
        tenant_id: str,  # noqa: ARG002
        conversation_id: int,
        draft_id: int,  # noqa: ARG002
        text: str | None,  # noqa: ARG002
        actor: Actor,  # noqa: ARG002
    ) -> StaffMessage:
        return StaffMessage(conversation_id, "ID", DeliveryState.COMMITTED, "the lane", is_new=True)

    def drop(self, tenant_id: str, conversation_id: int, draft_id: int, actor: Actor) -> None:
        """Nothing is open."""


def at_once(work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
    done: Future[Reply] = Future()
    done.set_result(asyncio.run(work))
    return done


def test_the_answer_is_kept_with_its_question() -> None:
    store = OneQuestion()
    Suggestions(store, FakeEngine(), FakeEars(), FakeQueue(), at_once, 4, 5.0).suggest("1", 1)
    assert store.kept == [(store.turn, SUGGESTED)]


def test_an_answer_that_does_not_come_in_time_is_given_up_and_nothing_is_kept() -> None:
    store, never = OneQuestion(), Future[Reply]()

    def submit(work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
        work.close()
        return never

    suggestions = Suggestions(store, FakeEngine(), FakeEars(), FakeQueue(), submit, 4, longest_s=0)
    with pytest.raises(TooBusy, match="ask again"):
        suggestions.suggest("1", 1)
    assert never.cancelled()
    assert store.kept == []


def test_what_is_sent_is_told_to_its_lane() -> None:
    lanes = FakeQueue()
    Suggestions(OneQuestion(), FakeEngine(), FakeEars(), lanes, at_once, 4, 5.0).send("1", 1, 1, None, NOA)
    assert lanes.keys == ["the lane"]

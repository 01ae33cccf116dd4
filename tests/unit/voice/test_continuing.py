"""A caller is written only what they asked for and did not hear."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.calls import ANSWER_PENDING, ASKED_FOR_PERSON, CALL_CONTINUED, EndedCall, NextStep
from server.domain.conversations import Mode
from server.domain.knowledge import Citation
from server.voice.continuing import Continuing, left_unsaid
from tests.support.phone_lines import a_call, a_reply

BREAKFAST, ANSWER = "When is breakfast?", "Breakfast is at seven. It is free."


def written(words: str = BREAKFAST, told: str = "Breakfast is", reply: Any = None, **call: Any) -> str | None:
    """What they are; None if nothing."""
    found = left_unsaid(EndedCall(a_call(**call), words, reply or a_reply(ANSWER), told))
    return None if found is None else found.text


def test_an_answer_that_was_not_heard_to_its_end_is_written_in_full() -> None:
    assert written() == f"We were cut off on the phone. Here is the answer in full:\n\n{ANSWER}"
    assert written(told="") == written()


def test_it_keeps_what_it_rests_on_and_calls_no_staff_again() -> None:
    reply = a_reply(ANSWER, citations=[Citation("doc", "Breakfast", 0.9)], handover=True, reason="not_known")
    found = left_unsaid(EndedCall(a_call(), BREAKFAST, reply, ""))
    assert found is not None
    assert (found.citations, found.handover, found.reason) == (reply.citations, False, CALL_CONTINUED)


def test_a_question_without_an_answer_is_owned_up_to() -> None:
    said = written(told="", reply=a_reply("", reason=ANSWER_PENDING))
    assert said is not None
    assert "before your question was answered" in said


def test_a_hebrew_caller_is_written_to_in_hebrew() -> None:
    for text in ("ארוחת הבוקר בשבע.", ""):
        said = written("מתי?", "", a_reply(text, language="he"))
        assert said is not None
        assert said.startswith("השיחה בטלפון נקטעה")


@pytest.mark.parametrize(
    "case",
    [
        {"told": ANSWER},
        {"words": ""},
        {"words": "thanks, bye"},
        {"reply": a_reply("I am getting somebody.", reason=ASKED_FOR_PERSON)},
        {"next_step": NextStep.TRANSFER},
        {"next_step": NextStep.MESSAGE},
        {"caller": ""},
        {"mode": Mode.HUMAN},
        {"mode": Mode.DRAFT},
        {"continue_on_whatsapp": False},
    ],
    ids=str,
)
def test_nothing_is_written_where_nothing_is_open_or_it_is_not_wanted(case: dict[str, Any]) -> None:
    assert written(**case) is None


def test_a_call_on_which_nothing_was_said_left_nothing() -> None:
    assert left_unsaid(EndedCall(a_call())) is None


class FakeEndings:
    """Keeps the part of the ``CallStore`` port for the ends of calls; ``closed`` is the record."""

    def __init__(self, *due: EndedCall) -> None:
        self.due = due
        self.closed: list[tuple[str, bool]] = []

    def due_endings(self, limit: int) -> tuple[EndedCall, ...]:
        """All."""
        return self.due[:limit]

    def close_ending(self, call_id: str, reply: object) -> str | None:
        """Note it."""
        self.closed.append((call_id, reply is not None))
        return "conversation:1" if reply is not None else None


def test_each_call_is_closed_and_the_outbox_woken_where_something_was_left() -> None:
    endings = FakeEndings(EndedCall(a_call(), BREAKFAST, a_reply(ANSWER), ""), EndedCall(a_call(id="CA2")))
    woken: list[str] = []
    Continuing(endings, woken.append).look(10)  # type: ignore[arg-type]
    assert endings.closed == [("CA1", True), ("CA2", False)]
    assert woken == ["conversation:1"]

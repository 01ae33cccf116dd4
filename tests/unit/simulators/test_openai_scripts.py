"""The simulated model does as the prompt says."""

from __future__ import annotations

import pytest

from server.conversation.gate import Accepted, check_reply
from server.conversation.prompts import ASK_TEAM, build_prompt
from server.domain.conversations import Turn
from server.domain.knowledge import Passage
from simulators.openai_scripts import Rule, calls_for, grounded, reply_to, tokens
from simulators.openai_tools import ScriptedCall
from tests.support.turns import NOW, a_passage, a_turn

PASSAGES = [
    a_passage("Check-in is from 15:00. Bags may come earlier.", "Check-in"),
    a_passage("Smoking is not allowed inside. You may smoke on the balconies.", "Smoking"),
    a_passage('כלבים עד 10 ק"ג יתקבלו בברכה.', "חיות מחמד"),
]


def said(
    turn: Turn, passages: list[Passage], rules: list[Rule] | None = None, fixed: str | None = None
) -> str:
    lines = [(line.role, line.content) for line in build_prompt(turn, passages, NOW)]
    return reply_to(lines, rules or [], fixed)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When is check-in?", "Check-in is from 15:00. Bags may come earlier. [p1]"),
        ("Is smoking allowed on the balcony?", f"{PASSAGES[1].document.body} [p2]"),
        ("אפשר להביא כלב?", f"{PASSAGES[2].document.body} [p3]"),
    ],
)
def test_it_cites_the_document_that_shares_most_words(question: str, answer: str) -> None:
    assert said(a_turn(question), PASSAGES) == answer


@pytest.mark.parametrize("question", ["When is check-in?", "Is smoking allowed?", "אפשר להביא כלב?"])
def test_what_it_says_of_itself_passes_the_gate(question: str) -> None:
    turn = a_turn(question)
    assert isinstance(check_reply(said(turn, PASSAGES), turn, PASSAGES, NOW), Accepted)


@pytest.mark.parametrize(
    ("question", "passages"), [("Is there a helipad?", PASSAGES), ("When is check-in?", [])]
)
def test_it_says_so_where_it_does_not_know(question: str, passages: list[Passage]) -> None:
    assert said(a_turn(question), passages).endswith(ASK_TEAM)


def test_the_history_is_not_the_question() -> None:
    turn = a_turn("And smoking?", guest_said=["When is check-in?"])
    assert said(turn, PASSAGES).endswith("[p2]")


def test_rules_come_before_a_fixed_reply_and_this_before_documents() -> None:
    rules = [Rule(contains="CHECK-IN", reply="ruled")]
    assert said(a_turn("When is check-in?"), PASSAGES, rules, "fixed") == "ruled"
    assert said(a_turn("smoking?"), PASSAGES, rules, "fixed") == "fixed"


def test_tokens_add_up_to_the_text() -> None:
    text = "Check-in  is\nfrom 15:00."
    assert "".join(tokens(text)) == text
    assert len(tokens(text)) == 4


@pytest.mark.parametrize(
    ("question", "said_of", "cited"),
    [
        ("When is check-in?", "Check-in is from 15:00.", "[p1]"),
        ("אפשר להביא כלב?", PASSAGES[2].document.body, "[p3]"),
    ],
)
def test_grounded_words_are_friendly_then_quote_a_document_in_the_language_of_the_question(
    question: str, said_of: str, cited: str
) -> None:
    turn = a_turn(question)
    words = grounded([(line.role, line.content) for line in build_prompt(turn, PASSAGES, NOW)])
    assert words.endswith(f"{said_of} {cited}")
    assert not words.startswith(said_of)
    assert isinstance(check_reply(words, turn, PASSAGES, NOW), Accepted)


def test_nothing_grounds_words_where_there_is_no_document() -> None:
    turn = a_turn("When is check-in?")
    words = grounded([(line.role, line.content) for line in build_prompt(turn, [], NOW)])
    assert words.endswith(ASK_TEAM)


LOOK_UP = Rule(
    contains="weather",
    reply="It is sunny.",
    tool_calls=(ScriptedCall(name="weather", arguments={"day": "today"}), ScriptedCall(name="map")),
)


def test_a_rule_calls_the_tools_that_are_offered_and_speaks_after_their_results() -> None:
    asked = [("user", "What is the weather?")]
    assert [call.name for call in calls_for(asked, [LOOK_UP], ["weather", "map"])] == ["weather", "map"]
    assert [call.name for call in calls_for(asked, [LOOK_UP], ["map"])] == ["map"]
    assert calls_for(asked, [LOOK_UP], []) == []
    assert calls_for([("user", "Hello")], [LOOK_UP], ["weather"]) == []
    answered = [*asked, ("assistant", ""), ("tool", "sunny")]
    assert calls_for(answered, [LOOK_UP], ["weather"]) == []
    assert reply_to(answered, [LOOK_UP], None) == "It is sunny."

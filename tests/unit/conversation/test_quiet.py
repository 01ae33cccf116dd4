"""The wait for more follows the shape of what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation.quiet import WaitBounds, wait_s
from tests.support.turns import a_turn

BOUNDS = WaitBounds(0.2, 0.8)


def wait_for(*texts: str) -> float:
    return wait_s(a_turn(*texts).messages, BOUNDS)


@pytest.mark.parametrize(
    "text",
    [
        "When is check-in?",
        "מתי הצ'ק-אין?",
        "Thank you!",
        "We arrive at nine.",
        'He said "yes!"',
        "we will be four people and arrive late on friday night",
    ],
)
def test_a_whole_sentence_waits_the_least(text: str) -> None:
    assert wait_for(text) == BOUNDS.shortest_s


@pytest.mark.parametrize(
    "text", ["", "one more thing,", "I wanted to ask...", "We come with", "אני רוצה לשאול על", "Dear host:"]
)
def test_a_sentence_that_goes_on_waits_the_longest(text: str) -> None:
    assert wait_for(text) == BOUNDS.longest_s


def test_a_lone_greeting_waits_longer_than_a_few_more_words() -> None:
    assert wait_for("hi") > wait_for("hi I have a question") > BOUNDS.shortest_s


def test_the_last_of_several_messages_decides() -> None:
    assert wait_for("hi", "is there parking?") == BOUNDS.shortest_s


@given(st.text(max_size=300))
def test_no_text_leaves_the_bounds(text: str) -> None:
    assert BOUNDS.shortest_s <= wait_for(text) <= BOUNDS.longest_s

"""Questions that say the same stand together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.domain.questions import Question, QuestionState, grouped, same_words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is there a pool?", "is  there a POOL"),
        ("יש בריכה?", "יש בריכה"),
        ("Ｗｉｆｉ!!", "wifi"),
    ],
)
def test_case_marks_and_spaces_make_no_difference(one: str, other: str) -> None:
    assert same_words(one) == same_words(other)


def test_another_word_makes_another_question() -> None:
    assert same_words("Is there a pool?") != same_words("Is there a spa?")


def a_question(number: int, text: str) -> Question:
    return Question(
        id=number,
        conversation_id=1,
        guest="",
        text=text,
        language="en",
        state=QuestionState.OPEN,
        asked_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_what_has_no_words_is_like_nothing_else() -> None:
    groups = grouped([a_question(2, "??"), a_question(1, "??")])
    assert [group.newest.id for group in groups] == [2, 1]

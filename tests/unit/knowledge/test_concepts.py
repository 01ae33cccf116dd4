"""What a text speaks of, whatever the words and the language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.concepts import asked_concepts, concept_terms
from server.knowledge.lexical import LexicalIndex


def named(text: str) -> list[str]:
    return [term[0].removeprefix("=") for term in concept_terms(text)]


def finds(question: str, text: str) -> bool:
    index = LexicalIndex([text], concept_terms, asked_concepts)
    return bool(index.compare(question).of_question[0] > 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is there a swimming pool?", "יש לכם בריכה?"),
        ("Can I bring my dog?", "אפשר להגיע עם הכלב?"),
        ("Where is parking?", "איפה החניה?"),
        ("late check-out", "עזיבה מאוחרת"),
    ],
)
def test_the_same_thing_said_in_two_languages_is_one_concept(one: str, other: str) -> None:
    assert set(named(one)) & set(named(other))


def test_a_longer_term_hides_those_within_it() -> None:
    assert named("luggage storage") == ["luggage-storage"]


def test_a_general_question_finds_what_is_told_of_a_special_thing() -> None:
    assert finds("check in", "early check in")


def test_a_special_question_finds_what_is_told_in_general() -> None:
    assert finds("babysitter", "Children")


def test_a_special_question_does_not_find_another_special_thing() -> None:
    assert not finds("babysitter", "Baby cot")


def test_a_hebrew_article_within_a_term_makes_no_difference() -> None:
    assert named("קבלת החדר") == named("קבלת חדר") != []


def test_a_text_that_names_nothing_has_no_concept() -> None:
    assert named("lorem ipsum") == []
    assert named("") == []


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert all(term[0].startswith("=") for term in concept_terms(text))
    assert all(term[0].startswith("<") for term in asked_concepts(text))

"""A guest may tap what else there is to know, in their own language."""

from __future__ import annotations

from server.conversation.quick_replies import MOST, quick_replies
from server.domain.knowledge import Citation


def found(*titles: str, score: float = 0.1) -> list[Citation]:
    return [Citation(title, title, score) for title in titles]


def test_what_the_answer_is_from_is_not_suggested() -> None:
    ranking = found("Breakfast", "Dinner")
    assert quick_replies(ranking, ranking[:1], "en") == ("Dinner",)


def test_suggestions_are_in_the_guests_language() -> None:
    assert quick_replies(found("ארוחת בוקר", "Dinner", "ארוחת ערב"), [], "he") == ("ארוחת בוקר", "ארוחת ערב")


def test_one_heading_is_suggested_once_and_few_in_all() -> None:
    ranking = found("A", "A", "B", "C", "D", "E")
    assert quick_replies(ranking, [], "en") == ("A", "B", "C")
    assert len(quick_replies(ranking, [], "en")) == MOST


def test_what_has_nothing_to_do_with_the_question_is_not_suggested() -> None:
    assert quick_replies(found("Dinner", score=0.0001), [], "en") == ()


def test_a_heading_too_long_for_a_button_is_left_out() -> None:
    assert quick_replies(found("x" * 61), [], "en") == ()

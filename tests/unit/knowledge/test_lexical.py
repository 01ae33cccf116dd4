"""What a question and texts have in common."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.lexical import LexicalIndex, letter_terms, word_terms

TEXTS = ["Parking in the yard", "Pool and sauna", "Small dogs stay in the garden"]


def test_the_text_that_has_the_words_scores_highest() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert index.compare("where is the sauna?").of_question.argmax() == 1
    assert index.compare("my dog").of_question.argmax() == 2


def test_a_word_that_no_text_has_lowers_all_scores() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert index.compare("parking helicopters").of_question[0] < index.compare("parking").of_question[0]


def test_no_word_in_common_scores_nothing() -> None:
    assert not LexicalIndex(TEXTS, word_terms).compare("breakfast").of_question.any()
    assert not LexicalIndex(TEXTS, word_terms).compare("").of_question.any()


def test_letters_find_a_misspelt_word() -> None:
    assert LexicalIndex(TEXTS, letter_terms).compare("parcking").of_question.argmax() == 0


def test_a_repeated_question_scores_the_same() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert np.allclose(index.compare("dog dog dog").of_question, index.compare("dog").of_question)


def test_a_text_that_says_less_beside_is_more_about_the_question() -> None:
    index = LexicalIndex(["Parking", "Bicycle parking", "Pool"], word_terms)
    about = index.compare("where is parking?").of_text
    assert about[0] == 1
    assert 0 < about[1] < 1
    assert about[2] == 0


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.text(max_size=40))
def test_overlap_is_finite_and_never_negative(texts: list[str], question: str) -> None:
    for terms in (word_terms, letter_terms):
        overlap = LexicalIndex(texts, terms).compare(question)
        for scores in (overlap.of_question, overlap.of_text):
            assert scores.shape == (len(texts),)
            assert np.isfinite(scores).all()
            assert (scores >= 0).all()
        assert (overlap.of_text <= 1).all()

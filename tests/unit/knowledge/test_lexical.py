"""Coverage of a question's words."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.lexical import LexicalIndex, letter_terms, word_terms

TEXTS = ["Parking in the yard", "Pool and sauna", "Small dogs stay in the garden"]


def test_the_text_that_has_the_words_scores_highest() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert index.coverage("where is the sauna?").argmax() == 1
    assert index.coverage("my dog").argmax() == 2


def test_a_word_that_no_text_has_lowers_all_scores() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert index.coverage("parking helicopters")[0] < index.coverage("parking")[0]


def test_no_word_in_common_scores_nothing() -> None:
    assert not LexicalIndex(TEXTS, word_terms).coverage("breakfast").any()
    assert not LexicalIndex(TEXTS, word_terms).coverage("").any()


def test_letters_find_a_misspelt_word() -> None:
    assert LexicalIndex(TEXTS, letter_terms).coverage("parcking").argmax() == 0


def test_a_repeated_question_scores_the_same() -> None:
    index = LexicalIndex(TEXTS, word_terms)
    assert np.allclose(index.coverage("dog dog dog"), index.coverage("dog"))


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.text(max_size=40))
def test_coverage_is_finite_and_never_negative(texts: list[str], question: str) -> None:
    for terms in (word_terms, letter_terms):
        scores = LexicalIndex(texts, terms).coverage(question)
        assert scores.shape == (len(texts),)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()

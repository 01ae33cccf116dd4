"""Learns the weights of `server/knowledge/ranking.py` from cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.calibration_cases import Case
from server.knowledge.ranking import Ranking, document_features, foreign_features, nothing_features

Matrix = NDArray[np.float32]
Weights = NDArray[np.float64]

# Of squared weights of standardised features, so that signals that say the same do not cancel out.
_PENALTY = 2e-3
_MOST_STEPS = 400
# A share of no document at all, where a question has no answer.
_TINY = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class Features:
    """The features of many questions, one below the other.

    ``documents`` has a row for each document of each question; ``starts`` says where a question's begin.
    """

    documents: Matrix
    is_foreign: NDArray[np.bool_]
    foreign: Matrix
    nothing: Matrix
    answers: NDArray[np.float32]
    starts: NDArray[np.intp]
    owners: NDArray[np.intp]
    weights: NDArray[np.float32]

    @property
    def is_answerable(self) -> NDArray[np.bool_]:
        """Of each question."""
        return np.add.reduceat(self.answers, self.starts) > 0


def features_of(cases: Sequence[Case]) -> Features:
    """The features of *cases*, which are put behind one another."""
    documents = np.concatenate([document_features(case.signals) for case in cases])
    is_foreign = np.concatenate([case.question.is_foreign for case in cases])
    lengths = np.array([len(case.signals) for case in cases])
    weights = np.array([case.weight for case in cases], dtype=np.float32)
    return Features(
        documents=documents,
        is_foreign=is_foreign,
        foreign=foreign_features(documents) * is_foreign[:, np.newaxis],
        nothing=np.stack([nothing_features(case.signals, case.question) for case in cases]),
        answers=np.concatenate([case.answers for case in cases]).astype(np.float32),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        owners=np.repeat(np.arange(len(cases)), lengths),
        weights=weights / weights.sum(),
    )


def fit(cases: Sequence[Case]) -> Ranking:
    """The weights under which what answers, or that nothing does, is most probable over all *cases*."""
    told = features_of(cases)
    columns, middles, spreads = zip(
        *(_standardised(matrix) for matrix in (told.documents, told.foreign, told.nothing)), strict=True
    )
    sizes = [matrix.shape[1] for matrix in columns]
    solution = minimize(
        lambda weights: _loss(weights, sizes, columns, told),
        np.zeros(sum(sizes) + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS},
    ).x
    *parts, bias = np.split(solution, np.cumsum(sizes))
    document, foreign, nothing = (part / spread for part, spread in zip(parts, spreads, strict=True))
    # What standardising took off the features is put into the one constant that all scores are up against.
    shift = middles[0] @ document + middles[1] @ foreign - middles[2] @ nothing
    # A document in the asker's own language has the features of a foreign one at 0.
    return Ranking(
        document.astype(np.float32),
        foreign.astype(np.float32),
        nothing.astype(np.float32),
        float(bias[0] + shift),
    )


def _standardised(matrix: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    middle, spread = matrix.mean(axis=0), matrix.std(axis=0) + 1e-4
    return (matrix - middle) / spread, middle, spread


def _loss(
    weights: Weights, sizes: Sequence[int], columns: Sequence[Matrix], told: Features
) -> tuple[float, Weights]:
    """The mean negative logarithm of the probability of what is right, and its gradient."""
    documents, foreign, nothing = columns
    # In single precision, as the features are: in double each step would copy them all.
    *parts, bias = np.split(weights.astype(np.float32), np.cumsum(sizes))
    scores = documents @ parts[0] + foreign @ parts[1]
    none = nothing @ parts[2] + bias[0]
    highest = np.maximum(np.maximum.reduceat(scores, told.starts), none)
    likely = np.exp(scores - highest[told.owners])
    likely_none = np.exp(none - highest)
    total = np.add.reduceat(likely, told.starts) + likely_none
    right = np.add.reduceat(likely * told.answers, told.starts)
    answerable = told.is_answerable
    loss = -(told.weights * np.log(np.where(answerable, right, likely_none) / total + _TINY)).sum()

    # Of each document how much of what is likely it has, less how much of what is right.
    owed = np.where(answerable, right, 1.0) + _TINY
    pull = (likely / total[told.owners] - likely * told.answers / owed[told.owners]) * told.weights[
        told.owners
    ]
    pull_none = (likely_none / total - ~answerable) * told.weights
    gradient = np.concatenate(
        [documents.T @ pull, foreign.T @ pull, nothing.T @ pull_none, [pull_none.sum()]], dtype=np.float64
    )
    penalty = _PENALTY * (weights[:-1] ** 2).sum()
    gradient[:-1] += 2 * _PENALTY * weights[:-1]
    return float(loss + penalty), gradient

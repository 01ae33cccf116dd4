"""Learns how questions in one language are turned to the passages that answer them in another, or the same.

The embedding model knows Hebrew less well than English. A linear map laid on a question's vector, kept near
to doing nothing, makes up for some of that: under it the passage that answers should be the most probable
of a business's passages in that language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.calibration_cases import Asked
from bench.vectors import Vectors
from server.knowledge.calibration import Calibration
from server.knowledge.index import embedded_texts
from server.knowledge.ranking import Matrix

# English to English has none: it gained on businesses like those learned from, and lost on others.
PAIRS = (("he", "en"), ("en", "he"), ("he", "he"))
# How sharply a nearer passage is more probable.
_SHARPNESS = 12.0
# Of squared differences from doing nothing; by trying on businesses held out.
_PENALTY = 10.0
_STEPS = 30
_TINY = 1e-12

Weights = NDArray[np.float64]


def fit_alignments(
    asked: Sequence[Asked], vectors: Vectors, calibration: Calibration
) -> dict[tuple[str, str], Matrix]:
    """The alignment of each of ``PAIRS``."""
    return {pair: _fit(pair, asked, vectors, calibration) for pair in PAIRS}


def _fit(pair: tuple[str, str], asked: Sequence[Asked], vectors: Vectors, calibration: Calibration) -> Matrix:
    examples = list(_examples(pair, asked, vectors, calibration))
    questions = np.stack([question for question, _, _, _ in examples])
    passages = np.concatenate([rows for _, rows, _, _ in examples])
    answers = np.concatenate([answers for _, _, answers, _ in examples]).astype(np.float32)
    weights = np.array([weight for _, _, _, weight in examples], dtype=np.float32)
    weights /= weights.mean()
    lengths = np.array([len(rows) for _, rows, _, _ in examples])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    owners = np.repeat(np.arange(len(examples)), lengths)
    size = questions.shape[1]
    nothing = np.eye(size, dtype=np.float32)

    def loss(flat: Weights) -> tuple[float, Weights]:
        moved = flat.reshape(size, size).astype(np.float32)
        nearness = _SHARPNESS * np.einsum("ij,ij->i", (questions @ moved)[owners], passages)
        likely = np.exp(nearness - np.maximum.reduceat(nearness, starts)[owners])
        total = np.add.reduceat(likely, starts)
        right = np.add.reduceat(likely * answers, starts) + _TINY
        pull = (likely / total[owners] - likely * answers / right[owners]) * weights[owners]
        pulled = np.add.reduceat(passages * (_SHARPNESS * pull)[:, np.newaxis], starts)
        change = moved - nothing
        value = -(weights * np.log(right / total)).sum() + _PENALTY * (change**2).sum()
        return float(value), (questions.T @ pulled + 2 * _PENALTY * change).ravel().astype(np.float64)

    start = nothing.ravel().astype(np.float64)
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    alignment: Matrix = solution.reshape(size, size).astype(np.float32)
    return alignment


def _examples(
    pair: tuple[str, str], asked: Sequence[Asked], vectors: Vectors, calibration: Calibration
) -> Iterator[tuple[Matrix, Matrix, NDArray[np.bool_], float]]:
    """Questions in one language that documents in the other answer: with these, which do, and the weight."""
    question_language, document_language = pair
    for one in asked:
        documents = [document for document in one.documents if document.language == document_language]
        answers = np.array([document.id in one.answers for document in documents])
        if one.language != question_language or not answers.any():
            continue
        texts = [text for document in documents for text in embedded_texts(document, one.business)]
        rows = calibration.centre_passages(vectors.passages(texts), document_language)
        question = calibration.centre_questions(vectors.question(one.question)[np.newaxis], one.language)[0]
        # A document is its title, its body and both, in equal parts.
        yield question, rows.reshape(len(documents), -1, rows.shape[1]).mean(axis=1), answers, one.weight

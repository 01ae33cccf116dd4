"""Fitting finds what tells the document that answers from the others."""

from __future__ import annotations

import numpy as np
import pytest

from bench.calibration_cases import Case
from bench.fit_ranking import fit
from server.knowledge.ranking import SIGNALS, Question, Ranking

TELLING = SIGNALS.index("title words")
DOCUMENTS = 5


def a_case(random: np.random.Generator, *, answerable: bool) -> Case:
    """One signal is high for the document that answers, if one does; the others are noise."""
    signals = random.random((DOCUMENTS, len(SIGNALS)), dtype=np.float32)
    signals[:, TELLING] = 0.1
    answers = np.zeros(DOCUMENTS, dtype=np.bool_)
    if answerable:
        place = int(random.integers(DOCUMENTS))
        answers[place] = True
        signals[place, TELLING] = 0.9
    question = Question(words=4, is_foreign=random.random(DOCUMENTS) < 0.3)
    return Case("made", "en", 0, 1.0, signals, question, answers)


@pytest.fixture(scope="module")
def fitted() -> Ranking:
    random = np.random.default_rng(1)
    return fit([a_case(random, answerable=place % 2 == 0) for place in range(200)])


def test_the_document_that_answers_is_the_most_probable(fitted: Ranking) -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        case = a_case(random, answerable=True)
        probabilities = fitted.probabilities(case.signals, case.question)
        assert case.answers[probabilities.argmax()]
        assert probabilities.max() > 0.5


def test_where_nothing_answers_none_is_probable(fitted: Ranking) -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        case = a_case(random, answerable=False)
        assert fitted.probabilities(case.signals, case.question).max() < 0.5


def test_a_case_that_weighs_nothing_changes_nothing() -> None:
    random = np.random.default_rng(4)
    cases = [a_case(random, answerable=place % 2 == 0) for place in range(40)]
    misleading = Case("made", "en", 0, 0.0, cases[0].signals, cases[0].question, np.roll(cases[0].answers, 1))
    alone, together = (
        fitted.probabilities(cases[1].signals, cases[1].question)
        for fitted in (fit(cases), fit([*cases, misleading]))
    )
    assert np.allclose(alone, together, atol=0.02)

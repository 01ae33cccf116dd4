"""What is counted of judged answers."""

from __future__ import annotations

import numpy as np
import pytest

from bench.answers import Outcomes, resampled


def outcomes(surest: list[float], is_right: list[bool], is_answerable: list[bool]) -> Outcomes:
    return Outcomes(
        np.array(surest), np.array(is_right), np.array(is_answerable), np.arange(len(surest), dtype=np.int64)
    )


# Surest first: nineteen right, one wrong, two that nothing answers, one right.
JUDGED = outcomes(
    [*np.linspace(0.99, 0.8, 19), 0.7, 0.6, 0.55, 0.5],
    [*[True] * 19, False, False, False, True],
    [*[True] * 20, False, False, True],
)


def test_the_first_document_is_judged_on_the_answerable_only() -> None:
    assert JUDGED.top1 == pytest.approx(20 / 21)


def test_what_is_right_is_told_where_one_answer_in_ten_is_wrong() -> None:
    assert JUDGED.right_at_error == pytest.approx(19 / 21)


def test_answers_that_are_wrong_from_the_surest_on_are_not_given() -> None:
    assert outcomes([0.9, 0.8], [False, True], [True, True]).right_at_error == 0


def test_coverage_and_error_grow_as_less_sure_answers_are_given() -> None:
    coverage, error = zip(*JUDGED.points, strict=True)
    assert (coverage[-1], error[-1]) == (pytest.approx(100 * 20 / 21), pytest.approx(100 * 3 / 23))
    assert error[0] == 0


def test_an_interval_holds_the_figure_and_no_difference_is_none() -> None:
    top1, difference = resampled([JUDGED, JUDGED], lambda one: one.top1)
    assert top1.low <= top1.value <= top1.high
    assert (difference.low, difference.value, difference.high) == (0, 0, 0)

"""Questions never asked before, and a realistic mix of those that are asked again and again."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from bench.faults.crowd import marks_in
from bench.guest_questions import answerable_questions, fresh_questions, zipf_stream


def test_no_fresh_question_comes_twice_and_each_names_its_mark() -> None:
    asked = list(itertools.islice(fresh_questions(), 2000))
    assert len({text for _, text in asked}) == len({mark for mark, _ in asked}) == 2000
    assert all(marks_in(text) == [mark] for mark, text in asked)


def test_other_seeds_give_other_marks() -> None:
    one, other = ({mark for mark, _ in itertools.islice(fresh_questions(seed), 500)} for seed in (0, 1))
    assert not one & other


def test_frequent_questions_come_as_often_as_zipfs_law_says() -> None:
    counts = [count for _, count in Counter(zipf_stream(20_000, exponent=1.0)).most_common()]
    assert len(counts) == len(set(answerable_questions()))
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.15)
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.25)


def test_the_same_seed_gives_the_same_stream() -> None:
    assert zipf_stream(50, 1.0, seed=3) == zipf_stream(50, 1.0, seed=3) != zipf_stream(50, 1.0, seed=4)

"""Percentiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.samples import percentile

_VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile(range(1, 101), share) == expected


@given(_VALUES, st.floats(0, 100))
def test_so_many_values_do_not_exceed_a_percentile(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= len(values) * share - 1e-6


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 50)

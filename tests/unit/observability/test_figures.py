"""What is read out of samples: sums, percentiles, and what came between two moments."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.observability.figures import Figures
from server.observability.instruments import Counter, Gauge, Histogram
from tests.support.figures import Counted

CALLS = Counter("calls_total", "Calls.", "model", "outcome")
DEPTH = Gauge("depth", "Depth.", "queue", merged="livesum")
SECONDS = Histogram("seconds", "Seconds.", "route", edges=(0.1, 1.0))


def timed(**counts: tuple[float, float, float]) -> Figures:
    """Of each route: how many took up to 0.1 s, up to 1 s, and at all."""
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for route, classes in counts.items():
        for edge, count in zip(("0.1", "1.0", "+Inf"), classes, strict=True):
            samples["seconds_bucket", (("le", edge), ("route", route))] = count
        samples["seconds_count", (("route", route),)] = classes[2]
        samples["seconds_sum", (("route", route),)] = classes[2] * 0.2
    return Figures(samples)


def test_a_total_is_of_all_series_that_have_the_labels() -> None:
    counted = (
        Counted().add(CALLS, 2, model="a", outcome="answered").add(CALLS, 3, model="b", outcome="answered")
    )
    figures = counted.add(CALLS, model="b", outcome="timed_out").figures()
    assert figures.total(CALLS) == 6
    assert figures.total(CALLS, outcome="answered") == 5
    assert figures.total(CALLS, model="b", outcome="timed_out") == 1
    assert figures.total(CALLS, model="c") == 0
    assert figures.values(CALLS, "model") == ["a", "b"]


def test_the_worst_of_none_is_nothing() -> None:
    assert Figures({}).worst(DEPTH) == 0
    assert Counted().add(DEPTH, 2, queue="a").add(DEPTH, 7, queue="b").figures().worst(DEPTH) == 7


def test_percentiles_lie_within_the_class_that_holds_them() -> None:
    figures = timed(a=(50, 100, 100))
    assert figures.percentile(SECONDS, 0.25) == pytest.approx(0.05)
    assert figures.percentile(SECONDS, 0.75) == pytest.approx(0.55)
    assert figures.mean(SECONDS) == pytest.approx(0.2)


def test_percentiles_are_of_all_series_together() -> None:
    figures = timed(a=(10, 10, 10), b=(0, 10, 10))
    assert figures.percentile(SECONDS, 0.5) == pytest.approx(0.1)
    assert figures.percentile(SECONDS, 0.5, route="b") == pytest.approx(0.55)


def test_what_is_beyond_the_greatest_edge_is_told_as_that_edge() -> None:
    assert timed(a=(0, 0, 5)).percentile(SECONDS, 0.5) == 1.0


def test_nothing_has_no_percentile_and_no_mean() -> None:
    for figures in (Figures({}), timed(a=(0, 0, 0))):
        assert figures.percentile(SECONDS, 0.5) is None
        assert figures.mean(SECONDS) is None


@given(st.tuples(*[st.integers(0, 1000)] * 3), st.floats(0, 1))
def test_a_percentile_is_never_outside_the_edges(sizes: tuple[int, int, int], share: float) -> None:
    first, second, third = sizes
    value = timed(a=(first, first + second, first + second + third)).percentile(SECONDS, share)
    assert value is None or (0 <= value <= 1 and not math.isnan(value))


def test_between_two_moments_counts_what_was_added() -> None:
    counted = Counted().add(CALLS, 5, model="a", outcome="answered")
    before = counted.figures()
    after = counted.add(CALLS, 2, model="a", outcome="answered").add(CALLS, model="b", outcome="answered")
    window = after.figures().since(before)
    assert (window.total(CALLS, model="a"), window.total(CALLS, model="b")) == (2, 1)


def test_a_series_that_was_begun_anew_counts_whole() -> None:
    before = Counted().add(CALLS, 5, model="a", outcome="answered").figures()
    after = Counted().add(CALLS, 3, model="a", outcome="answered").figures()
    assert after.since(before).total(CALLS) == 3

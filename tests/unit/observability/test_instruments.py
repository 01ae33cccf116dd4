"""Metrics are made once, with the labels that they were declared with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from server.observability.instruments import Counter, Histogram
from server.observability.multiprocess import read_figures


def test_many_threads_make_a_metric_once_and_count_together() -> None:
    counter = Counter("frontdesk_test_threads_total", "For this test.", "thread")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: counter.inc(2, thread=str(number % 2)), range(100)))
    assert read_figures().total(counter) == 200
    assert read_figures().total(counter, thread="1") == 100


@pytest.mark.parametrize("labels", [{}, {"a": "1"}, {"a": "1", "c": "2"}, {"a": "1", "b": "2", "c": "3"}])
def test_other_labels_than_were_declared_are_a_fault(labels: dict[str, str]) -> None:
    counter = Counter("frontdesk_test_labels_total", "For this test.", "a", "b")
    with pytest.raises((TypeError, KeyError)):
        counter.inc(1, **labels)


def test_a_metric_without_labels_counts_too() -> None:
    histogram = Histogram("frontdesk_test_seconds", "For this test.", edges=(1, 2))
    histogram.observe(1.5)
    assert read_figures().mean(histogram) == 1.5
    assert read_figures().percentile(histogram, 1) == 2

"""The snapshot: models and turns of one business, the rest of all processes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.conversations import ReplySource
from server.domain.model_calls import CallOutcome, ModelCall
from server.observability import metrics
from server.observability.performance import Sources, metrics_summary, percentiles, performance_snapshot
from server.observability.process import ProcessFigures
from server.observability.watch import Watch
from server.ports.performance import TurnTimes
from tests.fakes.clock import FakeClock
from tests.fakes.performance_store import FakePerformance
from tests.support.figures import Counted


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def store() -> FakePerformance:
    return FakePerformance()


@pytest.fixture
def sources(tmp_path: Path, clock: FakeClock, counted: Counted, store: FakePerformance) -> Iterator[Sources]:
    watch = Watch(tmp_path, clock, ProcessFigures("test", None), 10, figures=counted.figures)
    yield Sources(store, watch, clock)
    watch.stop()


def a_call(clock: FakeClock, outcome: CallOutcome, total_ms: float, model: str = "small") -> ModelCall:
    return ModelCall(
        provider="openai",
        model=model,
        outcome=outcome,
        started_at=clock.now() - timedelta(minutes=1),
        first_token_ms=None if outcome is CallOutcome.TIMED_OUT else total_ms / 2,
        total_ms=total_ms,
        waited_ms=0,
        prompt_tokens=1,
        completion_tokens=1,
        cost_micros=1,
    )


def test_a_model_is_told_with_its_percentiles_successes_and_timeouts(
    sources: Sources, store: FakePerformance, clock: FakeClock
) -> None:
    answered = [a_call(clock, CallOutcome.ANSWERED, float(n)) for n in range(1, 99)]
    late = [a_call(clock, CallOutcome.TIMED_OUT, 8000)] * 2
    dropped = [a_call(clock, CallOutcome.DROPPED, 1)] * 7
    newest = replace(a_call(clock, CallOutcome.ANSWERED, 5, "large"), started_at=clock.now())
    store.calls = {"1": [*answered, *late, *dropped, newest], "2": [newest]}
    large, small = performance_snapshot(sources, "1")["models"]
    assert (large["model"], large["calls"], large["last_used"]) == ("large", 1, clock.now().isoformat())
    assert (small["calls"], small["success_share"], small["timeouts"]) == (107, 0.98, 2)
    assert small["total_ms"] == {"p50": 49, "p95": 94, "p99": 98}


def test_a_model_of_which_nothing_came_has_no_percentiles(
    sources: Sources, store: FakePerformance, clock: FakeClock
) -> None:
    store.calls = {"1": [a_call(clock, CallOutcome.TIMED_OUT, 8000)]}
    (model,) = performance_snapshot(sources, "1")["models"]
    assert (model["success_share"], model["first_token_ms"], model["total_ms"]) == (0, None, None)
    store.calls = {"1": [a_call(clock, CallOutcome.DROPPED, 1)]}
    (model,) = performance_snapshot(sources, "1")["models"]
    assert model["success_share"] is None


def test_turns_are_told_step_by_step(sources: Sources, store: FakePerformance, clock: FakeClock) -> None:
    store.turns = {
        "1": [
            TurnTimes(ReplySource.MODEL, clock.now(), {"context": 20.0, "committed": 500.0}),
            TurnTimes(ReplySource.SHORTCUT, clock.now(), {"committed": 4.0, "sent": 9.0}),
        ]
    }
    turns = performance_snapshot(sources, "1")["turns"]
    assert (turns["count"], turns["by_source"]) == (2, {"model": 1, "shortcut": 1})
    assert turns["steps_ms"]["committed"] == {"p50": 4, "p95": 500, "p99": 500}
    assert set(turns["steps_ms"]) == {"context", "committed", "sent"}
    assert performance_snapshot(sources, "2")["turns"]["count"] == 0


def test_without_a_database_the_rest_is_told(sources: Sources, store: FakePerformance) -> None:
    store.is_away = True
    told = performance_snapshot(sources, "1")
    assert (told["models"], told["turns"]) == (None, None)
    assert told["system"]["cpus"] >= 1


def test_caches_pools_and_queues_are_told(sources: Sources, counted: Counted) -> None:
    counted.add(metrics.CACHE_LOOKUPS, 3, cache="answers", result="hit")
    counted.add(metrics.CACHE_LOOKUPS, 1, cache="answers", result="miss")
    counted.add(metrics.CACHE_ENTRIES, 12, cache="prompts")
    counted.add(metrics.POOL_CONNECTIONS, 5, pool="database", state="open")
    counted.add(metrics.POOL_CONNECTIONS, 2, pool="database", state="busy")
    counted.add(metrics.QUEUE_DEPTH, 4, queue="lanes")
    counted.add(metrics.PROCESSES, 2, process="web").add(metrics.THREADS, 40, process="web")
    told = performance_snapshot(sources, "1")
    assert told["caches"]["answers"] == {
        "hits": 3, "misses": 1, "hit_rate": 0.75, "mean_age_s": None, "entries": 0,
    }  # fmt: skip
    assert (told["caches"]["prompts"]["hit_rate"], told["caches"]["prompts"]["entries"]) == (None, 12)
    assert told["pools"] == {"database": {"open": 5, "busy": 2}}
    assert told["queues"] == {"lanes": 4}
    assert (told["system"]["processes"]["web"]["count"], told["system"]["processes"]["web"]["threads"]) == (
        2,
        40,
    )
    assert json.loads(json.dumps(told)) == told


def test_what_is_wrong_is_told(sources: Sources, counted: Counted) -> None:
    sources.watch.tick()
    counted.add(metrics.SLOW_REPLIES, channel="chat")
    sources.watch.tick()
    (alert,) = performance_snapshot(sources, "1")["alerts"]
    assert (alert["name"], alert["limit"]) == ("slow_reply", 10)
    assert metrics_summary(sources.watch)["alerts"] == [alert]


def test_the_summary_tells_totals_and_rates(sources: Sources, counted: Counted, clock: FakeClock) -> None:
    counted.add(metrics.TURNS, 100, source="model", outcome="answered")
    assert metrics_summary(sources.watch)["rates_per_minute"] == {}
    sources.watch.tick()
    clock.advance(120)
    counted.add(metrics.TURNS, 6, source="none", outcome="failed")
    summary = metrics_summary(sources.watch)
    assert summary["window_s"] == 120
    assert summary["totals"]["turns"] == {"answered": 100, "failed": 6}
    assert summary["rates_per_minute"]["turns"] == 3
    assert summary["percentiles_ms"]["reply"] == {"p50": None, "p95": None, "p99": None}
    assert json.loads(json.dumps(summary)) == summary


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_values_that_were_measured_in_their_order(values: list[float]) -> None:
    found = percentiles(values)
    assert found is not None
    assert found["p50"] <= found["p95"] <= found["p99"] <= round(max(values), 3)
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        below = sum(round(value, 3) <= found[name] for value in values)
        assert below >= math.floor(share * len(values))
    assert percentiles([]) is None

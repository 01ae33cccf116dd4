"""What the benches of the chat API ask, and what they tell of what they heard."""

from __future__ import annotations

from typing import Any

import pytest

from bench import ablate, cache, chat
from bench.asking import Heard
from bench.beyond import ModelTime
from bench.chat_load import Setting
from bench.chat_trouble import FAULTS, guests_figures
from bench.figures import Figure

SETTING = Setting(database="sqlite", process="web", rate=20, seconds=60, streamed=0.1)
COUNTS = {"requests": 3, "connections": 2, "prompt_tokens": 300, "completion_tokens": 30}


def a_heard(kind: str, took_s: float, source: str = "model", **changes: Any) -> Heard:
    values: dict[str, Any] = {
        "key": "zqaaaaa",
        "kind": kind,
        "sent_at": 100.0,
        "ended_at": 100.0 + took_s,
        "status": 200,
        "is_whole": True,
        "reply": "Yes, with pleasure.",
        "answer": {"source": source, "timings_ms": {"gate": 1.5}},
    }
    return Heard(**(values | changes))


def by_metric(figures: Any) -> dict[str, Figure]:
    return {figure.metric: figure for figure in figures}


def test_chat_tells_time_beyond_the_model_against_its_budgets() -> None:
    run = chat.Run(
        SETTING,
        [a_heard("whole", 1.020), a_heard("streamed", 1.020, first_at=100.404)],
        {"zqaaaaa": ModelTime(100.001, 100.401, 101.0)},
    )
    found = by_metric(run.figures())
    assert found["whole: beyond the model p50"].value == pytest.approx(21)
    assert found["whole: beyond the model p50"].holds is False
    assert found["whole: beyond the model p95"].holds is True
    assert found["streamed: first token, model's wire to client's p50"].value == pytest.approx(3)
    assert found["streamed: first token from the question, less the model's p50"].value == pytest.approx(4)
    assert found["of each turn: gate p50"].value == 1.5
    assert found["not answered"].value == 0


def test_only_what_the_cache_answered_is_a_hit_and_only_a_shortcut_an_early_exit() -> None:
    heard = [
        a_heard("known", 0.004, "cache"),
        a_heard("known", 1.0, "model"),
        a_heard("early", 0.003, "shortcut"),
        a_heard("early", 1.0, "model"),
    ]
    found = by_metric(chat.Run(SETTING, heard, {}).figures())
    assert found["cache hit p99"].value == pytest.approx(4)
    assert found["early exit p99"].value == pytest.approx(3)
    assert found["known answered by: model"].value == 1


def test_who_gets_no_proper_answer_is_counted() -> None:
    heard = [
        a_heard("whole", 1.0, status=503),
        a_heard("known", 1.0, "cache", reply=""),
        a_heard("early", 0.1),
    ]
    assert by_metric(chat.Run(SETTING, heard, {}).figures())["not answered"].value == 2


def test_the_faults_are_the_shares_that_acceptance_asks_for() -> None:
    assert sum(share for name, share in FAULTS.items() if name.startswith("hang")) == pytest.approx(0.05)
    assert (FAULTS["error_500"], FAULTS["error_429"], FAULTS["cut"]) == (0.05, 0.05, 0.02)


def test_in_trouble_every_guest_counts_and_machinery_in_any_answer() -> None:
    heard = [
        a_heard("whole", 8.1, "knowledge", answer={"source": "knowledge", "handover": True}),
        a_heard("whole", 8.3, status=0, is_whole=False, reply="", shown="Traceback (most recent call last)"),
    ]
    found = by_metric(guests_figures("faults", heard, 8200))
    assert found["guests"].value == 2
    assert found["without a proper answer"].value == 1
    assert found["internal strings"].value == 1
    assert found["answer p99"].holds is False
    assert found["answered by: knowledge, and the team"].value == 1
    assert found["answered by: nothing"].value == 1


def test_cache_tells_how_many_were_known_and_what_hits_and_misses_take() -> None:
    heard = [a_heard("known", 0.004, "cache"), a_heard("known", 1.0, "model"), a_heard("bare", 0.001, "")]
    found = by_metric(cache.Run("memory", heard, {"requests": 1}).figures())
    assert found["known"].value == 50
    assert found["requests to the model for each question"].value == 0.5
    assert found["known, answered p50"].value == pytest.approx(4)
    assert found["not known, answered p50"].value == pytest.approx(1000)
    assert found["bare route of the process p50"].value == pytest.approx(1)


def test_runs_with_everything_surround_and_part_those_without_something() -> None:
    assert list(ablate.order_of(["a", "b", "c", "d", "e"])) == ["", "a", "b", "c", "d", "", "e", ""]


def test_each_row_stands_beside_the_median_of_the_runs_with_everything() -> None:
    def run(without: str, connections: int) -> ablate.Run:
        counts = {**COUNTS, "connections": connections}
        return ablate.Run(without, 900.0, [a_heard("whole", 0.5)], counts, processor_ms=40.0)

    baselines = [run("", 2), run("", 3), run("", 9)]
    found = {f"{figure.metric}, {figure.unit}": figure for figure in run("pooling", 30).figures(baselines)}
    assert found["model, connections"].ratio == 10
    assert found["model, tokens"].value == 330
    assert found["first reply, ms"].value == 900
    assert found["processor a reply, ms"].value == 40
    assert by_metric(baselines[0].figures(baselines))["reply p50"].floor is None

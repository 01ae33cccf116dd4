"""`frontdesk bench`, small: real processes, figures as JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.__main__ import BENCHES, main

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 240
_KEYS = ["bench", "setting", "metric", "value", "unit", "floor", "ratio", "budget", "holds"]


def _bench(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said, complained = process.communicate(timeout=_TIMEOUT_S)
        finally:
            # Asked, not killed: it ends what it has started.
            process.terminate()
    assert process.returncode == code, complained
    return subprocess.CompletedProcess(command, code, said, complained)


def _figures(*arguments: str) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in _bench(*arguments, "--json").stdout.splitlines()]
    assert all(list(line) == _KEYS for line in lines)
    return {line["metric"]: line for line in lines}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_ack_measures_the_webhook_beside_both_floors_and_loses_nothing(database: str, tmp_path: Path) -> None:
    plot = tmp_path / "ack.svg"
    found = _figures(
        "ack", "--rate=20", "--seconds=2", f"--database={database}", "--turns=embedded", f"--plot={plot}"
    )
    for place in ("in the same process", "in its own process"):
        figure = found[f"ack p99, floor {place}"]
        assert figure["value"] > 0
        assert figure["floor"] > 0
    assert found["ack p99, floor in the same process"]["budget"] == 2.0
    assert found["acknowledged"]["value"] == 20
    assert found["errors"]["value"] == 0
    assert found["acknowledged and not saved"]["value"] == 0
    assert plot.read_text().startswith("<?xml")


def test_reply_takes_model_wait_and_echo_off_the_round_trip() -> None:
    found = _figures("reply", "--mode=sqlite", "--messages=13", "--rate=10", "--conversations=0,100")
    assert found["not answered"]["value"] == 0
    assert 0 <= found["with typing"]["value"] <= 100
    # The model alone takes half a second of each, however slow the machine is.
    assert 0 <= found["our share p50"]["value"] <= found["round trip p50"]["value"] - 500
    assert "100 conversations" in found["our share p50"]["setting"]


def test_live_tells_when_each_message_was_on_both_pages() -> None:
    found = _figures("live", "--messages=3", "--database=sqlite")
    assert found["not shown"]["value"] == 0
    for page in ("list", "thread"):
        assert found[f"{page}: told p50"]["value"] > 0
        assert found[f"{page}: shown p95"]["budget"] == 300


def test_soak_tells_memory_starts_and_that_nothing_was_lost() -> None:
    found = _figures("soak", "--starts=1", "--minutes=0.05", "--rate=5", "--numbers=0", "--turns=embedded")
    assert found["lost"]["value"] == 0
    assert found["doubled"]["value"] == 0
    assert found["ready, median"]["budget"] == 1.5
    assert found["web: memory at most"]["value"] > 10
    assert "10/10: reply, round trip p99" in found


def test_retrieval_tells_times_and_memory_and_that_forked_workers_answer() -> None:
    found = _figures("retrieval", "--documents=100", "--questions=20")
    assert found["question p50"]["value"] > found["of it embedding, p50"]["value"] * 0.5 > 0
    assert found["memory, model included"]["budget"] == 200
    assert found["of 4 forked workers stuck"]["value"] == 0


def test_chat_takes_the_models_own_time_off_and_answers_every_guest() -> None:
    found = _figures("chat", "--rate=5", "--seconds=3")
    assert found["whole: the model itself p50"]["value"] > 400
    assert found["whole: beyond the model p50"]["value"] > 0
    assert found["whole: beyond the model p99"]["budget"] == 60
    assert found["straight: first token, model's wire to client's p50"]["value"] > 0
    assert found["cache hit p50"]["budget"] == found["early exit p50"]["budget"] == 5
    assert found["not answered"]["value"] == 0


def test_model_sets_the_adapter_and_the_chain_beside_the_sdk_alone() -> None:
    found = _figures("model", "--streams=20", "--tokens-per-second=200")
    for path in ("adapter", "chain"):
        for metric in ("first token beyond the model p50", "processor for each token"):
            figure = found[f"{path}: {metric}"]
            assert figure["value"] > 0
            assert figure["floor"] > 0


def test_cache_answers_again_what_it_knows() -> None:
    found = _figures("cache", "--store=memory", "--questions=15", "--rate=3", "--exponent=3")
    assert found["known"]["value"] > 0
    assert found["requests to the model for each question"]["value"] < 1
    assert found["known, answered p50"]["value"] > 0
    assert found["not answered"]["value"] == 0


def test_ablate_shows_on_the_wire_what_was_switched_off() -> None:
    lines = [
        json.loads(line)
        for line in _bench("ablate", "--without=pooling", "--seconds=2", "--json").stdout.splitlines()
    ]
    (connections,) = [
        line
        for line in lines
        if (line["setting"], line["metric"], line["unit"]) == ("without pooling", "model", "connections")
    ]
    assert connections["ratio"] > 1.5


def test_a_bench_that_does_not_exist_is_answered_with_those_that_do() -> None:
    said = _bench("nope", code=2).stderr
    assert f"there is no bench 'nope'; there are {', '.join(sorted(BENCHES))}" in said


@pytest.mark.parametrize("name", sorted(BENCHES.keys() - {"faults"}))
def test_each_bench_explains_itself_with_an_example(name: str) -> None:
    said = CliRunner().invoke(main, [name, "--help"], prog_name="frontdesk bench")
    assert said.exit_code == 0
    assert f"frontdesk bench {name} " in said.stdout

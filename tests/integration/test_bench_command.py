"""`frontdesk bench`, small: real processes, figures as JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 100
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
    assert found["with typing"]["value"] > 0
    # The model alone takes half a second of each.
    assert found["round trip p50"]["value"] > 500 > found["our share p50"]["value"] > 0
    assert "100 conversations" in found["our share p50"]["setting"]


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


def test_a_bench_that_does_not_exist_is_answered_with_those_that_do() -> None:
    said = _bench("nope", code=2).stderr
    assert (
        "there is no bench 'nope'; there are ack, answers, faults, order, reply, retrieval, soak, takeover"
        in said
    )


@pytest.mark.parametrize("name", ["ack", "answers", "order", "reply", "retrieval", "soak", "takeover"])
def test_each_bench_explains_itself_with_an_example(name: str) -> None:
    assert f"frontdesk bench {name} " in _bench(name, "--help").stdout

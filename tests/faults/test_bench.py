"""A short run of ``frontdesk bench faults`` on each database: the promise holds through kills and trouble."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from simulators.lab import ROOT

KILLS = 30
TIME_LIMIT_S = 420


@pytest.mark.timeout(TIME_LIMIT_S + 20)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_thirty_kills_lose_nothing_double_nothing_and_keep_the_order(database: str) -> None:
    options = ["--kills", str(KILLS), "--seed", "7", "--guests", "12", "--database", database, "--json"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "faults", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    found = {line["metric"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    assert found, done.stderr
    broken = ("lost", "doubled by id", "doubled by text", "out of order", "misfiled")
    assert {metric: found[metric] for metric in broken} == dict.fromkeys(broken, 0)
    assert done.returncode == 0
    assert found["kills"] == KILLS
    # Somebody asked, and the kills met messages on their way.
    assert found["covered once"] == found["messages"] > KILLS
    assert found["kills that met no message"] <= KILLS * 2 / 3

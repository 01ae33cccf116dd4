"""Two runs of a bench side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.compare import command
from bench.figures import Figure
from server.errors import CommandError


def a_file(path: Path, *figures: Figure) -> str:
    path.write_text("\n".join(figure.as_json() for figure in figures) + "\n", encoding="utf-8")
    return str(path)


def a_figure(metric: str, value: float) -> Figure:
    return Figure("chat", "sqlite", metric, value, "ms")


def test_what_both_have_stands_side_by_side_with_its_change(tmp_path: Path) -> None:
    before = a_file(tmp_path / "a", a_figure("p50", 40), a_figure("p95", 0), a_figure("gone", 1))
    after = a_file(tmp_path / "b", a_figure("p50", 30), a_figure("p95", 5), a_figure("new", 1))
    shown = CliRunner().invoke(command, [before, after])
    lines = [line.split("  ") for line in shown.output.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells == [
        ["metric", "before", "after", "change"],
        ["chat: sqlite: p50", "40.00 ms", "30.00 ms", "-25.0 %"],
        ["chat: sqlite: p95", "0.00 ms", "5.00 ms"],
    ]


def test_as_json_each_line_is_an_object(tmp_path: Path) -> None:
    before, after = a_file(tmp_path / "a", a_figure("p50", 40)), a_file(tmp_path / "b", a_figure("p50", 30))
    (line,) = CliRunner().invoke(command, [before, after, "--json"]).output.splitlines()
    assert json.loads(line) == {
        "bench": "chat",
        "setting": "sqlite",
        "metric": "p50",
        "before": 40,
        "after": 30,
        "unit": "ms",
        "change_percent": -25.0,
    }


@pytest.mark.parametrize("text", ["no figure\n", '{"bench": "chat"}\n'])
def test_a_line_that_is_no_figure_is_named(tmp_path: Path, text: str) -> None:
    before = a_file(tmp_path / "a", a_figure("p50", 40))
    (tmp_path / "b").write_text(text, encoding="utf-8")
    refused = CliRunner().invoke(command, [before, str(tmp_path / "b")])
    assert isinstance(refused.exception, CommandError)
    assert "line 1: no figure" in str(refused.exception)


def test_runs_of_other_benches_are_not_compared(tmp_path: Path) -> None:
    before = a_file(tmp_path / "a", a_figure("p50", 40))
    after = a_file(tmp_path / "b", Figure("ack", "sqlite", "p50", 4, "ms"))
    refused = CliRunner().invoke(command, [before, after])
    assert "no figure in common" in str(refused.exception)

"""What benches print."""

from __future__ import annotations

import json

import pytest

from bench.figures import Figure, Output, as_table


def test_a_budget_limits_the_ratio_where_there_is_a_floor() -> None:
    figure = Figure("ack", "sqlite", "p99", 30.0, "ms", floor=10.0, budget=2.0)
    assert figure.ratio == 3.0
    assert figure.holds is False


def test_a_budget_limits_the_value_where_there_is_no_floor() -> None:
    assert Figure("reply", "sqlite", "p50", 15.0, "ms", budget=15.0).holds is True


def test_a_figure_without_a_budget_neither_holds_nor_fails() -> None:
    assert Figure("ack", "sqlite", "throughput", 200.0, "1/s").holds is None


def test_a_json_line_has_the_fields_of_the_contract_in_their_order() -> None:
    line = json.loads(Figure("ack", "sqlite", "p99", 3.0, "ms", floor=2.0, budget=2.0).as_json())
    assert list(line.items()) == [
        ("bench", "ack"),
        ("setting", "sqlite"),
        ("metric", "p99"),
        ("value", 3.0),
        ("unit", "ms"),
        ("floor", 2.0),
        ("ratio", 1.5),
        ("budget", 2.0),
        ("holds", True),
    ]


def test_with_json_nothing_but_lines_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True, is_strict=False)
    output.add(Figure("ack", "sqlite", "p50", 1.0, "ms"), Figure("ack", "sqlite", "p99", 2.0, "ms"))
    output.close()
    assert [json.loads(line)["metric"] for line in capsys.readouterr().out.splitlines()] == ["p50", "p99"]


def test_a_budget_that_does_not_hold_ends_a_strict_run_with_1() -> None:
    output = Output(as_json=True, is_strict=True)
    output.add(Figure("ack", "sqlite", "errors", 1.0, "requests", budget=0.0))
    with pytest.raises(SystemExit) as ended:
        output.close()
    assert ended.value.code == 1


def test_a_budget_that_does_not_hold_is_told_and_ends_with_0_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(as_json=False, is_strict=False)
    output.add(Figure("ack", "sqlite", "errors", 1.0, "requests", budget=0.0))
    output.close()
    assert "NO" in capsys.readouterr().out


def test_a_table_names_each_setting_once_and_aligns_its_columns() -> None:
    table = as_table(
        [
            Figure("ack", "sqlite", "p50", 1.0, "ms"),
            Figure("ack", "sqlite", "p99", 1234.5, "ms", floor=1000.0, budget=2.0),
            Figure("ack", "postgres", "p50", 2.25, "ms"),
        ]
    )
    assert table.count("ack: sqlite") == 1
    rows = [line for line in table.splitlines() if line.startswith("  p")]
    assert len({line.index(" ms") for line in rows}) == 1

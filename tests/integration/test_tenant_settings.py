"""Budgets and emergency numbers of a business, as `frontdesk tenant set` takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.commands import cli
from server.errors import CommandError
from server.store.tenants import Tenants


@pytest.fixture
def runner(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: Tenants) -> CliRunner:
    """Runs commands on a database with tenants 1 and 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return CliRunner()


def set_it(runner: CliRunner, *arguments: str) -> None:
    """Change it."""
    result = runner.invoke(cli, ["tenant", "set", "1", *arguments])
    assert result.exit_code == 0, result.output


def fault(runner: CliRunner, *arguments: str) -> str:
    """What is said of a value that will not do."""
    result = runner.invoke(cli, ["tenant", "set", "1", *arguments])
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


@pytest.mark.parametrize("setting", ["daily_budget_usd", "guest_daily_budget_usd"])
def test_a_budget_is_set_and_taken_away(runner: CliRunner, tenants: Tenants, setting: str) -> None:
    set_it(runner, setting, "2.50")
    assert getattr(tenants.get("1").settings, setting) == 2.5
    set_it(runner, setting)
    assert getattr(tenants.get("1").settings, setting) == 0


@pytest.mark.parametrize("setting", ["daily_budget_usd", "guest_daily_budget_usd"])
@pytest.mark.parametrize("bad", ["-1", "five", "5$", "nan", "inf", "1e9", ""])
def test_a_budget_is_a_sum_of_money(runner: CliRunner, tenants: Tenants, setting: str, bad: str) -> None:
    said = fault(runner, "--", setting, bad)
    assert setting in said
    assert "must be US dollars a day, such as 5 or 0.50; 0 is no limit" in said
    assert getattr(tenants.get("1").settings, setting) == 0


def test_emergency_numbers_are_kept_as_they_stand(runner: CliRunner, tenants: Tenants) -> None:
    set_it(runner, "emergency_numbers", "מד״א 101, police 100")
    assert tenants.get("1").settings.emergency_numbers == "מד״א 101, police 100"
    set_it(runner, "emergency_numbers")
    assert tenants.get("1").settings.emergency_numbers == ""


@pytest.mark.parametrize("bad", ["the ambulance", "101\n100", "1" * 201])
def test_emergency_numbers_are_one_line_with_numbers(runner: CliRunner, bad: str) -> None:
    assert "'ambulance 101, police 100'" in fault(runner, "emergency_numbers", bad)

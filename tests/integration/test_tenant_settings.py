"""Budgets, emergency numbers and telephone numbers of a business, as `frontdesk tenant set` takes them."""

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


def set_it(runner: CliRunner, *arguments: str, tenant: str = "1") -> None:
    """Change it."""
    result = runner.invoke(cli, ["tenant", "set", tenant, *arguments])
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


@pytest.mark.parametrize("setting", ["phone_numbers", "transfer_number"])
@pytest.mark.parametrize("bad", ["03-1234567", "+972 3 1234567", "972312345678", "+1", "call me"])
def test_numbers_that_are_dialled_have_their_country_code(runner: CliRunner, setting: str, bad: str) -> None:
    assert "one is +972501234567" in fault(runner, setting, bad)


def test_a_phone_number_is_one_businesss_only(runner: CliRunner, tenants: Tenants) -> None:
    set_it(runner, "phone_numbers", "+97231234567", "+97231234568", tenant="2")
    assert "tenant 2's already" in fault(runner, "phone_numbers", "+97231234568")
    set_it(runner, "phone_numbers", "+97231234569")
    set_it(runner, "phone_numbers", "+97231234569", "+97231234570")
    assert tenants.get("1").settings.phone_numbers == ("+97231234569", "+97231234570")


def test_office_hours_are_days_and_times(runner: CliRunner, tenants: Tenants) -> None:
    set_it(runner, "office_hours", "Su-Th 08:00-18:00; Fr 08:00-13:00")
    assert tenants.get("1").settings.office_hours == "Su-Th 08:00-18:00; Fr 08:00-13:00"
    for bad in ("sun-thu 8-18", "Su-Th 08:00-18:00; PH off", "Mo-Fr sunrise-sunset", '"by appointment"'):
        said = fault(runner, "office_hours", bad)
        assert said.startswith("office_hours: must be days and times such as 'Su-Th 08:00-18:00")
    assert tenants.get("1").settings.office_hours == "Su-Th 08:00-18:00; Fr 08:00-13:00"
    set_it(runner, "office_hours")
    assert tenants.get("1").settings.office_hours == ""


def test_reminders_come_after_some_minutes_or_never(runner: CliRunner, tenants: Tenants) -> None:
    assert tenants.get("1").settings.remind_after_minutes == 5
    for minutes in (0, 1, 1_440):
        set_it(runner, "remind_after_minutes", str(minutes))
        assert tenants.get("1").settings.remind_after_minutes == minutes
    for bad in ("-1", "1441", "soon", "2.5"):
        said = fault(runner, "--", "remind_after_minutes", bad)
        assert said == "remind_after_minutes: must be a whole number of minutes: 0 (never) to 1440"
    assert tenants.get("1").settings.remind_after_minutes == 1_440


def test_the_team_s_language_is_one_that_there_are_words_for(runner: CliRunner, tenants: Tenants) -> None:
    assert tenants.get("1").settings.team_language == ""
    set_it(runner, "team_language", "he")
    assert tenants.get("1").settings.team_language == "he"
    for bad in ("fr", "hebrew", "HE"):
        assert fault(runner, "team_language", bad).startswith(
            "team_language: must be one of en, he, or empty"
        )
    assert tenants.get("1").settings.team_language == "he"
    set_it(runner, "team_language")
    assert tenants.get("1").settings.team_language == ""


def test_who_is_next_in_line_has_a_number_with_country_code_or_an_address(
    runner: CliRunner, tenants: Tenants
) -> None:
    line = ("+972501234567", "owner@hotel.example")
    set_it(runner, "next_in_line", *line)
    assert tenants.get("1").settings.next_in_line == line
    for bad in ("050-1234567", "+972 50 1234567", "the owner", "owner@hotel"):
        assert f"'{bad}' is neither a phone number" in fault(runner, "next_in_line", line[0], bad)
    assert "ten people at most" in fault(runner, "next_in_line", *([line[0]] * 11))
    assert tenants.get("1").settings.next_in_line == line

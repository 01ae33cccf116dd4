"""``frontdesk report``: the morning report in a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.commands import cli
from server.errors import AppError
from server.store.session import Database
from server.store.tenants import Tenants
from server.wiring import make_clock
from tests.support.threads import ThreadBuilder

# What differs by database is the store's, which has a test of its own.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def runner(
    database: Database, tenants: Tenants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CliRunner:
    """A guest was promised an answer two days ago, by the machine's clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://desk.example")
    thread = ThreadBuilder(database, make_clock().now() - timedelta(days=2), name="Maya")
    asked = thread.guest_says("May we bring a parrot?", after_s=0)
    turn = {"handover": True, "reason": "not_known"}
    thread.reply("I have asked the team.", covers=[asked], turn=turn, after_s=0)
    return CliRunner()


def report(runner: CliRunner, *arguments: str) -> str:
    result = runner.invoke(cli, ["report", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def fault(runner: CliRunner, *arguments: str) -> str:
    """What a command that cannot go on says."""
    result = runner.invoke(cli, ["report", *arguments])
    assert isinstance(result.exception, AppError), result.output
    return str(result.exception)


def test_a_day_is_told_in_plain_words(runner: CliRunner, tenants: Tenants) -> None:
    zone = tenants.get("1").settings.zone
    day = (make_clock().now() - timedelta(days=2)).astimezone(zone).date()
    told = report(runner, "1", "--day", str(day))
    assert told.startswith("Morning report of Harbour House: ")
    assert "Promises that are open: 1 of 1\n- Maya, since " in told
    assert "https://desk.example/console/conversations/" in told


def test_a_hebrew_team_is_told_in_hebrew(runner: CliRunner, tenants: Tenants) -> None:
    settings = tenants.get("1").settings
    tenants.update("1", replace(settings, team_language="he"))
    day = (make_clock().now() - timedelta(days=2)).astimezone(settings.zone).date()
    told = report(runner, "1", "--day", str(day))
    assert told.startswith("\u200fדוח בוקר של \u2068Harbour House\u2069: יום ")
    assert "\u200fהבטחות פתוחות: 1 מתוך 1\n\u200f- \u2068Maya\u2069, מאז " in told
    assert "\u200f  https://desk.example/console/conversations/" in told


def test_without_a_day_it_is_yesterday_s(runner: CliRunner) -> None:
    assert "Promises that are open: 0 of 0" in report(runner, "1")


def test_what_it_cannot_show_is_said_in_one_sentence(runner: CliRunner) -> None:
    assert "frontdesk tenant list" in fault(runner, "9")
    assert "such as 2" in fault(runner, "1", "--day", "monday")
    assert "has not begun yet" in fault(runner, "1", "--day", "2999-01-01")


def test_its_help_has_an_example(runner: CliRunner) -> None:
    assert "frontdesk report 1 --day 2026-11-21" in report(runner, "--help")

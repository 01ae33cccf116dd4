"""The command line: what it does, and one sentence for what it cannot do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.commands import cli
from server.errors import AppError
from server.store.keys import ApiKeys
from server.store.models import OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import ROOT
from tests.fakes.clock import FakeClock


@pytest.fixture
def runner(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: Tenants) -> CliRunner:
    """Runs commands on a database with tenants 1 and 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    return CliRunner()


def run(runner: CliRunner, *arguments: str) -> Result:
    """A command that must succeed."""
    result = runner.invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result


def fault(runner: CliRunner, *arguments: str) -> str:
    """What a command that cannot go on says."""
    result = runner.invoke(cli, arguments)
    assert isinstance(result.exception, AppError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_tenants_are_added_and_listed(runner: CliRunner) -> None:
    run(runner, "tenant", "add", "7", "--name", "Hill Inn")
    assert "7\tHill Inn" in run(runner, "tenant", "list").output


def test_a_tenant_is_not_added_twice(runner: CliRunner) -> None:
    assert "exists already" in fault(runner, "tenant", "add", "1", "--name", "Again")


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "a/b"])
def test_a_tenants_id_is_plain(runner: CliRunner, bad: str) -> None:
    assert "letters, digits" in fault(runner, "tenant", "add", bad, "--name", "X")


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("time_zone", ["Mars/Olympus"]),
        ("staff_numbers", ["call me"]),
        ("staff_webhook", ["ftp://example.com"]),
        ("hand_back_after_minutes", ["--", "-1"]),
        ("hand_back_after_minutes", ["soon"]),
        ("name", [" "]),
        ("name", ["two", "values"]),
        ("ai_paused", ["perhaps"]),
    ],
)
def test_a_setting_that_would_not_work_is_refused_by_name(
    runner: CliRunner, setting: str, values: list[str], database: Database, clock: FakeClock
) -> None:
    before = Tenants(database, clock).get("1")
    assert setting in fault(runner, "tenant", "set", "1", setting, *values)
    assert Tenants(database, clock).get("1") == before


def test_settings_are_kept(runner: CliRunner, database: Database, clock: FakeClock) -> None:
    run(runner, "tenant", "set", "1", "staff_numbers", "+972501234567", "+972 50-765")
    run(runner, "tenant", "set", "1", "ai_paused", "true")
    settings = Tenants(database, clock).get("1").settings
    assert settings.staff_numbers == ("+972501234567", "+972 50-765")
    assert settings.ai_paused
    assert '"ai_paused": true' in run(runner, "tenant", "show", "1").output


def test_an_unknown_tenant_is_named_with_the_remedy(runner: CliRunner) -> None:
    for arguments in (
        ["keys", "create", "--tenant", "9"],
        ["ask", "--tenant", "9", "hello"],
        ["requeue", "--tenant", "9"],
        ["link", "9"],
    ):
        assert "frontdesk tenant list" in fault(runner, *arguments)


def test_a_key_is_the_last_line_and_opens_its_tenant(
    runner: CliRunner, database: Database, clock: FakeClock
) -> None:
    key = run(runner, "keys", "create", "--tenant", "1").output.splitlines()[-1]
    assert re.fullmatch(r"[A-Za-z0-9_.-]{20,}", key)
    assert ApiKeys(database, clock).find_tenant(key) == "1"


def test_failed_replies_are_sent_again(runner: CliRunner, database: Database, clock: FakeClock) -> None:
    now = clock.now()
    with database.write() as session:
        session.add(
            OutboxRow(
                tenant_id="1", lane="staff:1", channel="whatsapp", kind="notice", to_address="1@lid",
                text="x", message_id="3EB0AA", state="failed", due_at=now, committed_at=now,
            )
        )  # fmt: skip
    assert "1 message goes out again" in run(runner, "requeue", "--tenant", "1").output
    with database.read() as session:
        assert session.get_one(OutboxRow, 1).state == "committed"


def test_a_database_without_tables_says_what_to_do(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    assert "frontdesk migrate" in fault(runner, "tenant", "list")
    run(runner, "migrate")
    assert run(runner, "tenant", "list").output == ""


def test_the_web_process_does_not_start_on_a_database_without_tables(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    done = subprocess.run(
        [gunicorn, "--config", "server/gunicorn_config.py"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "frontdesk: the database is not up to date: run `frontdesk migrate` first"


def test_doctor_says_what_is_wrong_and_how_to_mend_it(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHATSAPP_URL", "http://127.0.0.1:9")
    result = runner.invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert re.search(r"database +ok", result.output)
    assert "start it with `frontdesk run`" in result.output


def test_ask_says_what_is_not_known(runner: CliRunner) -> None:
    said = run(runner, "ask", "--tenant", "1", "Is there a helipad?").output
    assert "I don't know" in said
    assert "staff would be told" in said

"""``frontdesk call``: an operator reads a call and takes its recording away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.commands import cli
from server.domain.tenants import TenantSettings
from server.errors import AppError
from server.settings import Settings
from server.store.calls import Calls
from server.store.recordings import Recordings
from server.store.session import Database
from server.store.tenants import Tenants
from server.wiring import make_recording_shelf
from tests.fakes.clock import FakeClock
from tests.support.recordings import channels

# What differs by database is the store's, which has a test of its own.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DESK = "+97231234567"
AUDIO = b"\x10\x20" * 1_000


@pytest.fixture
def runner(
    database: Database, tenants: Tenants, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CliRunner:
    """A business has recorded one call, to its end, and another that broke off at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    tenants.update("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
    shelf = make_recording_shelf(Settings(data_dir=tmp_path / "var"))
    for call_id in ("CA1", "CA2"):
        Calls(database, clock, "http://desk.example").ring(call_id, DESK, "", 8)
        writer = shelf.begin("1", Recordings(database, clock).begin("1", call_id))
        writer.write(AUDIO)
        if call_id == "CA1":
            writer.finish()
        writer.close()
    return CliRunner()


def fault(runner: CliRunner, *arguments: str) -> str:
    """What a command that cannot go on says."""
    result = runner.invoke(cli, ["call", *arguments])
    assert isinstance(result.exception, AppError), result.output
    return str(result.exception)


def test_a_call_is_shown_as_json(runner: CliRunner) -> None:
    told = json.loads(runner.invoke(cli, ["call", "show", "CA1", "--tenant", "1"]).output)
    assert (told["id"], told["caller"], len(told["recordings"])) == ("CA1", None, 1)
    assert "no such call" in fault(runner, "show", "CA1", "--tenant", "2")


def test_a_recording_is_written_as_wav_and_nothing_is_overwritten(runner: CliRunner, tmp_path: Path) -> None:
    arguments = ["recording", "CA1", "--tenant", "1", "--to", "call.wav"]
    result = runner.invoke(cli, ["call", *arguments])
    assert result.exit_code == 0, result.output
    assert "no end" not in result.output
    assert channels((tmp_path / "call.wav").read_bytes()) == (AUDIO[0::2], AUDIO[1::2])
    assert "there already" in fault(runner, *arguments)
    assert "no such recording" in fault(
        runner, "recording", "CA1", "--tenant", "1", "--number", "2", "--to", "two.wav"
    )
    assert not (tmp_path / "two.wav").exists()


def test_one_that_broke_off_is_said_to_have(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["call", "recording", "CA2", "--tenant", "1", "--to", "call.wav"])
    assert result.exit_code == 0, result.output
    assert "has no end" in result.output

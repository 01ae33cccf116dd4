"""A call is told and played to its own business's key, in parts where a player seeks, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from server.channels.api_schemas import SpokenCall
from server.desk import Desk
from server.domain.tenants import TenantSettings
from server.voice.recorder import RecordedCalls
from tests.support.recordings import channels

# What differs by database is the store's, which has a test of its own.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DESK = "+97231234567"
AUDIO = b"\x10\x20" * 100_000
CALL, RECORDING = "/api/v1/calls/CA1", "/api/v1/calls/CA1/recordings/1"


@pytest.fixture
def client(desk: Desk, app: Flask) -> FlaskClient:
    """Of a business that has recorded a call."""
    ports = desk.ports
    ports.tenants.update("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
    ports.calls.ring("CA1", DESK, "+972501111111", 8)
    return app.test_client()


@pytest.fixture
def key(desk: Desk) -> Mapping[str, str]:
    """The business's."""
    return {"Authorization": f"Bearer {desk.ports.keys.create('1')}"}


@pytest.fixture
def recorded(client: FlaskClient, desk: Desk) -> str:
    """The name of the call's recording, which is whole."""
    name = desk.ports.recordings.begin("1", "CA1")
    writer = desk.ports.recording_shelf.begin("1", name)
    writer.write(AUDIO)
    writer.finish()
    writer.close()
    desk.ports.recordings.finish(name, 12.5)
    return name


@pytest.mark.usefixtures("recorded")
def test_a_call_is_told(client: FlaskClient, key: Mapping[str, str]) -> None:
    told = client.get(CALL, headers=key).get_json()
    assert (told["id"], told["caller"], told["called"]) == ("CA1", "+972501111111", DESK)
    assert (told["ended_at"], told["seconds"], told["turns"]) == (None, None, [])
    (one,) = told["recordings"]
    assert (one["number"], one["seconds"], one["complete"]) == (1, 12.5, True)
    assert SpokenCall.model_validate(told).model_dump().keys() == told.keys()


@pytest.mark.usefixtures("recorded")
def test_a_recording_is_played(client: FlaskClient, key: Mapping[str, str]) -> None:
    answer = client.get(RECORDING, headers=key)
    assert (answer.status_code, answer.mimetype) == (200, "audio/wav")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.content_length == len(answer.data)
    assert channels(answer.data) == (AUDIO[0::2], AUDIO[1::2])


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("0-9", 0, 9), ("50-70", 50, 70), ("65000-140000", 65_000, 140_000), ("200000-", 200_000, 200_057)],
)
def test_a_player_gets_the_part_that_it_asks_for(
    client: FlaskClient, key: Mapping[str, str], wanted: str, first: int, last: int
) -> None:
    whole = client.get(RECORDING, headers=key).data
    part = client.get(RECORDING, headers={**key, "Range": f"bytes={wanted}"})
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert part.data == whole[first : last + 1]


@pytest.mark.usefixtures("recorded")
def test_a_part_that_is_not_there_is_refused_with_how_much_is(
    client: FlaskClient, key: Mapping[str, str]
) -> None:
    answer = client.get(RECORDING, headers={**key, "Range": "bytes=900000-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */200058"


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("path", [CALL, RECORDING])
def test_other_businesses_calls_do_not_exist(client: FlaskClient, desk: Desk, path: str) -> None:
    theirs = {"Authorization": f"Bearer {desk.ports.keys.create('2')}"}
    assert client.get(path, headers=theirs).status_code == 404
    assert client.get(path).status_code == 401


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    "path", ["/api/v1/calls/CA2", "/api/v1/calls/CA1/recordings/2", "/api/v1/calls/CA1/recordings/0"]
)
def test_what_is_not_there_is_not_found(client: FlaskClient, key: Mapping[str, str], path: str) -> None:
    assert client.get(path, headers=key).status_code == 404


def test_a_recording_whose_file_is_elsewhere_is_not_found(
    client: FlaskClient, key: Mapping[str, str], recorded: str, tmp_path: Path
) -> None:
    (tmp_path / "recordings" / "1" / recorded).unlink()
    answer = client.get(RECORDING, headers=key)
    assert answer.status_code == 404
    assert "not on this machine" in answer.get_json()["error"]


def test_a_recording_that_was_changed_is_told_from_one_that_is_not_there(
    client: FlaskClient, key: Mapping[str, str], recorded: str, tmp_path: Path
) -> None:
    path = tmp_path / "recordings" / "1" / recorded
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert client.get(RECORDING, headers=key).status_code == 502


def test_a_recording_whose_end_was_cut_off_is_played_and_reported(
    client: FlaskClient, key: Mapping[str, str], recorded: str, tmp_path: Path
) -> None:
    path = tmp_path / "recordings" / "1" / recorded
    path.write_bytes(path.read_bytes()[:-1_000])
    with capture_logs() as logs:
        assert len(client.get(RECORDING, headers=key).data) == 58 + 3 * 65_536
    assert {"event": "recording.cut_short", "call": "CA1", "number": 1, "log_level": "error"} in logs


def test_a_recording_that_broke_off_is_played_as_far_as_it_got(
    client: FlaskClient, key: Mapping[str, str], desk: Desk
) -> None:
    writer = desk.ports.recording_shelf.begin("1", desk.ports.recordings.begin("1", "CA1"))
    writer.write(AUDIO)
    writer.close()
    (one,) = client.get(CALL, headers=key).get_json()["recordings"]
    assert (one["seconds"], one["complete"]) == (None, False)
    caller, _ = channels(client.get(RECORDING, headers=key).data)
    assert len(caller) == 3 * 32_768


@pytest.mark.usefixtures("recorded")
def test_old_recordings_are_swept_away_file_and_row(
    client: FlaskClient, key: Mapping[str, str], desk: Desk, tmp_path: Path
) -> None:
    ports = desk.ports
    desk.recorded.forget()
    assert client.get(RECORDING, headers=key).status_code == 200
    RecordedCalls(ports.recordings, ports.recording_shelf, ports.clock, timedelta(0)).forget()
    assert client.get(CALL, headers=key).get_json()["recordings"] == []
    assert list((tmp_path / "recordings" / "1").iterdir()) == []

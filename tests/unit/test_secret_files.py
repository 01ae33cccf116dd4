"""A secret is made once, whoever asks first, and is its owner's alone."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.errors import SettingsError
from server.secret_files import read_or_make, recordings_key, staff_key
from server.settings import Settings


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret"
    first = read_or_make(path)
    assert len(first) == 64
    assert read_or_make(path) == first


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    barrier = threading.Barrier(8)
    found: list[str] = []

    def ask() -> None:
        barrier.wait()
        found.append(read_or_make(path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    read_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_secret_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    with pytest.raises(SettingsError, match="delete the file"):
        read_or_make(path)


def test_recordings_have_a_key_of_their_own_from_the_first_run_on(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = recordings_key(settings)
    assert len(key) == 32
    assert recordings_key(settings) == key
    assert stat.S_IMODE((tmp_path / "recordings-key").stat().st_mode) == 0o600


def test_the_settings_key_comes_first(tmp_path: Path) -> None:
    given = bytes(range(32))
    settings = Settings(data_dir=tmp_path, recordings_key=SecretStr(base64.b64encode(given).decode()))
    assert recordings_key(settings) == given
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["no key", "ab" * 31])
def test_a_key_file_that_is_none_is_not_made_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "recordings-key").write_text(content, encoding="ascii")
    with pytest.raises(SettingsError, match="backup"):
        recordings_key(Settings(data_dir=tmp_path))


def test_second_factors_have_a_key_of_their_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = staff_key(settings)
    assert len(key) == 32
    assert staff_key(settings) == key != recordings_key(settings)


def test_a_key_of_second_factors_that_is_none_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "staff-key").write_text("not a key\n")
    with pytest.raises(SettingsError, match="from a backup"):
        staff_key(Settings(data_dir=tmp_path))

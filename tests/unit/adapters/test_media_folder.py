"""Files of guests are whole or not there, readable by one user, inside one folder, and gone after a while."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.media_folder import MediaFolder
from server.errors import ProviderError, ProviderUnavailable
from server.ports.media import MediaFault


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media", least_free_bytes=0)


def keep(folder: MediaFolder, message_id: int = 1, tenant: str = "1", content: bytes = b"sound") -> Path:
    with folder.keep(tenant, message_id) as file:
        file.write(content)
    found = folder.find(tenant, message_id)
    assert found is not None
    return found


def every_file(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_was_kept_is_found(folder: MediaFolder) -> None:
    assert keep(folder).read_bytes() == b"sound"
    assert folder.find("1", 2) is None
    assert folder.find("2", 1) is None


def test_only_this_user_can_read_it(folder: MediaFolder) -> None:
    path = keep(folder)
    modes = [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def test_what_broke_off_is_not_there(folder: MediaFolder, tmp_path: Path) -> None:
    def break_off() -> None:
        with folder.keep("1", 1) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert every_file(tmp_path) == []


def test_it_is_not_found_before_it_is_whole(folder: MediaFolder) -> None:
    with folder.keep("1", 1) as file:
        file.write(b"half")
        assert folder.find("1", 1) is None


@given(st.text(min_size=1, max_size=20))
def test_no_tenant_id_leads_out_of_the_folder(tenant: str) -> None:
    try:
        path = MediaFolder(Path("/desk/media"))._path(tenant, 1)
    except UnicodeEncodeError:
        return
    assert Path(os.path.normpath(path)).parent.parent == Path("/desk/media")


@pytest.mark.parametrize("tenant", ["..", ".", "../../etc", "a/b", "a\x00b", "אכסניה"])
def test_odd_tenant_ids_have_folders_of_their_own(folder: MediaFolder, tmp_path: Path, tenant: str) -> None:
    assert keep(folder, tenant=tenant).parent.parent == tmp_path / "media"


def test_a_disk_that_is_nearly_full_is_left_alone(tmp_path: Path) -> None:
    folder = MediaFolder(tmp_path / "media", least_free_bytes=2**62)
    with pytest.raises(ProviderError, match=MediaFault.NO_ROOM), folder.keep("1", 1):
        pass
    assert every_file(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file")
    with pytest.raises(ProviderUnavailable), MediaFolder(tmp_path / "media").keep("1", 1):
        pass


def test_what_is_old_is_deleted_and_the_rest_stays(folder: MediaFolder, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old, young = keep(folder, 1), keep(folder, 2)
    half_written = tmp_path / "media" / "1" / "3.abc.part"
    half_written.write_bytes(b"half")
    for path in (old, half_written):
        long_ago = (now - timedelta(days=31)).timestamp()
        os.utime(path, (long_ago, long_ago))
    assert folder.forget(now - timedelta(days=30)) == 2
    assert every_file(tmp_path) == [young]


def test_there_is_nothing_to_delete_before_anything_was_kept(folder: MediaFolder) -> None:
    assert folder.forget(datetime.now(UTC)) == 0


def test_what_is_removed_is_gone_with_its_unfinished_parts(folder: MediaFolder, tmp_path: Path) -> None:
    kept = keep(folder, message_id=12)
    other = keep(folder, message_id=1)

    def write_on() -> None:
        with folder.keep("1", 12) as file:
            file.write(b"half")
            folder.remove("1", 12)
            assert every_file(tmp_path) == [other]

    # Whoever was fetching it again at that moment does not bring it back.
    with pytest.raises(ProviderUnavailable):
        write_on()
    assert not kept.exists()
    assert every_file(tmp_path) == [other]
    folder.remove("1", 12)
    folder.remove("2", 1)
    assert every_file(tmp_path) == [other]

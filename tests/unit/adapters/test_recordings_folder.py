"""Recordings are WAV files to who has the key, and noise to whoever has the disk."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.adapters.recordings_folder import RecordingsFolder, wav_header
from server.adapters.recordings_seal import CHUNK_BYTES
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.recordings import RecordedAudio, RecordingFault
from simulators.lab import ROOT
from tests.support.recordings import channels

KEY = bytes(range(32))
HEADER = len(wav_header(0))
CALLER, DESK = b"\x10" * CHUNK_BYTES, b"\x20" * CHUNK_BYTES
BOTH = b"\x10\x20" * CHUNK_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> RecordingsFolder:
    return RecordingsFolder(tmp_path / "recordings", KEY, least_free_bytes=0)


def keep(
    folder: RecordingsFolder, name: str = "a", audio: bytes = BOTH, *, is_finished: bool = True
) -> RecordedAudio:
    writer = folder.begin("1", name)
    writer.write(audio)
    if is_finished:
        writer.finish()
    writer.close()
    return found(folder, name)


def found(folder: RecordingsFolder, name: str = "a") -> RecordedAudio:
    audio = folder.find("1", name)
    assert audio is not None
    return audio


def whole(audio: RecordedAudio) -> bytes:
    with audio.file as file:
        content = io.BufferedReader(file).read()  # type: ignore[type-var]
    assert len(content) == audio.size
    return content


def kept(tmp_path: Path, name: str = "a") -> Path:
    return tmp_path / "recordings" / "1" / name


def test_what_was_recorded_is_a_wav_of_two_channels(folder: RecordingsFolder) -> None:
    audio = keep(folder)
    assert audio.is_complete
    assert channels(whole(audio)) == (CALLER, DESK)


def test_its_header_is_one_that_others_read() -> None:
    # Python's own reader takes PCM alone: the same header with another format.
    pcm = bytearray(wav_header(1_000) + bytes(1_000))
    pcm[20:22] = b"\x01\x00"
    with wave.open(io.BytesIO(bytes(pcm))) as read:
        assert (read.getnchannels(), read.getframerate(), read.getsampwidth()) == (2, 8_000, 1)
        assert read.getnframes() == 500


def test_a_player_may_seek(folder: RecordingsFolder) -> None:
    content = whole(keep(folder))
    audio = found(folder)
    with audio.file as file:
        assert file.seek(0, os.SEEK_END) == audio.size
        for place in (0, HEADER - 3, HEADER, HEADER + CHUNK_BYTES - 2, audio.size - 5):
            file.seek(place)
            assert file.tell() == place
            piece = file.read(10)
            assert piece
            assert content[place:].startswith(piece)
        file.seek(audio.size + 1_000)
        assert file.read(10) == b""


def test_what_is_on_the_disk_is_this_users_alone_and_no_sound(
    folder: RecordingsFolder, tmp_path: Path
) -> None:
    keep(folder)
    path = kept(tmp_path)
    modes = [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert BOTH[:4] not in path.read_bytes()


def test_what_broke_off_is_read_as_far_as_it_got(folder: RecordingsFolder) -> None:
    audio = keep(folder, audio=BOTH + b"\x10\x20" * 50, is_finished=False)
    assert not audio.is_complete
    assert channels(whole(audio)) == (CALLER, DESK)


def test_a_process_that_is_killed_leaves_what_it_wrote(folder: RecordingsFolder, tmp_path: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path\n"
        "from server.adapters.recordings_folder import RecordingsFolder\n"
        f"folder = RecordingsFolder(Path({str(tmp_path / 'recordings')!r}), {KEY!r}, least_free_bytes=0)\n"
        f"folder.begin('1', 'a').write(b'\\x10\\x20' * {CHUNK_BYTES + 50})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=30, check=False)
    assert killed.returncode == -signal.SIGKILL
    audio = found(folder)
    assert not audio.is_complete
    assert channels(whole(audio)) == (CALLER, DESK)


def test_one_that_is_being_made_can_be_heard_so_far(folder: RecordingsFolder) -> None:
    writer = folder.begin("1", "a")
    assert channels(whole(found(folder))) == (b"", b"")
    writer.write(BOTH)
    assert channels(whole(found(folder))) == (CALLER, DESK)
    writer.close()


def test_another_tenants_or_none_is_not_here(folder: RecordingsFolder) -> None:
    keep(folder)
    assert folder.find("2", "a") is None
    assert folder.find("1", "b") is None


def test_a_file_that_was_put_in_anothers_place_is_refused(folder: RecordingsFolder, tmp_path: Path) -> None:
    keep(folder)
    keep(folder, "b")
    kept(tmp_path, "a").replace(kept(tmp_path, "b"))
    with pytest.raises(ProviderRejected, match=RecordingFault.DAMAGED):
        folder.find("1", "b")


def test_another_key_reads_nothing(folder: RecordingsFolder, tmp_path: Path) -> None:
    keep(folder)
    with pytest.raises(ProviderRejected, match=RecordingFault.DAMAGED):
        RecordingsFolder(tmp_path / "recordings", bytes(32)).find("1", "a")


def test_a_change_further_on_is_noticed_when_it_is_read(folder: RecordingsFolder, tmp_path: Path) -> None:
    keep(folder)
    content = bytearray(kept(tmp_path).read_bytes())
    content[HEADER + CHUNK_BYTES + 1_000] ^= 1
    kept(tmp_path).write_bytes(content)
    with pytest.raises(ProviderRejected, match=RecordingFault.DAMAGED):
        whole(found(folder))


def test_a_disk_that_is_nearly_full_takes_no_more(tmp_path: Path) -> None:
    folder = RecordingsFolder(tmp_path / "recordings", KEY, least_free_bytes=2**62)
    writer = folder.begin("1", "a")
    with pytest.raises(ProviderUnavailable, match=RecordingFault.NO_ROOM):
        writer.write(BOTH)
    writer.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_bytes(b"")
    with pytest.raises(ProviderUnavailable):
        RecordingsFolder(tmp_path / "recordings", KEY, least_free_bytes=0).begin("1", "a")


def test_no_name_is_given_twice(folder: RecordingsFolder) -> None:
    keep(folder)
    with pytest.raises(ProviderUnavailable):
        folder.begin("1", "a")
    assert channels(whole(found(folder))) == (CALLER, DESK)


def test_what_is_old_is_deleted(folder: RecordingsFolder, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    keep(folder, "old")
    keep(folder, "new")
    long_ago = (now - timedelta(days=31)).timestamp()
    os.utime(kept(tmp_path, "old"), (long_ago, long_ago))
    assert folder.forget(now - timedelta(days=30)) == 1
    assert folder.find("1", "old") is None
    assert folder.find("1", "new") is not None


def test_where_nothing_was_kept_there_is_nothing_to_delete(folder: RecordingsFolder) -> None:
    assert folder.forget(datetime.now(UTC)) == 0


def test_a_recording_that_is_removed_is_gone(folder: RecordingsFolder) -> None:
    keep(folder, "a").file.close()
    keep(folder, "b").file.close()
    folder.remove("2", "a")
    assert folder.find("1", "a") is not None
    folder.remove("1", "a")
    folder.remove("1", "a")
    assert folder.find("1", "a") is None
    assert folder.find("1", "b") is not None

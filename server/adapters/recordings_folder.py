"""Recordings as sealed files of this machine: ``DATA_DIR/recordings/<tenant>/<name>``."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from server.adapters.recordings_seal import BadSeal, SealReader, SealWriter
from server.adapters.tenant_files import (
    LEAST_FREE_BYTES,
    delete_older,
    has_room,
    make_tenant_folder,
    tenant_folder,
)
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.recordings import PROVIDER, RecordedAudio, RecordingFault

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHANNELS, RATE_HZ = 2, 8_000
_MULAW_TAG, _BITS = 7, 8


class RecordingsFolder:
    """Keeps the ``RecordingShelf`` port.

    Args:
        folder: made when something is kept.
        key: of 32 bytes; what was kept under another cannot be read.
    """

    def __init__(self, folder: Path, key: bytes, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._folder = folder
        self._key = key
        self._least_free_bytes = least_free_bytes

    def begin(self, tenant_id: str, name: str) -> SealedRecording:
        """A new file, of mode 0600."""
        path = self._path(tenant_id, name)
        with _told():
            make_tenant_folder(path.parent)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            # Without a buffer: what was written is on its way to the disk whatever becomes of the process.
            file = cast(BinaryIO, os.fdopen(descriptor, "wb", buffering=0))
            try:
                return SealedRecording(file, self._key, _sealed_name(tenant_id, name), self._has_room)
            except OSError:
                file.close()
                raise

    def find(self, tenant_id: str, name: str) -> RecordedAudio | None:
        """The file, if it is here."""
        with _told():
            try:
                file = self._path(tenant_id, name).open("rb")
            except FileNotFoundError:
                return None
            try:
                sealed = SealReader(file, self._key, _sealed_name(tenant_id, name))
            except BadSeal:
                file.close()
                raise ProviderRejected(PROVIDER, RecordingFault.DAMAGED) from None
        wav = _Wav(file, sealed)
        return RecordedAudio(cast(BinaryIO, wav), wav.size, sealed.is_complete)

    def remove(self, tenant_id: str, name: str) -> None:
        """Delete the file."""
        with _told():
            self._path(tenant_id, name).unlink(missing_ok=True)

    def forget(self, before: datetime) -> int:
        """Delete what was written last before then."""
        return delete_older(self._folder, before)

    def _has_room(self) -> bool:
        return has_room(self._folder, self._least_free_bytes)

    def _path(self, tenant_id: str, name: str) -> Path:
        return tenant_folder(self._folder, tenant_id) / name


class SealedRecording:
    """Keeps the ``RecordingWriter`` port."""

    def __init__(self, file: BinaryIO, key: bytes, name: str, has_room: Callable[[], bool]) -> None:
        self._file = file
        self._has_room = has_room
        self._seal = SealWriter(file, key, name)

    def write(self, audio: bytes) -> None:
        """Seal *audio* and write it, while the disk has room for more than that."""
        with _told():
            if not self._has_room():
                raise ProviderUnavailable(PROVIDER, RecordingFault.NO_ROOM)
            self._seal.write(audio)

    def finish(self) -> None:
        """Write the end, and have all of it on the disk itself."""
        with _told():
            self._seal.finish()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Wav(io.RawIOBase):
    """A sealed recording as a WAV file that can be sought in."""

    def __init__(self, file: BinaryIO, sealed: SealReader) -> None:
        super().__init__()
        self._file = file
        self._sealed = sealed
        self._header = wav_header(sealed.size)
        self._place = 0
        self.size = len(self._header) + sealed.size

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go on from *offset*."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on.

        Raises:
            ProviderRejected: what is there was changed.
        """
        with memoryview(buffer).cast("B") as view:
            data = self._read(len(view))
            view[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def _read(self, count: int) -> bytes:
        place = self._place - len(self._header)
        if place < 0:
            return self._header[place:][:count]
        try:
            return self._sealed.read(place, count)
        except BadSeal:
            raise ProviderRejected(PROVIDER, RecordingFault.DAMAGED) from None


def wav_header(size: int) -> bytes:
    """What precedes *size* bytes of mu-law in two channels.

    Source: Microsoft's "Multiple Channel Audio Data and WAVE Files"; what is no PCM has a ``fact`` chunk.
    """
    size = min(size, 0xFFFF_FF00)
    layout = struct.pack("<HHIIHHH", _MULAW_TAG, CHANNELS, RATE_HZ, RATE_HZ * CHANNELS, CHANNELS, _BITS, 0)
    chunks = (
        _chunk(b"fmt ", layout) + _chunk(b"fact", struct.pack("<I", size // CHANNELS)) + b"data"
    ) + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + size) + b"WAVE" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _sealed_name(tenant_id: str, name: str) -> str:
    return f"{tenant_id}/{name}"


@contextmanager
def _told() -> Iterator[None]:
    """What the disk says, in our words."""
    try:
        yield
    except OSError as error:
        raise ProviderUnavailable(PROVIDER, type(error).__name__) from error

"""Files that only the holder of a key can read or change: AES-256-GCM in chunks.

A file is ``MAGIC``, 16 random bytes, then chunks of 65,536 bytes, each sealed with a tag of 16 bytes, and
a last one that is shorter, perhaps empty. The key of a file is HKDF-SHA256 of the installation's key, with
the random bytes as its salt and the file's name in ``info``: a file cannot be passed off as another. The
nonce of a chunk is its number (11 bytes, big-endian) and a byte that is 1 for the last: chunks cannot
change places, and what was cut short lacks its end. It is the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizar, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (2015).
"""

from __future__ import annotations

import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
CHUNK_BYTES = 65_536
MAGIC = b"frontdesk seal 1"
_SALT_BYTES = 16
_HEADER_BYTES = len(MAGIC) + _SALT_BYTES
_TAG_BYTES = 16
_SEALED_BYTES = CHUNK_BYTES + _TAG_BYTES


class BadSeal(ValueError):
    """The file is none of ours, was sealed with another key or under another name, or was changed."""


class SealWriter:
    """Seals what it is given into *file*, which is empty; whoever opened it closes it."""

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._file = file
        self._cipher = _cipher(key, salt, name)
        self._count = 0
        self._rest = b""
        _write_whole(file, MAGIC + salt)

    def write(self, data: bytes) -> None:
        """Write *data*, as far as it makes whole chunks: the rest is kept for the next.

        Raises:
            OSError: not all of it was taken.
        """
        data = self._rest + data
        whole = len(data) - len(data) % CHUNK_BYTES
        for place in range(0, whole, CHUNK_BYTES):
            self._seal(data[place : place + CHUNK_BYTES], is_last=False)
        self._rest = data[whole:]

    def finish(self) -> None:
        """Write what is left, as the end.

        Raises:
            OSError: not all of it was taken.
        """
        self._seal(self._rest, is_last=True)
        self._rest = b""

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._count, is_last=is_last), chunk, None)
        _write_whole(self._file, sealed)
        self._count += 1


class SealReader:
    """Reads what was sealed into *file*, from any place on.

    ``size`` is how much can be read. ``is_complete`` is false where the end is missing, or is not what was
    written: then all whole chunks can be read.

    Raises:
        BadSeal: it is none of ours, or was sealed with another key or under another name, as far as
            the beginning tells.
    """

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or not header.startswith(MAGIC):
            raise BadSeal("this is no sealed file")
        self._file = file
        self._cipher = _cipher(key, header[len(MAGIC) :], name)
        self._chunks, rest = divmod(file.seek(0, os.SEEK_END) - _HEADER_BYTES, _SEALED_BYTES)
        self._last = self._opened_end(rest)
        # Of the chunk that was read last: readers go on where they were.
        self._number, self._chunk = -1, b""
        self.is_complete = self._last is not None
        self.size = self._chunks * CHUNK_BYTES + len(self._last or b"")
        if self._chunks:
            self._open(0)

    def read(self, place: int, count: int) -> bytes:
        """*count* bytes from *place* on, or fewer: as many as the chunk there has; none at the end.

        Raises:
            BadSeal: what is there was changed.
        """
        number, skipped = divmod(place, CHUNK_BYTES)
        if number == self._chunks:
            return (self._last or b"")[skipped : skipped + count]
        if number > self._chunks:
            return b""
        if number != self._number:
            self._open(number)
        return self._chunk[skipped : skipped + count]

    def _open(self, number: int) -> None:
        self._file.seek(_HEADER_BYTES + number * _SEALED_BYTES)
        try:
            sealed = self._file.read(_SEALED_BYTES)
            self._chunk = self._cipher.decrypt(_nonce(number, is_last=False), sealed, None)
        except InvalidTag:
            raise BadSeal("this chunk was changed, or the key is another") from None
        self._number = number

    def _opened_end(self, length: int) -> bytes | None:
        """What the last chunk holds; None where it is missing or torn."""
        self._file.seek(_HEADER_BYTES + self._chunks * _SEALED_BYTES)
        try:
            return self._cipher.decrypt(_nonce(self._chunks, is_last=True), self._file.read(length), None)
        except InvalidTag:
            return None


def _cipher(key: bytes, salt: bytes, name: str) -> AESGCM:
    derived = HKDF(SHA256(), KEY_BYTES, salt=salt, info=MAGIC + name.encode()).derive(key)
    return AESGCM(derived)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _write_whole(file: BinaryIO, data: bytes) -> None:
    # A file without a buffer may take less than all, as when the disk is full.
    written = file.write(data)
    if written != len(data):
        raise OSError("the disk has not taken all of it")

"""Voice messages as WhatsApp has them: one stream of Opus in an Ogg file. Pure; nothing is decoded.

Sources: RFC 3533 (Ogg), RFC 7845 (Opus in Ogg).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Positions in the stream are always in samples of this rate.
_TICKS_PER_S = 48_000
# Capture pattern, version, flags, position, serial number, sequence number, checksum, segments.
_HEAD = struct.Struct("<4sBBqIIIB")
_CHECKSUM_AT = 22
# "OpusHead", version, channels, samples to skip, rate of the recording.
_OPUS_HEAD = struct.Struct("<8sBBHI")
_CONTINUED, _LAST = 0x01, 0x04
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class NotOpus(ValueError):
    """It is no Ogg file with one stream of Opus, or it is damaged."""


@dataclass(frozen=True, slots=True)
class _Page:
    flags: int
    position: int
    serial: int
    table: bytes
    body: bytes

    @property
    def ends_a_packet(self) -> bool:
        return any(length < 255 for length in self.table)

    def encoded(self, number: int, position: int, flags: int) -> bytes:
        head = _HEAD.pack(b"OggS", 0, flags, position, self.serial, number, 0, len(self.table))
        page = bytearray(head + self.table + self.body)
        struct.pack_into("<I", page, _CHECKSUM_AT, _checksum(bytes(page)))
        return bytes(page)


class Recording:
    """A recording that was read.

    Raises:
        NotOpus: on the making, if *data* is something else, whatever it is called.
    """

    def __init__(self, data: bytes) -> None:
        pages = list(_pages(data))
        if not pages or len(pages[0].body) < _OPUS_HEAD.size:
            raise NotOpus("no pages of Ogg")
        name, _, channels, skipped, rate_hz = _OPUS_HEAD.unpack_from(pages[0].body)
        if name != b"OpusHead" or not channels:
            raise NotOpus("another codec")
        if any(page.serial != pages[0].serial for page in pages):
            raise NotOpus("several streams")
        first = next((place for place, page in enumerate(pages[1:], 1) if page.ends_a_packet), 0) + 1
        self._headers, self._audio = pages[:first], [page for page in pages[first:] if page.position >= 0]
        if any(page.position < before.position for before, page in pairwise(self._audio)):
            raise NotOpus("its time runs backwards")
        self.rate_hz: int = rate_hz
        self._skipped: int = skipped
        self._data = data

    @property
    def seconds(self) -> float:
        """How long it is, as the file itself says."""
        last = max((page.position for page in self._audio), default=0)
        return max(0, last - self._skipped) / _TICKS_PER_S

    def parts(self, longest_s: float) -> Sequence[bytes]:
        """The recording as files of *longest_s* each at most, where its pages are no longer than that."""
        if self.seconds <= longest_s:
            return [self._data]
        parts: list[list[_Page]] = []
        begin = 0
        end = 0
        for page in self._audio:
            is_long = page.position - begin > longest_s * _TICKS_PER_S
            if not parts or (is_long and not page.flags & _CONTINUED):
                parts.append([])
                begin = end
            parts[-1].append(page)
            end = page.position
        return list(self._files(parts))

    def _files(self, parts: Sequence[Sequence[_Page]]) -> Iterator[bytes]:
        begin = 0
        for part in parts:
            pages = [
                page.encoded(number, page.position, page.flags) for number, page in enumerate(self._headers)
            ]
            for number, page in enumerate(part, len(self._headers)):
                flags = page.flags | _LAST if page is part[-1] else page.flags & ~_LAST
                pages.append(page.encoded(number, max(0, page.position - begin), flags))
            begin = part[-1].position
            yield b"".join(pages)


def _pages(data: bytes) -> Iterator[_Page]:
    place = 0
    while place < len(data):
        if len(data) - place < _HEAD.size:
            raise NotOpus("a page is cut off")
        pattern, version, flags, position, serial, _, _, segments = _HEAD.unpack_from(data, place)
        if pattern != b"OggS" or version != 0:
            raise NotOpus("no pages of Ogg")
        body_at = place + _HEAD.size + segments
        table = data[place + _HEAD.size : body_at]
        place = body_at + sum(table)
        if len(table) < segments or place > len(data):
            raise NotOpus("a page is cut off")
        yield _Page(flags, position, serial, table, data[body_at:place])


def _checksum(page: bytes) -> int:
    """Ogg's: zlib's polynomial, with the bits of everything the other way round."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)

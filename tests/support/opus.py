"""Voice messages as files: right in every field of Ogg, with noise in place of Opus packets."""

from __future__ import annotations

import struct
from random import Random

_POLYNOMIAL = 0x04C11DB7


def a_recording(
    seconds: float = 2.0, *, rate_hz: int = 16_000, seed: int = 0, codec: bytes = b"OpusHead"
) -> bytes:
    """An Ogg file of that length, with a page for each second; another seed makes another recording."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    skipped = 312
    head = codec + struct.pack("<BBHIhB", 1, 1, skipped, rate_hz, 0, 0)
    tags = b"OpusTags" + struct.pack("<I4sI", 4, b"test", 0)
    pages = [a_page(0, 0, head, flags=0x02), a_page(1, 0, tags)]
    whole = int(seconds)
    for number in range(whole + 1):
        position = skipped + round(min(number + 1, seconds) * 48_000)
        is_last = number == whole
        pages.append(a_page(number + 2, position, random.randbytes(200), flags=0x04 if is_last else 0))
    return b"".join(pages)


def a_page(number: int, position: int, packet: bytes, *, flags: int = 0, serial: int = 7) -> bytes:
    """One page with one packet of less than 255 bytes."""
    head = struct.pack("<4sBBqIIIBB", b"OggS", 0, flags, position, serial, number, 0, 1, len(packet))
    page = head + packet
    return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


def checksum(page: bytes) -> int:
    """Ogg's, bit by bit as RFC 3533 has it; the page's own field must be zero."""
    remainder = 0
    for byte in page:
        remainder ^= byte << 24
        for _ in range(8):
            remainder = (remainder << 1) ^ (_POLYNOMIAL if remainder & 0x80000000 else 0)
            remainder &= 0xFFFFFFFF
    return remainder

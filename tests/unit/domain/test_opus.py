"""A recording is measured and cut into parts without being decoded; whatever else comes is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.opus import NotOpus, Recording
from tests.support.opus import a_page, a_recording, checksum


def pages_of(data: bytes) -> list[bytes]:
    """The file's pages, read in another way than the code does: each begins with its mark."""
    return [b"OggS" + rest for rest in data.split(b"OggS")[1:]]


@pytest.mark.parametrize("seconds", [0.5, 2.0, 61.3, 250.0])
def test_its_length_is_what_the_file_says(seconds: float) -> None:
    assert Recording(a_recording(seconds)).seconds == pytest.approx(seconds)


def test_its_rate_is_what_the_file_says() -> None:
    assert Recording(a_recording(rate_hz=24_000)).rate_hz == 24_000


def test_a_short_recording_is_one_part_as_it_came() -> None:
    data = a_recording(55)
    assert Recording(data).parts(55) == [data]


def test_a_long_recording_is_cut_into_parts_that_are_whole_files() -> None:
    parts = [Recording(part) for part in Recording(a_recording(130)).parts(55)]
    assert len(parts) == 3
    assert all(part.seconds <= 55 for part in parts)
    assert sum(part.seconds for part in parts) == pytest.approx(130, abs=0.05)
    assert {part.rate_hz for part in parts} == {16_000}


def test_every_page_of_a_part_has_its_number_and_a_right_checksum() -> None:
    for part in Recording(a_recording(70)).parts(30):
        pages = pages_of(part)
        assert [struct.unpack_from("<I", page, 18)[0] for page in pages] == list(range(len(pages)))
        for page in pages:
            assert struct.unpack_from("<I", page, 22)[0] == checksum(page[:22] + bytes(4) + page[26:])
        assert [page[5] & 0x04 for page in pages] == [0] * (len(pages) - 1) + [0x04]


def test_no_packet_is_lost_or_moved_by_cutting() -> None:
    data = a_recording(100)
    cut = [page[28:] for part in Recording(data).parts(30) for page in pages_of(part)[2:]]
    assert cut == [page[28:] for page in pages_of(data)[2:]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ID3\x04 a song",
        b"RIFF\x00\x00\x00\x00WAVE",
        a_recording()[:-1],
        a_recording(codec=b"Speex   "),
        a_recording() + a_page(0, 0, b"OpusHead", serial=8),
        a_recording() + b"a tail",
        a_recording() + a_page(9, 48_000, b"x"),
    ],
    ids=["nothing", "mp3", "wav", "cut off", "another codec", "two streams", "a tail", "back in time"],
)
def test_what_is_no_voice_message_is_refused(data: bytes) -> None:
    with pytest.raises(NotOpus):
        Recording(data)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fall(data: bytes) -> None:
    with pytest.raises(NotOpus):
        Recording(b"OggS" + data[:20])
    try:
        Recording(a_recording(1)[:60] + data)
    except NotOpus:
        return


@given(st.lists(st.integers(min_value=0, max_value=300 * 48_000), max_size=60))
def test_no_positions_make_many_parts(positions: list[int]) -> None:
    head = a_recording(1)[: len(b"".join(pages_of(a_recording(1))[:2]))]
    pages = [a_page(number, position, b"x") for number, position in enumerate(sorted(positions), 2)]
    assert len(Recording(head + b"".join(pages)).parts(55)) <= 13

"""What is sealed is read as it was written, by its key and under its name alone, or not at all."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.recordings_seal import CHUNK_BYTES, MAGIC, BadSeal, SealReader, SealWriter

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
NAME = "1/a"
HEADER = len(MAGIC) + 16
SEALED = CHUNK_BYTES + 16

# Around what a chunk holds is where framing goes wrong.
SIZES = st.one_of(
    st.integers(0, 100),
    st.integers(0, 3 * CHUNK_BYTES),
    st.builds(lambda count, off: max(0, count * CHUNK_BYTES + off), st.integers(0, 3), st.integers(-2, 2)),
)


def sample(size: int) -> bytes:
    """Bytes of which no two chunks are the same."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def sealed(data: bytes, *, is_finished: bool = True, key: bytes = KEY, name: str = NAME) -> bytes:
    file = io.BytesIO()
    writer = SealWriter(file, key, name)
    writer.write(data)
    if is_finished:
        writer.finish()
    return file.getvalue()


def read(content: bytes, *, key: bytes = KEY, name: str = NAME) -> tuple[bytes, bool]:
    """All of it, and whether it is complete.

    Raises:
        BadSeal: it cannot be read.
    """
    reader = SealReader(io.BytesIO(content), key, name)
    found = b""
    while piece := reader.read(len(found), CHUNK_BYTES):
        found += piece
    assert len(found) == reader.size
    return found, reader.is_complete


@given(SIZES)
def test_what_was_written_is_read(size: int) -> None:
    data = sample(size)
    assert read(sealed(data)) == (data, True)


@given(st.lists(SIZES, max_size=5))
def test_it_does_not_matter_in_what_pieces_it_was_written(sizes: list[int]) -> None:
    file = io.BytesIO()
    writer = SealWriter(file, KEY, NAME)
    for size in sizes:
        writer.write(sample(size))
    writer.finish()
    assert read(file.getvalue()) == (b"".join(sample(size) for size in sizes), True)


@given(SIZES, st.data())
def test_it_is_read_from_any_place_on(size: int, draw: st.DataObject) -> None:
    data = sample(size)
    place = draw.draw(st.integers(0, size + 10))
    count = draw.draw(st.integers(1, CHUNK_BYTES))
    piece = SealReader(io.BytesIO(sealed(data)), KEY, NAME).read(place, count)
    assert data[place : place + count].startswith(piece)
    assert piece or place >= size


@given(st.integers(1, 2 * CHUNK_BYTES), st.data())
def test_a_byte_that_was_changed_is_noticed(size: int, draw: st.DataObject) -> None:
    data, content = sample(size), bytearray(sealed(sample(size)))
    place = draw.draw(st.integers(0, len(content) - 1))
    content[place] ^= draw.draw(st.integers(1, 255))
    try:
        found, is_complete = read(bytes(content))
    except BadSeal:
        return
    # The end alone may be what a crash has torn: then it is missing, and known to be.
    assert not is_complete
    assert found == data[: size - size % CHUNK_BYTES]


@given(SIZES, st.data())
def test_what_was_cut_short_is_read_as_far_as_it_goes_and_known_to_be(size: int, draw: st.DataObject) -> None:
    data, content = sample(size), sealed(sample(size))
    left = draw.draw(st.integers(HEADER, len(content) - 1))
    found, is_complete = read(content[:left])
    assert not is_complete
    assert found == data[: (left - HEADER) // SEALED * CHUNK_BYTES]


@given(st.permutations(range(3)))
def test_chunks_cannot_change_places(order: list[int]) -> None:
    content = sealed(sample(3 * CHUNK_BYTES))
    chunks = [content[HEADER + number * SEALED :][:SEALED] for number in order]
    shuffled = content[:HEADER] + b"".join(chunks) + content[HEADER + 3 * SEALED :]
    if order == [0, 1, 2]:
        assert read(shuffled)[1]
    else:
        with pytest.raises(BadSeal):
            read(shuffled)


def test_a_chunk_cannot_be_left_out_or_put_in_from_elsewhere() -> None:
    content, other = sealed(sample(2 * CHUNK_BYTES)), sealed(sample(2 * CHUNK_BYTES))
    with pytest.raises(BadSeal):
        read(content[:HEADER] + content[HEADER + SEALED :])
    with pytest.raises(BadSeal):
        read(content[: HEADER + SEALED] + other[HEADER + SEALED :])


def test_what_broke_off_is_read_up_to_its_last_whole_chunk() -> None:
    data = sample(2 * CHUNK_BYTES + 100)
    assert read(sealed(data, is_finished=False)) == (data[: 2 * CHUNK_BYTES], False)


@pytest.mark.parametrize("size", [CHUNK_BYTES, 3 * CHUNK_BYTES + 7])
def test_another_key_or_another_name_reads_nothing(size: int) -> None:
    content = sealed(sample(size))
    with pytest.raises(BadSeal):
        SealReader(io.BytesIO(content), OTHER_KEY, NAME)
    with pytest.raises(BadSeal):
        SealReader(io.BytesIO(content), KEY, "2/a")


@pytest.mark.parametrize("content", [b"", MAGIC, b"RIFF" + bytes(100)])
def test_a_file_of_others_is_refused(content: bytes) -> None:
    with pytest.raises(BadSeal):
        SealReader(io.BytesIO(content), KEY, NAME)


def test_the_same_is_never_sealed_the_same_way_twice() -> None:
    first, second = sealed(bytes(100)), sealed(bytes(100))
    assert first[HEADER:] != second[HEADER:]
    assert bytes(8) not in first


def test_a_disk_that_takes_half_is_noticed() -> None:
    class Full(io.BytesIO):
        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            return super().write(data[:100])

    writer = SealWriter(Full(), KEY, NAME)
    with pytest.raises(OSError, match="not taken"):
        writer.write(bytes(CHUNK_BYTES))

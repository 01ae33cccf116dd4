"""What of a call's audio is kept to be heard again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.audio_tape import AudioTape


def test_audio_is_read_from_any_place_on() -> None:
    tape = AudioTape(100)
    tape.append(b"abc")
    tape.append(b"def")
    assert tape.read(2, 3) == b"cde"
    assert tape.read(6, 3) == b""


def test_what_is_forgotten_is_gone_and_the_rest_keeps_its_place() -> None:
    tape = AudioTape(100)
    tape.append(b"abcdef")
    tape.forget(4)
    assert (tape.begin, tape.end, tape.read(4, 9)) == (4, 6, b"ef")
    with pytest.raises(LookupError):
        tape.read(3, 1)


def test_the_oldest_is_lost_first() -> None:
    tape = AudioTape(4)
    tape.append(b"abcdef")
    assert tape.read(tape.begin, 9) == b"cdef"


def test_what_is_to_come_cannot_be_forgotten() -> None:
    tape = AudioTape(100)
    tape.append(b"ab")
    tape.forget(50)
    tape.forget(1)
    assert (tape.begin, tape.end) == (2, 2)


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.sampled_from(["append", "forget"]), st.integers(0, 40)), max_size=30),
)
def test_what_is_held_is_the_end_of_what_came(keep: int, steps: list[tuple[str, int]]) -> None:
    tape, came = AudioTape(keep), b""
    for what, amount in steps:
        if what == "append":
            piece = bytes((len(came) + place) % 256 for place in range(amount))
            came += piece
            tape.append(piece)
        else:
            tape.forget(amount)
        assert tape.end == len(came)
        assert tape.end - tape.begin <= keep
        assert tape.read(tape.begin, len(came) + 1) == came[tape.begin :]

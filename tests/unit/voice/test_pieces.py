"""Frames put together for the recogniser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.voice.mulaw import FRAME_BYTES
from server.voice.pieces import Pieces

LOUD = b"\x80" * FRAME_BYTES
QUIET = b"\xff" * FRAME_BYTES


def lengths(pieces: Pieces, frames: list[bytes]) -> list[int]:
    """How many frames each step sends."""
    return [len(pieces.take(frame)) // FRAME_BYTES for frame in frames]


def test_silence_goes_five_frames_at_a_time() -> None:
    assert lengths(Pieces(), [QUIET] * 10) == [0, 0, 0, 0, 5, 0, 0, 0, 0, 5]


def test_the_first_sound_takes_along_the_silence_before_it_at_once() -> None:
    assert lengths(Pieces(), [QUIET, QUIET, LOUD]) == [0, 0, 3]


def test_a_voice_goes_two_frames_at_a_time() -> None:
    assert lengths(Pieces(), [LOUD] * 5) == [1, 0, 2, 0, 2]


def test_the_first_quiet_frame_after_a_voice_is_sent_at_once() -> None:
    pieces = Pieces()
    assert lengths(pieces, [LOUD, LOUD, QUIET]) == [1, 0, 2]


def test_for_a_while_after_a_voice_silence_goes_two_frames_at_a_time() -> None:
    pieces = Pieces()
    assert lengths(pieces, [LOUD]) == [1]
    sent = lengths(pieces, [QUIET] * 40)
    assert sent[0] == 1
    assert set(sent[1:29]) == {0, 2}
    assert set(sent[31:]) == {0, 5}


@given(st.lists(st.tuples(st.sampled_from([LOUD, QUIET]), st.integers(1, 20)), max_size=12))
def test_whatever_comes_is_sent_in_order_and_all_but_the_last_tenth_of_a_second_of_it(
    runs: list[tuple[bytes, int]],
) -> None:
    pieces = Pieces()
    frames = [frame for frame, times in runs for _ in range(times)]
    sent = b"".join(pieces.take(frame) for frame in frames)
    came = b"".join(frames)
    assert came.startswith(sent)
    assert len(came) - len(sent) < 5 * FRAME_BYTES


def test_noise_of_the_line_is_silence() -> None:
    noise = bytes([0xFF, 0x7F, 0xFB, 0x7B] * (FRAME_BYTES // 4))
    assert lengths(Pieces(), [noise] * 5) == [0, 0, 0, 0, 5]

"""A line is known by its silence, wherever a listener begins to hear it, and the silence has no sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.google_speech_hearing import is_loud
from simulators.google_tts_audio import speech
from simulators.line_tone import FRAME, LINES, line_of, quiet_frame
from simulators.twilio import mulaw


@given(st.sampled_from(LINES), st.integers(0, FRAME - 1))
def test_a_line_is_known_from_any_place_in_its_silence(line: int, place: int) -> None:
    silence = quiet_frame(line) * 3
    assert line_of(silence[place:]) == line


@given(st.sampled_from(LINES))
def test_the_silence_of_a_line_has_no_sound(line: int) -> None:
    frame = quiet_frame(line)
    assert not mulaw.decode(frame).any()
    assert not mulaw.is_loud(frame)
    assert not is_loud(frame)


def test_neither_plain_silence_nor_a_voice_is_taken_for_a_line() -> None:
    assert line_of(b"\xff" * 10 * FRAME) is None
    assert line_of(speech("Is there parking?")) is None
    assert line_of(b"") is None


def test_a_line_is_known_by_the_first_whole_frame_of_it_after_a_voice() -> None:
    assert line_of(speech("Hello.") + quiet_frame(7) * 2) == 7


@pytest.mark.parametrize("line", [0, LINES.stop])
def test_a_line_that_there_is_not_is_refused(line: int) -> None:
    with pytest.raises(ValueError, match="lines go from 1 to"):
        quiet_frame(line)

"""The log holds what the caller heard, not what was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.voice.heard import Interrupted, Playback

SECOND = 8_000


def speak(playback: Playback, text: str, seconds: float, now: float) -> str:
    """Send *text* as audio so long, all at once."""
    mark = playback.begin(text)
    playback.sent(mark, round(seconds * SECOND), now)
    playback.end(mark)
    return mark


def test_a_sentence_whose_mark_came_back_was_heard() -> None:
    playback = Playback()
    mark = speak(playback, "Breakfast is at seven.", 2, now=10)
    assert playback.reached(mark, now=12.1) == "Breakfast is at seven."
    assert playback.heard(now=12.1) == "Breakfast is at seven."
    assert not playback.waits_for_marks


@pytest.mark.parametrize(
    ("now", "heard"),
    [
        (10, ""),
        (10.2, ""),
        (11, "one two"),
        (11.9, "one two three"),
        (12, "one two three four"),
        (99, "one two three four"),
    ],
)
def test_of_the_sentence_being_played_whole_words_count(now: float, heard: str) -> None:
    playback = Playback()
    speak(playback, "one two three four", 2, now=10)
    assert playback.heard(now) == heard


def test_what_was_sent_ahead_was_not_heard() -> None:
    playback = Playback()
    speak(playback, "First one.", 2, now=10)
    speak(playback, "Second one.", 2, now=10.1)
    assert playback.heard(11.95) == "First"
    assert playback.heard(13.3) == "First one. Second"
    assert playback.quiet_at(11) == 14
    assert playback.is_playing(13.9)
    assert not playback.is_playing(14)


def test_a_mark_tells_better_than_the_clock_when_the_next_sentence_began() -> None:
    playback = Playback()
    first = speak(playback, "First one.", 2, now=10)
    speak(playback, "Second one.", 2, now=10.1)
    playback.reached(first, now=13)
    assert playback.heard(13.1) == "First one."
    assert playback.quiet_at(13.1) == 15


def test_after_a_clear_marks_come_back_as_if_played_and_are_not_believed() -> None:
    playback = Playback()
    first, second = speak(playback, "First one.", 2, now=10), speak(playback, "Second one.", 2, now=10)
    assert playback.clear(now=11.5) == Interrupted("First", ("one.", "Second one."))
    assert playback.reached(first, now=11.6) is None
    assert playback.reached(second, now=11.6) is None
    assert playback.heard(now=20) == "First"
    assert not playback.waits_for_marks


def test_audio_that_was_under_way_at_the_clear_counts_for_nothing() -> None:
    playback = Playback()
    mark = playback.begin("First one.")
    playback.clear(now=11)
    playback.sent(mark, SECOND, now=11.1)
    playback.end(mark)
    assert playback.heard(now=20) == ""
    assert playback.quiet_at(now=20) == 20


def test_while_audio_still_comes_what_has_come_is_not_the_whole_sentence() -> None:
    playback = Playback()
    mark = playback.begin("one two three four five six")
    playback.sent(mark, SECOND // 2, now=10)
    assert playback.heard(now=20) == "one two"


def test_how_fast_the_voice_speaks_is_learnt() -> None:
    playback = Playback()
    playback.reached(speak(playback, "ten letter", 4, now=0), now=4)
    mark = playback.begin("one two three four five six")
    playback.sent(mark, 2 * SECOND, now=5)
    assert playback.heard(now=20) == "ten letter one"


def test_a_lost_mark_does_not_hold_up_those_after_it() -> None:
    playback = Playback()
    speak(playback, "First one.", 2, now=10)
    second = speak(playback, "Second one.", 2, now=10)
    assert playback.reached(second, now=14) == "Second one."
    assert playback.heard(now=14) == "First one. Second one."


def test_a_mark_that_nobody_set_is_none() -> None:
    playback = Playback()
    assert playback.reached("s1", now=1) is None


def test_the_next_answer_begins_with_nothing_heard() -> None:
    playback = Playback()
    playback.reached(speak(playback, "First one.", 2, now=10), now=12)
    playback.forget()
    speak(playback, "Second one.", 2, now=12)
    assert playback.heard(now=13.5) == "Second"


@given(
    st.lists(st.tuples(st.text("ab שc", min_size=1, max_size=30), st.floats(0.01, 3)), max_size=5),
    st.floats(0, 20),
    st.floats(0, 20),
)
def test_more_is_heard_as_time_goes_by_and_nothing_is_lost_at_a_clear(
    said: list[tuple[str, float]], early: float, late: float
) -> None:
    early, late = sorted((early, late))
    playback = Playback()
    for text, seconds in said:
        speak(playback, text, seconds, now=0)
    assert playback.heard(late).startswith(playback.heard(early))
    interrupted = playback.clear(early)
    assert interrupted.heard == playback.heard(late)
    everything = "".join(text for text, _ in said)
    assert "".join([interrupted.heard, *interrupted.unheard]).replace(" ", "") == everything.replace(" ", "")

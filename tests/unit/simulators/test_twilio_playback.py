"""What the caller hears, by the clock: audio in order at real time, marks when due, clear at once."""

from __future__ import annotations

import pytest

from simulators.twilio import mulaw
from simulators.twilio.playback import Playback
from simulators.twilio.spells import Spell, Spells, Track, gaps

LOUD = b"\x10" * mulaw.FRAME_BYTES
QUIET = mulaw.QUIET_FRAME


def second_of(frame: bytes) -> bytes:
    return frame * 50


def test_audio_plays_from_its_arrival_one_after_another() -> None:
    playback = Playback()
    assert playback.play(second_of(LOUD), now=10.0) == 11.0
    assert playback.play(second_of(LOUD), now=10.2) == 12.0
    assert [arrival.plays_at for arrival in playback.arrivals] == [10.0, 11.0]


def test_audio_after_a_pause_plays_at_once() -> None:
    playback = Playback()
    playback.play(second_of(LOUD), now=0.0)
    assert playback.play(LOUD, now=5.0) == 5.02


def test_a_mark_is_due_when_the_audio_before_it_has_been_played() -> None:
    playback = Playback()
    playback.play(second_of(LOUD), now=0.0)
    playback.mark("first", now=0.1)
    playback.play(second_of(LOUD), now=0.2)
    playback.mark("second", now=0.3)
    assert playback.next_mark == 1.0
    assert playback.reached(0.999) == []
    assert playback.reached(1.0) == ["first"]
    assert playback.next_mark == 2.0
    assert playback.reached(3.0) == ["second"]
    assert playback.next_mark is None


def test_a_mark_without_audio_before_it_is_due_at_once() -> None:
    playback = Playback()
    playback.mark("now", now=4.0)
    assert playback.reached(4.0) == ["now"]


def test_audio_sent_behind_a_mark_does_not_delay_it() -> None:
    playback = Playback()
    playback.play(LOUD, now=0.0)
    playback.mark("mark", now=0.0)
    playback.play(second_of(LOUD), now=0.0)
    assert playback.reached(0.02) == ["mark"]


def test_a_clear_silences_at_once_and_gives_back_all_pending_marks() -> None:
    playback = Playback()
    playback.play(second_of(LOUD), now=0.0)
    playback.mark("a", now=0.0)
    playback.play(second_of(LOUD), now=0.0)
    playback.mark("b", now=0.0)
    assert playback.clear(0.4) == ["a", "b"]
    assert playback.next_mark is None
    assert playback.loud.first_after(0.4) is None
    assert playback.loud.last_end(9.0) == 0.4
    heard = playback.render(1.0)
    assert heard == LOUD * 20 + QUIET * 30


def test_audio_after_a_clear_plays_from_its_own_arrival() -> None:
    playback = Playback()
    playback.play(second_of(LOUD), now=0.0)
    playback.clear(0.1)
    assert playback.play(LOUD, now=0.5) == 0.52
    assert playback.loud.first_after(0.1) == 0.5


def test_quiet_audio_is_played_but_not_heard() -> None:
    playback = Playback()
    playback.play(second_of(QUIET) + LOUD, now=0.0)
    assert playback.loud.first_after(0.0) == 1.0
    assert playback.arrivals[0].is_loud


def test_sound_adds_up_over_pauses() -> None:
    spells = Spells()
    spells.add(0.0, LOUD * 10)
    spells.add(1.0, LOUD * 10)
    assert spells.reaches(0.1, since=0.0) == pytest.approx(0.1)
    assert spells.reaches(0.3, since=0.0) == pytest.approx(1.1)
    assert spells.reaches(0.5, since=0.0) is None
    assert spells.reaches(0.1, since=1.05) == pytest.approx(1.15)


def test_silence_begins_where_nothing_follows_for_long_enough() -> None:
    spells = Spells()
    spells.add(0.0, LOUD * 10)
    spells.add(0.5, LOUD * 10)
    assert spells.quiet_from(0.0, for_s=0.25) == pytest.approx(0.2)
    assert spells.quiet_from(0.0, for_s=0.4) == pytest.approx(0.7)
    assert spells.quiet_from(3.0, for_s=0.4) == 3.0


def test_a_cut_in_the_middle_of_a_sound_ends_it_there() -> None:
    spells = Spells()
    spells.add(0.0, LOUD * 10)
    spells.add(1.0, LOUD * 10)
    spells.cut(0.1)
    assert list(spells) == [Spell(0.0, 0.1)]


def test_gaps_are_what_no_side_fills() -> None:
    caller, desk = [Spell(0.0, 1.0)], [Spell(4.0, 5.0), Spell(0.5, 2.0)]
    assert gaps(caller + desk, since=0.0, until=9.0, longer_than_s=1.5) == [Spell(2.0, 4.0), Spell(5.0, 9.0)]
    assert gaps([], since=1.0, until=2.0, longer_than_s=1.5) == []
    assert gaps([Spell(8.0, 12.0)], since=0.0, until=9.0, longer_than_s=1.5) == [Spell(0.0, 8.0)]


def test_a_track_is_silent_where_nothing_was_put() -> None:
    track = Track()
    track.put(0.02, LOUD)
    track.put(0.06, LOUD)
    assert track.render(0.08) == QUIET + LOUD + QUIET + LOUD
    assert track.render(0.03) == QUIET + LOUD[:80]
    track.cut(0.03)
    assert track.render(0.08) == QUIET + LOUD[:80] + QUIET[:80] + QUIET * 2

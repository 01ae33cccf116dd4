"""A handset in a browser: its frames come unevenly, its marks when it says so."""

from __future__ import annotations

from simulators.twilio import mulaw
from simulators.twilio.talk_handset import OpenMicrophone, SoundedPlayback

SECOND = b"\x10" * 8000


def frame_of(number: int) -> bytes:
    return bytes([number]) * mulaw.FRAME_BYTES


class Loudspeaker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def sound(self, audio: bytes) -> None:
        self.told.append(len(audio))

    def mark(self, number: int) -> None:
        self.told.append(("mark", number))

    def clear(self) -> None:
        self.told.append("clear")


def taken(microphone: OpenMicrophone, count: int) -> list[int]:
    """The first byte of each of the next frames."""
    return [microphone.frame(number * mulaw.FRAME_S)[0][0] for number in range(count)]


def test_a_microphone_that_gives_nothing_is_silent() -> None:
    assert taken(OpenMicrophone(), 3) == [mulaw.SILENCE] * 3


def test_frames_leave_in_order_once_there_is_one_in_hand() -> None:
    microphone = OpenMicrophone()
    microphone.put(frame_of(1))
    assert taken(microphone, 1) == [mulaw.SILENCE]
    microphone.put(frame_of(2))
    microphone.put(frame_of(3))
    assert taken(microphone, 4) == [1, 2, 3, mulaw.SILENCE]


def test_what_came_too_fast_loses_its_oldest() -> None:
    microphone = OpenMicrophone()
    for number in range(1, 10):
        microphone.put(frame_of(number))
    assert taken(microphone, 3) == [8, 9, mulaw.SILENCE]


def test_what_the_caller_is_made_to_say_goes_before_the_microphone() -> None:
    microphone = OpenMicrophone()
    microphone.utter(frame_of(50) * 2, "words")
    for number in (1, 2, 3):
        microphone.put(frame_of(number))
    assert taken(microphone, 4) == [50, 50, 2, 3]


def test_a_mark_is_reached_when_the_loudspeaker_says_so_whatever_the_time() -> None:
    playback = SoundedPlayback(Loudspeaker())
    playback.play(SECOND, 0.0)
    playback.mark("one", 0.0)
    playback.mark("two", 0.0)
    assert playback.reached(10.0) == []
    playback.played(1)
    assert playback.reached(10.0) == ["one"]
    playback.played(2)
    assert playback.reached(10.0) == ["two"]


def test_a_mark_that_was_cleared_is_not_reached_and_counts_for_no_other() -> None:
    loudspeaker = Loudspeaker()
    playback = SoundedPlayback(loudspeaker)
    playback.play(SECOND, 0.0)
    playback.mark("cleared", 0.0)
    assert playback.clear(0.5) == ["cleared"]
    playback.mark("later", 0.5)
    playback.played(1)
    assert playback.reached(1.0) == []
    playback.played(2)
    assert playback.reached(1.0) == ["later"]
    assert "clear" in loudspeaker.told


def test_a_verb_that_has_played_to_its_end_lets_the_loudspeaker_finish() -> None:
    loudspeaker = Loudspeaker()
    playback = SoundedPlayback(loudspeaker)
    playback.stop(playback.play(SECOND, 0.0) - 0.0004)
    assert loudspeaker.told == [len(SECOND)]
    playback.play(SECOND, 2.0)
    playback.stop(2.5)
    assert loudspeaker.told[-1] == "clear"

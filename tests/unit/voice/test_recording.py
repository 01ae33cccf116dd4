"""A recording has both sides on one time line, the desk as far as it was heard, and is not kept in memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.voice.recording import BLOCK_SAMPLES, Recording

SILENCE = b"\xff"
BEGAN = 1_000.0


def frame(fill: int) -> bytes:
    return bytes([fill]) * 160


def finished(recording: Recording, at_s: float) -> tuple[bytes, bytes]:
    """The caller's and the desk's channel of a recording that ends then."""
    both = recording.finish(BEGAN + at_s)
    return both[0::2], both[1::2]


def spells(channel: bytes, of: int) -> list[tuple[float, float]]:
    """Where *of* sounds, in seconds."""
    found: list[tuple[float, float]] = []
    places = [place for place, byte in enumerate(channel) if byte == of]
    for place in places:
        if found and found[-1][1] == place / 8_000:
            found[-1] = (found[-1][0], (place + 1) / 8_000)
        else:
            found.append((place / 8_000, (place + 1) / 8_000))
    return found


def test_both_sides_sound_when_they_did() -> None:
    recording = Recording(BEGAN)
    for number in range(50):
        recording.hear(frame(1), number * 20, BEGAN + number * 0.02)
    recording.say(b"\x02" * 800, BEGAN + 0.5)
    caller, desk = finished(recording, 1.0)
    assert spells(caller, 1) == [(0.0, 1.0)]
    assert spells(desk, 2) == [(0.5, 0.6)]
    assert len(caller) == len(desk) == 8_000


def test_what_was_lost_of_the_caller_is_silence() -> None:
    recording = Recording(BEGAN)
    for number in (0, 1, 4):
        recording.hear(frame(1), number * 20, BEGAN + 0.1)
    caller, _ = finished(recording, 0.1)
    assert spells(caller, 1) == [(0.0, 0.04), (0.08, 0.1)]
    assert caller[320:640] == SILENCE * 320


def test_frames_that_come_late_sound_when_they_were_said() -> None:
    recording = Recording(BEGAN)
    recording.hear(frame(1), 0, BEGAN)
    for number in range(1, 20):
        recording.hear(frame(1), number * 20, BEGAN + 1.0)
    caller, _ = finished(recording, 1.0)
    assert spells(caller, 1) == [(0.0, 0.4)]


def test_a_time_that_has_not_come_yet_is_not_believed() -> None:
    recording = Recording(BEGAN)
    recording.hear(frame(1), 10**14, BEGAN + 0.1)
    caller, _ = finished(recording, 0.12)
    assert spells(caller, 1) == [(0.1, 0.12)]


def test_what_is_sent_at_once_plays_in_its_order_and_time() -> None:
    recording = Recording(BEGAN)
    recording.say(b"\x02" * 1_600, BEGAN + 0.1)
    recording.say(b"\x03" * 1_600, BEGAN + 0.15)
    _, desk = finished(recording, 1.0)
    assert spells(desk, 2) == [(0.1, 0.3)]
    assert spells(desk, 3) == [(0.3, 0.5)]


def test_an_interruption_cuts_off_what_was_not_heard_yet() -> None:
    recording = Recording(BEGAN)
    recording.say(b"\x02" * 8_000, BEGAN)
    recording.say(b"\x03" * 8_000, BEGAN)
    recording.cut(BEGAN + 0.4)
    recording.say(b"\x04" * 800, BEGAN + 0.7)
    _, desk = finished(recording, 2.0)
    assert spells(desk, 2) == [(0.0, 0.4)]
    assert spells(desk, 3) == []
    assert spells(desk, 4) == [(0.7, 0.8)]


def test_an_interruption_after_all_was_heard_cuts_nothing() -> None:
    recording = Recording(BEGAN)
    recording.say(b"\x02" * 800, BEGAN)
    recording.cut(BEGAN + 0.4)
    assert spells(finished(recording, 1.0)[1], 2) == [(0.0, 0.1)]


def test_the_end_of_the_call_cuts_off_the_desk() -> None:
    recording = Recording(BEGAN)
    recording.say(b"\x02" * 8_000, BEGAN)
    caller, desk = finished(recording, 0.25)
    assert spells(desk, 2) == [(0.0, 0.25)]
    assert caller == SILENCE * 2_000


def test_a_block_is_given_out_once_the_caller_has_filled_it() -> None:
    recording = Recording(BEGAN)
    recording.say(b"\x02" * 8_000, BEGAN + 4.0)
    given_out: list[bytes] = []
    frames = BLOCK_SAMPLES // 160 + 1
    for number in range(frames):
        recording.hear(frame(1), number * 20, BEGAN + number * 0.02)
        given_out += recording.blocks()
    (block,) = given_out
    assert len(block) == 2 * BLOCK_SAMPLES
    assert set(block[0::2]) == {1}
    assert spells(block[1::2], 2) == [(4.0, BLOCK_SAMPLES / 8_000)]
    assert recording.seconds == BLOCK_SAMPLES / 8_000
    _, rest = finished(recording, frames * 0.02)
    assert spells(rest, 2)[0][0] == 0.0


def test_an_empty_call_has_an_empty_recording() -> None:
    assert Recording(BEGAN).finish(BEGAN) == b""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "say", "cut"]),
        st.floats(0, 3),
        st.integers(0, 20_000),
        st.integers(-500, 500),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_the_channels_stay_as_long_as_the_call(
    steps: list[tuple[str, float, int, int]],
) -> None:
    recording, now, kept = Recording(BEGAN), BEGAN, b""
    heard = 0
    for step, pause_s, size, skew_ms in steps:
        now += pause_s
        if step == "hear":
            recording.hear(b"\x01" * size, max(0, round(1_000 * (now - BEGAN)) + skew_ms), now)
            heard += size
        elif step == "say":
            recording.say(b"\x02" * size, now)
        else:
            recording.cut(now)
        kept += b"".join(recording.blocks())
    kept += recording.finish(now)
    caller, desk = kept[0::2], kept[1::2]
    assert len(caller) == len(desk) == round(8_000 * recording.seconds)
    # Nothing of the caller's is lost, and nothing of the desk's was heard before it could be.
    assert caller.count(1) == heard
    assert len(caller) <= round(8_000 * (now - BEGAN)) + heard

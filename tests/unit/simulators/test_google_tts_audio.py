"""The voice of the simulators."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.google_tts_audio import CHARACTER_MS, FRAME, RATE_HZ, Ear, mulaw, speech


@pytest.mark.parametrize("text", ["a", "Two beds, please.", "שלום לכם", "..."])
def test_a_text_is_as_long_as_its_characters_in_whole_frames(text: str) -> None:
    audio = speech(text)
    assert len(audio) == len(text) * CHARACTER_MS * RATE_HZ // 1000
    assert len(audio) % FRAME == 0


def test_the_same_text_sounds_the_same_and_another_does_not() -> None:
    speech.cache_clear()
    first = speech("Yes.")
    speech.cache_clear()
    assert speech("Yes.") == first
    assert not {first[:FRAME]} & {speech("Yes.", "another")[:FRAME], speech("Yes!")[:FRAME]}


@settings(max_examples=20)
@given(st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=4, unique=True))
def test_an_ear_knows_each_text_by_any_frame(texts: list[str]) -> None:
    ear = Ear(texts)
    for text in texts:
        audio = speech(text)
        assert {ear.find(audio[place : place + FRAME]) for place in range(0, len(audio), FRAME)} == {text}


def test_samples_become_the_codes_of_the_standard() -> None:
    samples = np.array([0, 1000, -1000, 32_767, -32_768], dtype=np.float64)
    assert list(mulaw(samples)) == [0xFF, 0xCE, 0x4E, 0x80, 0x00]

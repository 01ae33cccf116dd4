"""24 kHz of 16 bits becomes mu-law at 8 kHz: of its length, with what a telephone carries and no more."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.openai_tts_audio import SOURCE_RATE_HZ, Downsampler
from server.voice import mulaw

LOUD = 12_000


def a_tone(hertz: float, seconds: float = 0.2) -> bytes:
    places = np.arange(round(seconds * SOURCE_RATE_HZ)) / SOURCE_RATE_HZ
    return (np.sin(2 * np.pi * hertz * places) * LOUD).astype("<i2").tobytes()


def downsampled(pcm: bytes) -> bytes:
    downsampler = Downsampler()
    return downsampler.feed(pcm) + downsampler.finish()


@pytest.mark.parametrize("hertz", [200, 1_000, 3_000])
def test_what_a_telephone_carries_stays_as_it_is_and_where_it_is(hertz: float) -> None:
    heard = mulaw.decode(downsampled(a_tone(hertz))).astype(float)
    places = np.arange(len(heard)) / mulaw.SAMPLE_RATE_HZ
    meant = np.sin(2 * np.pi * hertz * places) * LOUD
    middle = slice(100, -100)
    # Mu-law itself is wrong by up to some 3 % of what is loud.
    assert np.abs(heard[middle] - meant[middle]).max() < 0.05 * LOUD


@pytest.mark.parametrize("hertz", [4_500, 6_000, 11_000])
def test_what_a_telephone_does_not_carry_does_not_come_back_as_another_tone(hertz: float) -> None:
    heard = downsampled(a_tone(hertz))
    assert mulaw.level_dbfs(heard[100:-100]) < mulaw.level_dbfs(downsampled(a_tone(1_000))) - 45


@given(st.integers(0, 2_000), st.lists(st.integers(0, 4_000), max_size=6))
def test_wherever_the_audio_is_cut_it_sounds_the_same(samples: int, cuts: list[int]) -> None:
    pcm = np.random.default_rng(samples).integers(-LOUD, LOUD, samples).astype("<i2").tobytes()
    downsampler = Downsampler()
    places = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    pieces = [downsampler.feed(pcm[begin:end]) for begin, end in pairwise(places)]
    whole = b"".join(pieces) + downsampler.finish()
    assert whole == downsampled(pcm)
    assert len(whole) == -(-samples // 3)


def test_a_sample_that_is_too_loud_is_clipped_and_does_not_turn_over() -> None:
    square = np.repeat(np.array([32_767, -32_768] * 40, "<i2"), 60).tobytes()
    assert mulaw.level_dbfs(downsampled(square)) > -3

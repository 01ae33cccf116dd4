"""A voice that says nothing, yet sounds like speech: vowels of a pitch that moves, loud enough to be heard.

The same text always sounds the same, and each text like no other: `Ear` knows it by any 20 ms of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8_000
FRAME = 160
CHARACTER_MS = 60
QUIET = b"\xff"
_TOP_HZ = 3_400
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 95, 165
# First, second and third formant of five vowels in Hz, a man's. Source: Peterson and Barney, 1952.
_VOWELS = np.array(
    [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240]]
)
_BANDWIDTH_HZ = np.array([90.0, 120.0, 180.0])
_LOUDEST = 12_000.0
# Spaces and stops are softer, never silent: silence is where an utterance ends.
_SOFT = 0.35


@lru_cache(maxsize=512)
def speech(text: str, voice: str = "caller") -> bytes:
    """Raw mu-law at 8 kHz, about 60 ms a character, in whole frames of 20 ms."""
    characters = len(text.strip()) or 1
    samples = -(-characters * CHARACTER_MS * RATE_HZ // 1000 // FRAME) * FRAME
    seed = hashlib.sha256(f"{voice}\0{text}".encode()).digest()
    random = np.random.default_rng(np.frombuffer(seed, dtype=np.uint32))
    places = np.linspace(0, characters, samples, endpoint=False)
    pitch_hz = np.interp(
        places, np.arange(characters + 1), random.uniform(_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ, characters + 1)
    )
    formants = _VOWELS[random.integers(0, len(_VOWELS), characters + 1)]
    loudness = np.where([letter.isalnum() for letter in text.strip() or "a"] + [True], 1.0, _SOFT)
    wave = _vowels(pitch_hz, places, formants) * np.interp(places, np.arange(characters + 1), loudness)
    wave += random.normal(0, 0.02, samples)
    return mulaw(wave / np.abs(wave).max() * _LOUDEST)


def silence(seconds: float) -> bytes:
    """Raw mu-law."""
    return QUIET * round(seconds * RATE_HZ)


class Ear:
    """Knows what is said with this voice by the sound of any frame of it."""

    def __init__(self, texts: Iterable[str], voice: str = "caller") -> None:
        self._texts: dict[bytes, str] = {}
        for text in texts:
            audio = speech(text, voice)
            self._texts |= {audio[place : place + FRAME]: text for place in range(0, len(audio), FRAME)}

    def find(self, frame: bytes) -> str | None:
        """The text that *frame*, of 20 ms, is part of."""
        return self._texts.get(frame)


def mulaw(wave: NDArray[np.float64]) -> bytes:
    """Samples of 16 bits as mu-law. Source: ITU-T G.711."""
    clipped = np.clip(np.abs(wave), 0, 32_635).astype(np.int32) + 132
    exponent = np.floor(np.log2(clipped)).astype(np.int32) - 7
    mantissa = (clipped >> (exponent + 3)) & 0x0F
    sign = np.where(wave < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes.tobytes()


def _vowels(
    pitch_hz: NDArray[np.float64], places: NDArray[np.float64], formants: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Harmonics of a pitch, each as loud as the vowel of its frame lets it through."""
    phase = np.cumsum(2 * np.pi * pitch_hz / RATE_HZ)
    grid = np.arange(len(formants))
    at = np.stack([np.interp(places[::FRAME], grid, formants[:, number]) for number in range(3)])
    once = np.cos(phase)
    before, this = np.ones_like(once), once
    wave = np.zeros_like(once)
    for harmonic in range(1, _TOP_HZ // _LOWEST_PITCH_HZ):
        hz = harmonic * pitch_hz[::FRAME]
        passed = (1 / (1 + ((hz - at) / _BANDWIDTH_HZ[:, None]) ** 2)).sum(axis=0)
        wave += np.repeat(np.where(hz < _TOP_HZ, passed / harmonic**0.5, 0), FRAME) * this
        # The cosine of each multiple follows from those of the two before it.
        before, this = this, 2 * once * this - before
    return wave

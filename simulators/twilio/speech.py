"""Sounds a caller makes: speech-like audio from text, coughs, noise. The same text always sounds the same.

It is not intelligible, but it has what voice detectors look for: a gliding voice with harmonics, shaped by
the formants of vowels, cut by consonants and pauses between words. About 14 letters a second, as people talk.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.twilio import mulaw

_LETTER_S = 0.07
_WORD_PAUSE_S = 0.05
_SENTENCE_PAUSE_S = 0.25
_LOUDEST = 9000.0
_HARMONICS = np.arange(1, 27, dtype=np.float64)
# First three formants in Hz of a, e, i, o, u (Peterson and Barney 1952, men, rounded).
_FORMANTS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
_FORMANT_WIDTHS_HZ = (90.0, 110.0, 150.0)
_VOWELS = {"a": 0, "e": 1, "i": 2, "o": 3, "u": 4, "y": 2, "א": 0, "ה": 0, "ע": 0, "ו": 3, "י": 2}
_HISSED = frozenset("cfhjkpqstxzחכךסצץפףקשת")

_Wave = NDArray[np.float64]


@lru_cache(maxsize=1024)
def speak(text: str) -> bytes:
    """Mu-law audio of someone saying *text*, in any language; empty for text without letters or digits."""
    random = np.random.default_rng(zlib.crc32(text.encode()))
    pitch_hz = 105.0 + random.uniform(0, 60)
    pieces: list[_Wave] = []
    for word, ending in re.findall(r"(\w+)([^\w]*)", text):
        pieces.extend(_letter(letter, pitch_hz * random.uniform(0.9, 1.12), random) for letter in word)
        pause_s = _SENTENCE_PAUSE_S if re.search(r"[.?!,;:]", ending) else _WORD_PAUSE_S
        pieces.append(np.zeros(int(pause_s * mulaw.RATE_HZ)))
    if not pieces:
        return b""
    # The last pause is the silence after speech, not a part of it.
    return _as_mulaw(np.concatenate(pieces[:-1]))


@lru_cache(maxsize=64)
def babble(duration_ms: int) -> bytes:
    """Vowels without a pause, loud to the last frame: where the end of speech must be exact to the frame."""
    random = np.random.default_rng(0)
    count = duration_ms * mulaw.RATE_HZ // 1000
    letters = random.choice(list("aeiou"), size=1 + int(duration_ms / 1000 / _LETTER_S))
    voiced = np.concatenate([_letter(letter, 130 * random.uniform(0.9, 1.12), random) for letter in letters])
    return _as_mulaw(voiced[-count:])


@lru_cache(maxsize=64)
def cough(duration_ms: int = 80, seed: int = 0) -> bytes:
    """A burst of noise that dies away."""
    count = duration_ms * mulaw.RATE_HZ // 1000
    random = np.random.default_rng(seed)
    return _as_mulaw(_rough(count, random) * np.exp(-2 * np.arange(count) / max(count, 1)))


@lru_cache(maxsize=8)
def beep(seconds: float, frequency_hz: int = 1000) -> bytes:
    """A tone."""
    moments = np.arange(int(seconds * mulaw.RATE_HZ)) / mulaw.RATE_HZ
    return _as_mulaw(np.sin(2 * np.pi * frequency_hz * moments))


def noise(level: float, seconds: float, seed: int = 0) -> bytes:
    """Room noise; *level* from 0 to 1 of full scale, as root mean square."""
    random = np.random.default_rng(seed)
    samples = random.normal(0, level * 32767, int(seconds * mulaw.RATE_HZ))
    return mulaw.encode(np.clip(samples, -32767, 32767).astype(np.int16))


def _letter(letter: str, pitch_hz: float, random: np.random.Generator) -> _Wave:
    count = int(_LETTER_S * mulaw.RATE_HZ)
    lowered = letter.lower()
    if lowered in _HISSED:
        onset = count // 3
        after = _voice(_FORMANTS[ord(letter) % 5], pitch_hz, count - onset)
        return np.concatenate([0.35 * _rough(onset, random), after])
    vowel = _VOWELS.get(lowered, ord(letter) % 5)
    return _voice(_FORMANTS[vowel], pitch_hz, count) * (1.0 if lowered in _VOWELS else 0.6)


def _voice(formants: tuple[int, int, int], pitch_hz: float, count: int) -> _Wave:
    """A voiced sound whose pitch falls a little, with the harmonics that *formants* let through."""
    seconds = np.arange(count) / mulaw.RATE_HZ
    phase = 2 * np.pi * pitch_hz * (seconds - 0.4 * seconds**2)
    frequencies = _HARMONICS * pitch_hz
    gains = sum(
        1 / (1 + ((frequencies - centre) / width) ** 2) / (1 + place)
        for place, (centre, width) in enumerate(zip(formants, _FORMANT_WIDTHS_HZ, strict=True))
    ) * (frequencies < mulaw.RATE_HZ / 2)
    sound = (np.asarray(gains + 0.03 / _HARMONICS)[:, None] * np.sin(_HARMONICS[:, None] * phase)).sum(axis=0)
    edge = np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.008 * mulaw.RATE_HZ))
    return np.asarray(edge * sound / max(float(np.abs(sound).max()), 1e-9))


def _rough(count: int, random: np.random.Generator) -> _Wave:
    return np.clip(random.normal(0, 0.4, count), -1, 1)


def _as_mulaw(sound: _Wave) -> bytes:
    return mulaw.encode((sound * _LOUDEST).astype(np.int16))

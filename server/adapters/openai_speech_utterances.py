"""Where one caller's utterances begin and end, for a service that takes each of them whole. Pure.

An utterance may be asked about before it is certain that it is over: at each short pause there is something
to understand, and only a longer one makes it final.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from server.adapters.audio_tape import AudioTape
from server.voice import mulaw
from server.voice.vad import Change, Detector, VoiceActivity, VoiceChange

# A voice is noticed after it began, and a soft first sound is not noticed at all.
_LEAD_S = 0.3


@dataclass(frozen=True, slots=True)
class Began:
    """A voice, after a silence; times are seconds of the call's audio."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Paused:
    """It is silent for a moment. ``audio`` is all of utterance ``number`` so far; empty: it was a noise."""

    at_s: float
    number: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class Over:
    """Utterance ``number`` is what it was at its latest pause; its sound ended there, at ``until_s``."""

    number: int
    until_s: float


Heard = Began | Paused | Over


@dataclass(frozen=True, slots=True)
class UtteranceLimits:
    """How long, in seconds, a pause must be that ends an utterance, and the longest that one may be."""

    pause_s: float = 0.5
    longest_s: float = 25.0


class Utterances:
    """Cuts the audio of one call."""

    def __init__(self, detector: Detector, limits: UtteranceLimits) -> None:
        self._limits = limits
        self._voice = VoiceActivity(detector)
        self._tape = AudioTape(_bytes(limits.longest_s + limits.pause_s + 2 * _LEAD_S))
        self._number = 0
        self._begin: int | None = None
        self._ended_s = 0.0
        self._has_voice = False

    @property
    def is_open(self) -> bool:
        """Whether an utterance has begun that is not over."""
        return self._begin is not None

    def hear(self, audio: bytes) -> Iterator[Heard]:
        """Go on by *audio*, mu-law of any length."""
        for place in range(0, len(audio), mulaw.FRAME_BYTES):
            frame = audio[place : place + mulaw.FRAME_BYTES]
            self._tape.append(frame)
            for change in self._voice.hear(frame):
                yield from self._on_change(change)
            yield from self._on_time()

    def _on_change(self, change: VoiceChange) -> Iterator[Heard]:
        if change.change is Change.ONSET:
            if self._begin is None:
                self._open(_bytes(change.at_s - _LEAD_S))
            yield Began(change.at_s)
        elif change.change is Change.CONFIRMED:
            self._has_voice = True
        else:
            self._ended_s = change.at_s
            yield Paused(change.at_s, self._number, self._audio())
            if not self._has_voice:
                self._begin = None

    def _on_time(self) -> Iterator[Heard]:
        """Look whether the utterance is over, or too long."""
        if self._begin is None:
            self._tape.forget(self._tape.end - _bytes(_LEAD_S + self._limits.pause_s))
        elif not self._voice.is_speaking and self._voice.silence_s >= self._limits.pause_s:
            yield Over(self._number, self._ended_s)
            self._begin = None
        elif self._voice.is_speaking and self._tape.end - self._begin >= _bytes(self._limits.longest_s):
            yield from self._cut()

    def _cut(self) -> Iterator[Heard]:
        """What was said so far is an utterance; the voice goes on with another."""
        at_s = mulaw.duration_s(self._tape.end)
        yield Paused(at_s, self._number, self._audio())
        yield Over(self._number, at_s)
        yield Began(at_s)
        has_voice = self._has_voice
        self._open(self._tape.end)
        self._has_voice = has_voice

    def _open(self, place: int) -> None:
        self._number += 1
        self._begin, self._has_voice = max(place, self._tape.begin), False
        self._tape.forget(self._begin)

    def _audio(self) -> bytes:
        if self._begin is None or not self._has_voice:
            return b""
        return self._tape.read(self._begin, self._tape.end - self._begin)


def _bytes(seconds: float) -> int:
    return round(seconds * mulaw.SAMPLE_RATE_HZ)

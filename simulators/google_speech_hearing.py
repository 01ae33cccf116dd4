"""What the simulated speech-to-text hears in audio: where a voice begins and ends, and which utterance it is.

Pure: times are seconds of a stopwatch, passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulators.google_speech_behaviour import Behaviour, Interim, Utterance
from simulators.google_tts_audio import FRAME, RATE_HZ, Ear

_FRAME_MS = FRAME * 1000 / RATE_HZ
# Mean magnitude, of 16 bits, from which on a frame is loud.
_LOUD = 192


def _magnitude(code: int) -> int:
    bits = ~code & 0xFF
    magnitude = (((bits & 0x0F) << 3) + 132 << (bits >> 4 & 7)) - 132
    return min(magnitude >> 5, 255)


_MAGNITUDES = bytes(_magnitude(code) for code in range(256))


def is_loud(frame: bytes) -> bool:
    """Whether there is a voice in a frame of mu-law."""
    return sum(frame.translate(_MAGNITUDES)) >= len(frame) * (_LOUD >> 5)


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be told; ``audio_s`` is where in the audio it is."""

    kind: Literal["began", "ended", "interim", "final"]
    audio_s: float
    text: str = ""
    language: str = ""
    stability: float = 0
    confidence: float = 0


class Script:
    """Who says what: utterances in order, each heard by one stream until it was final."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._waiting = list(behaviour.script)
        self._known = {utterance.text: utterance for utterance in behaviour.known}
        self._ear = Ear(self._known)

    def find(self, frame: bytes) -> Utterance | None:
        """What is known to sound so."""
        text = self._ear.find(frame)
        return None if text is None else self._known[text]

    def take(self) -> Utterance | None:
        """The next of the script."""
        return self._waiting.pop(0) if self._waiting else None

    def give_back(self, utterance: Utterance) -> None:
        """It was not heard to its end: who hears it next shall hear it from its beginning."""
        self._waiting.insert(0, utterance)


class Hearing:
    """One stream."""

    def __init__(self, behaviour: Behaviour, script: Script, languages: Sequence[str]) -> None:
        self._behaviour = behaviour
        self._script = script
        self._languages = languages
        self._rest = b""
        self._frames = 0
        self._voice: _Voice | None = None
        self._said: list[Said] = []
        self._finals: list[_Final] = []
        # Texts that were known by their sound.
        self.known: set[str] = set()

    @property
    def audio_s(self) -> float:
        """How much audio there was."""
        return self._frames * FRAME / RATE_HZ

    @property
    def due_at(self) -> float | None:
        """When `take` has something to tell although no more audio has come."""
        dues = [final.at for final in self._finals]
        if self._voice is not None and self._voice.quiet_at is not None:
            dues.append(self._voice.quiet_at + self._behaviour.quiet_ms / 1000)
        return min(dues, default=None)

    def hear(self, audio: bytes, now: float) -> bool:
        """Take *audio*; returns whether any of it was loud."""
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME
        self._rest = audio[whole:]
        loud = [self._hear_frame(audio[place : place + FRAME], now) for place in range(0, whole, FRAME)]
        return any(loud)

    def take(self, now: float) -> list[Said]:
        """What is to be told by now, in order."""
        voice = self._voice
        quiet_at = None if voice is None else voice.quiet_at
        if voice is not None and quiet_at is not None and now >= quiet_at + self._behaviour.quiet_ms / 1000:
            self._end(voice)
        said, self._said = self._said, []
        said += [final.said for final in self._finals if final.at <= now]
        self._finals = [final for final in self._finals if final.at > now]
        return said

    def finish(self) -> list[Said]:
        """No more audio will come: everything that is left to tell."""
        if self._voice is not None:
            self._voice.quiet_at = self._voice.quiet_at or 0.0
            self._end(self._voice)
        return self.take(float("inf"))

    def drop(self) -> None:
        """The stream has broken: an utterance of the script that was not told is heard by another."""
        begun = [self._voice.scripted] if self._voice is not None else []
        for utterance in reversed([final.scripted for final in self._finals] + begun):
            if utterance is not None:
                self._script.give_back(utterance)
        self._voice, self._finals = None, []

    def _hear_frame(self, frame: bytes, now: float) -> bool:
        self._frames += 1
        if not is_loud(frame):
            if self._voice is not None:
                self._quiet(self._voice, now)
            return False
        if self._voice is None:
            self._voice = _Voice()
        self._loud(self._voice, frame)
        return True

    def _loud(self, voice: _Voice, frame: bytes) -> None:
        behaviour = self._behaviour
        voice.quiet_at, voice.quiet_ms = None, 0.0
        voice.loud_ms += _FRAME_MS
        if not voice.has_begun:
            voice.utterance = voice.utterance or self._script.find(frame)
            if voice.utterance is not None:
                self.known.add(voice.utterance.text)
            if voice.loud_ms < behaviour.onset_ms:
                return
            self._begin(voice)
        while voice.steps and voice.loud_ms >= voice.told * behaviour.interim_ms + behaviour.interim_ms:
            self._say("interim", voice.steps.pop(0), voice)
            voice.told += 1

    def _begin(self, voice: _Voice) -> None:
        voice.has_begun = True
        if voice.utterance is None:
            voice.utterance = voice.scripted = self._script.take()
        if voice.utterance is not None:
            voice.utterance_heard = self._as_heard(voice.utterance)
            voice.steps = voice.utterance_heard.steps(are_garbled=self._behaviour.garbled_interims)
        self._said.append(Said("began", self.audio_s))

    def _quiet(self, voice: _Voice, now: float) -> None:
        if voice.quiet_at is None:
            voice.quiet_at, voice.quiet_s = now, self.audio_s
        voice.quiet_ms += _FRAME_MS
        # Audio that comes in one piece has its pauses nonetheless.
        if voice.quiet_ms >= self._behaviour.quiet_ms:
            self._end(voice)

    def _end(self, voice: _Voice) -> None:
        self._voice = None
        if not voice.has_begun:
            return
        self._said.append(Said("ended", self.audio_s))
        heard = voice.utterance_heard
        if heard is None:
            return
        due_at = (voice.quiet_at or 0.0) + self._behaviour.final_ms / 1000
        language = self._told_language(heard)
        said = Said("final", voice.quiet_s, heard.text, language, confidence=heard.confidence)
        self._finals.append(_Final(due_at, said, voice.scripted))

    def _say(self, kind: Literal["interim"], step: Interim, voice: _Voice) -> None:
        heard = voice.utterance_heard
        language = "" if heard is None else self._told_language(heard)
        self._said.append(Said(kind, self.audio_s, step.text, language, stability=step.stability))

    def _as_heard(self, utterance: Utterance) -> Utterance:
        """A language that nobody asked for is not understood."""
        if utterance.language in self._languages:
            return utterance
        return utterance.model_copy(update={"text": "uh " * len(utterance.text.split()), "confidence": 0.2})

    def _told_language(self, utterance: Utterance) -> str:
        # In lower case, as the service tells it.
        known = utterance.language if utterance.language in self._languages else self._languages[0]
        return known.lower()


@dataclass(frozen=True, slots=True)
class _Final:
    """Words that wait until *at*; ``scripted`` where they were taken from the script."""

    at: float
    said: Said
    scripted: Utterance | None


class _Voice:
    """What is loud at the moment. ``quiet_at`` is of the first quiet frame after it."""

    def __init__(self) -> None:
        self.utterance: Utterance | None = None
        self.utterance_heard: Utterance | None = None
        self.scripted: Utterance | None = None
        self.has_begun = False
        self.loud_ms = 0.0
        self.quiet_ms = 0.0
        self.quiet_at: float | None = None
        self.quiet_s = 0.0
        self.steps: list[Interim] = []
        self.told = 0

"""What goes into the caller's phone, frame by frame: speech, noise, silence; pure, time is passed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulators.twilio import mulaw, speech
from simulators.twilio.spells import Spells, Track

_NOISE_S = 2.0


@dataclass(eq=False)
class Utterance:
    """Something the caller utters. Times are those at which frames leave; None while they have not.

    ``started_at``: the first frame; ``ended_at``: the last; ``quiet_at``: the first frame after it, which
    tells a listener that it is over. ``text`` is what a perfect recogniser makes of it; empty for a cough.
    """

    audio: bytes
    text: str
    started_at: float | None = None
    ended_at: float | None = None
    quiet_at: float | None = None


class Microphone:
    """Gives a frame of 160 bytes whenever it is asked."""

    def __init__(self) -> None:
        self.loud = Spells()
        self.utterances: list[Utterance] = []
        self._track = Track()
        self._waiting: deque[Utterance] = deque()
        self._place = 0
        self._ending: Utterance | None = None
        self._noise = b""
        self._noise_place = 0

    def utter(self, audio: bytes, text: str) -> Utterance:
        """Say *audio* after all that is still to be said.

        Raises:
            ValueError: there is no audio.
        """
        if not audio:
            raise ValueError("there is nothing to say: give text with letters, or audio")
        utterance = Utterance(audio, text)
        self.utterances.append(utterance)
        self._waiting.append(utterance)
        return utterance

    def noise(self, level: float) -> None:
        """Noise in the room from now on, 0 to 1 of full scale; 0 ends it."""
        self._noise = speech.noise(level, _NOISE_S) if level else b""
        self._noise_place = 0

    def frame(self, now: float) -> tuple[bytes, Utterance | None]:
        """The next 20 ms, and the utterance that is over with this frame, if one is."""
        over, self._ending = self._ending, None
        if over is not None:
            over.quiet_at = now
        frame = self._spoken(now)
        if self._noise:
            frame = mulaw.mix(frame, self._noise_frame())
        self._track.put(now, frame)
        self.loud.add(now, frame)
        return frame, over

    def render(self, until: float) -> bytes:
        """All that went into the phone up to *until*."""
        return self._track.render(until)

    def _spoken(self, now: float) -> bytes:
        if not self._waiting:
            return mulaw.QUIET_FRAME
        utterance = self._waiting[0]
        if not self._place:
            utterance.started_at = now
        part = utterance.audio[self._place : self._place + mulaw.FRAME_BYTES]
        self._place += mulaw.FRAME_BYTES
        if self._place >= len(utterance.audio):
            utterance.ended_at = now
            self._ending = self._waiting.popleft()
            self._place = 0
        return part.ljust(mulaw.FRAME_BYTES, bytes([mulaw.SILENCE]))

    def _noise_frame(self) -> bytes:
        self._noise_place %= len(self._noise)
        part = self._noise[self._noise_place : self._noise_place + mulaw.FRAME_BYTES]
        self._noise_place += mulaw.FRAME_BYTES
        return part

"""A handset in a browser: its microphone is the caller's, and what is played sounds there.

The clock of the call stays the network's: the line takes a frame each 20 ms, and recordings have what the
caller heard when the network sent it. Marks alone wait for the browser.
"""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import Protocol

from simulators.twilio import mulaw, speech
from simulators.twilio.handset import Handset
from simulators.twilio.microphone import Microphone
from simulators.twilio.playback import Mark, Playback

# Frames come a little early or late: so many are kept in hand, and beyond the most the oldest are dropped,
# as the two clocks drift apart.
_KEPT_FRAMES = 2
_MOST_FRAMES = 8
# A verb that ends has played to its end by the network's clock; the browser is that far behind.
_BROWSER_LAG_S = 0.02


class Loudspeaker(Protocol):
    """Where the browser is told what sounds."""

    def sound(self, audio: bytes) -> None:
        """Queue mu-law *audio*."""
        ...

    def mark(self, number: int) -> None:
        """Tell when all queued before has been played."""
        ...

    def clear(self) -> None:
        """Forget what is queued, marks too."""
        ...


class OpenMicrophone(Microphone):
    """Gives the frames that come from outside; while there are none, silence.

    What the caller is made to utter goes before them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frames: deque[bytes] = deque()
        self._is_filling = True

    def put(self, frame: bytes) -> None:
        """Take 20 ms of mu-law."""
        self._frames.append(frame)
        if len(self._frames) > _MOST_FRAMES:
            self._drop_to(_KEPT_FRAMES)

    def _spoken(self, now: float) -> bytes:
        if self._waiting:
            self._drop_to(_KEPT_FRAMES)
            return super()._spoken(now)
        if self._is_filling and len(self._frames) < _KEPT_FRAMES:
            return mulaw.QUIET_FRAME
        self._is_filling = not self._frames
        return mulaw.QUIET_FRAME if self._is_filling else self._frames.popleft()

    def _drop_to(self, most: int) -> None:
        while len(self._frames) > most:
            self._frames.popleft()


class SoundedPlayback(Playback):
    """Sounds on a loudspeaker; a mark is reached when that has told so."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        super().__init__()
        self._loudspeaker = loudspeaker
        self._count = count(1)
        self._pending: deque[int] = deque()
        self._played = 0

    def play(self, audio: bytes, now: float) -> float:
        """Queue *audio*; returns when it will have been sent in real time."""
        self._loudspeaker.sound(audio)
        return super().play(audio, now)

    def mark(self, name: str, now: float) -> Mark:
        """Queue a mark behind the audio that is there."""
        number = next(self._count)
        self._pending.append(number)
        self._loudspeaker.mark(number)
        return super().mark(name, now)

    def played(self, number: int) -> None:
        """The loudspeaker has played all before mark *number*; one that was cleared meanwhile is nothing."""
        while self._pending and self._pending[0] <= number:
            self._pending.popleft()
            self._played += 1

    def reached(self, now: float) -> list[str]:  # noqa: ARG002 - the loudspeaker's time counts
        """Take the marks whose audio has been played."""
        names = [self._marks.popleft().name for _ in range(self._played)]
        self._played = 0
        return names

    @property
    def next_mark(self) -> float | None:
        """Nobody knows."""
        return None

    def clear(self, now: float) -> list[str]:
        """Empty the queue, also of what the network has sent already."""
        self._loudspeaker.clear()
        return super().clear(now)

    def stop(self, now: float) -> list[str]:
        """Stop playing; what has been sent in full sounds to its end."""
        if self._ends - now > _BROWSER_LAG_S:
            self._loudspeaker.clear()
        self._pending.clear()
        self._played = 0
        return super().stop(now)


class BrowserHandset(Handset):
    """The handset of one call.

    Args:
        speaks: languages that the browser says words of by itself, such as ``en``: the line is silent
            meanwhile.
    """

    microphone: OpenMicrophone
    playback: SoundedPlayback

    def __init__(self, loudspeaker: Loudspeaker, speaks: frozenset[str]) -> None:
        def voice(text: str, language: str) -> bytes:
            murmured = speech.speak(text)
            is_said = language.partition("-")[0] in speaks
            return bytes([mulaw.SILENCE]) * len(murmured) if is_said else murmured

        super().__init__(OpenMicrophone(), SoundedPlayback(loudspeaker), voice)

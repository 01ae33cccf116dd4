"""What the network plays to the caller: in order, at real time; pure, the time is passed in.

A real network sends packets on a grid of 20 ms of its own. It is left out: audio sounds from the moment that
it arrives, so that what is measured is the server's doing alone.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from simulators.twilio import mulaw
from simulators.twilio.spells import Spells, Track


class Mark(NamedTuple):
    """A mark, and when all audio queued before it has been played."""

    name: str
    due: float


class Arrival(NamedTuple):
    """Audio that came: when, when it sounds, how much, and whether any of it is loud."""

    at: float
    plays_at: float
    size: int
    is_loud: bool


class Playback:
    """The queue of audio and marks of one call, and the record of what the caller hears."""

    def __init__(self) -> None:
        self.loud = Spells()
        self.arrivals: list[Arrival] = []
        self.clears: list[float] = []
        self._track = Track()
        self._marks: deque[Mark] = deque()
        self._ends = 0.0

    def play(self, audio: bytes, now: float) -> float:
        """Queue *audio*; returns when it will have been played."""
        starts = max(now, self._ends)
        is_loud = self.loud.add(starts, audio)
        self._track.put(starts, audio)
        self.arrivals.append(Arrival(now, starts, len(audio), is_loud))
        self._ends = starts + mulaw.duration_s(audio)
        return self._ends

    def mark(self, name: str, now: float) -> Mark:
        """Queue a mark behind the audio that is there."""
        mark = Mark(name, max(now, self._ends))
        self._marks.append(mark)
        return mark

    def reached(self, now: float) -> list[str]:
        """Take the marks whose audio has been played."""
        names: list[str] = []
        while self._marks and self._marks[0].due <= now:
            names.append(self._marks.popleft().name)
        return names

    @property
    def next_mark(self) -> float | None:
        """When the next mark is due."""
        return self._marks[0].due if self._marks else None

    def clear(self, now: float) -> list[str]:
        """Empty the queue; returns the marks that were pending."""
        self.clears.append(now)
        return self.stop(now)

    def stop(self, now: float) -> list[str]:
        """Stop playing, as at the end of a verb; returns the marks that were pending."""
        self.loud.cut(now)
        self._track.cut(now)
        self._ends = min(self._ends, now)
        names = [mark.name for mark in self._marks]
        self._marks.clear()
        return names

    @property
    def ends(self) -> float:
        """When all that is queued will have been played."""
        return self._ends

    def render(self, until: float) -> bytes:
        """What the caller heard up to *until*."""
        return self._track.render(until)

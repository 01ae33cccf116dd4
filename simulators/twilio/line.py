"""The caller's end of the line: 50 frames a second from the answer to the hang-up, whoever listens."""

from __future__ import annotations

import asyncio
from array import array
from itertools import count
from typing import Protocol

from simulators.twilio import mulaw
from simulators.twilio.microphone import Microphone, Utterance
from simulators.twilio.stopwatch import Bell, Stopwatch


class Listener(Protocol):
    """Whom the caller is connected to."""

    async def hear(self, frame: bytes, at: float, /) -> None:
        """20 ms of the caller, which left at *at*."""
        ...

    async def key(self, digit: str) -> None:
        """The caller presses a key."""
        ...

    def understood(self, utterance: Utterance) -> None:
        """The caller has said something to the end."""
        ...


class Line:
    """Carries what the caller says to whoever listens.

    ``lateness_s`` has how much later than its time each frame left: the simulator's own fault, which a
    measurement has to know.
    """

    def __init__(self, stopwatch: Stopwatch, microphone: Microphone) -> None:
        self.microphone = microphone
        self.listener: Listener | None = None
        self.lateness_s = array("d")
        self.frames = Bell()
        self._stopwatch = stopwatch
        self._finished: dict[Utterance, asyncio.Event] = {}

    async def run(self) -> None:
        """Send frames until cancelled. Each has its time from the first on: late ones do not add up."""
        began = self._stopwatch.now()
        for number in count():
            due = began + number * mulaw.FRAME_S
            await self._stopwatch.until(due)
            frame, over = self.microphone.frame(due)
            await self._send(frame, due)
            if over is not None:
                self._end(over)

    def utter(self, audio: bytes, text: str) -> tuple[Utterance, asyncio.Event]:
        """Say *audio*; the event is set when the first frame after it has left."""
        utterance = self.microphone.utter(audio, text)
        self._finished[utterance] = asyncio.Event()
        return utterance, self._finished[utterance]

    async def press(self, digit: str) -> None:
        """Press a key."""
        if self.listener is not None:
            await self.listener.key(digit)

    async def _send(self, frame: bytes, due: float) -> None:
        self.lateness_s.append(max(0.0, self._stopwatch.now() - due))
        if self.listener is not None:
            await self.listener.hear(frame, due)
        self.frames.ring()

    def _end(self, utterance: Utterance) -> None:
        if self.listener is not None:
            self.listener.understood(utterance)
        self._finished.pop(utterance).set()

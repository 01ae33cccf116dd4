"""``<Gather>`` and ``<Record>`` at work: the state machines of ``listening`` on a live line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from simulators.twilio.listening import GatherEar, RecordEar
from simulators.twilio.microphone import Utterance
from simulators.twilio.stopwatch import Bell

if TYPE_CHECKING:
    from simulators.twilio.call import Call


class Gathering:
    """Plays prompts while it listens; speech and keys cut them short."""

    def __init__(self, call: Call, ear: GatherEar) -> None:
        self._call = call
        self._ear = ear
        self._changed = Bell()

    async def run(self, prompt: Callable[[], Awaitable[None]]) -> dict[str, str]:
        """What the caller said or pressed; empty for nothing."""
        self._call.line.listener = self
        prompting = asyncio.ensure_future(prompt())
        prompting.add_done_callback(lambda _: self._prompted())
        try:
            while self._ear.result is None:
                await self._changed.wait()
                if self._ear.is_interrupted:
                    prompting.cancel()
            return self._ear.result
        finally:
            self._call.line.listener = None
            prompting.cancel()
            await asyncio.wait({prompting})
            if not prompting.cancelled():
                prompting.result()

    async def hear(self, frame: bytes, at: float) -> None:
        """20 ms of the caller."""
        self._ear.hear(frame, at)
        self._ring()

    async def key(self, digit: str) -> None:
        """A key."""
        self._ear.press(digit)
        self._ring()

    def understood(self, utterance: Utterance) -> None:
        """Words, as a perfect recogniser has them."""
        self._ear.understood(utterance.text)

    def _prompted(self) -> None:
        self._ear.prompted(self._call.stopwatch.now())

    def _ring(self) -> None:
        if self._ear.result is not None or self._ear.is_interrupted:
            self._changed.ring()


class Recorder:
    """Records the caller until silence, a key, or the longest time."""

    def __init__(self, call: Call, ear: RecordEar) -> None:
        self.ear = ear
        self._call = call
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Return when the recording is over."""
        self._call.line.listener = self
        try:
            await self._over.wait()
        finally:
            self._call.line.listener = None

    async def hear(self, frame: bytes, at: float) -> None:
        """20 ms of the caller."""
        self.ear.hear(frame, at)
        self._check()

    async def key(self, digit: str) -> None:
        """A key."""
        self.ear.press(digit)
        self._check()

    def understood(self, utterance: Utterance) -> None:
        """A recording has no words."""

    def _check(self) -> None:
        if self.ear.ended_by is not None:
            self._over.set()

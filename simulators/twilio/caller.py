"""The person on the phone, as a script: talks, waits, listens, interrupts, presses keys, hangs up.

Every wait ends with what happened, not with a guess: on a frame that left, on audio as it sounds, on an event
of the call. Every wait has a limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from simulators.twilio import speech
from simulators.twilio.call import Call, Event
from simulators.twilio.microphone import Utterance

TIMEOUT_S = 15.0
_KEY_S = 0.1


class CallerWaitedInVain(AssertionError):
    """What the script waits for did not come; the message tells the call's latest events."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """How the server took being interrupted; seconds of the call.

    ``spoke_at``: the first frame of the interruption left; ``silent_at``: the caller heard nothing any more.
    """

    spoke_at: float
    silent_at: float


class Caller:
    """One person in one call. All moments are seconds of the call, ``call.stopwatch.now()``."""

    def __init__(self, call: Call, run: asyncio.Task[None]) -> None:
        self.call = call
        self._run = run

    async def answered(self, timeout_s: float = TIMEOUT_S) -> float:
        """Wait for the call to be picked up; returns when it was.

        Raises:
            CallerWaitedInVain: it was not.
        """
        await self._until(lambda: self.call.answered_at is not None, "an answer", timeout_s)
        assert self.call.answered_at is not None  # noqa: S101 - just waited for
        return self.call.answered_at

    async def connected(self, streams: int = 1, timeout_s: float = TIMEOUT_S) -> None:
        """Wait for the call's media stream to be open, the *streams*-th of them."""

        def is_open() -> bool:
            opened = [stream for stream in self.call.streams if stream.opened_at is not None]
            return len(opened) >= streams

        await self._until(is_open, f"media stream {streams}", timeout_s)

    async def say(self, what: str | bytes, text: str | None = None) -> Utterance:
        """Say *what*, text or mu-law audio, to the end; returns when the first frame after it has left.

        Args:
            text: what a perfect recogniser makes of audio; by default nothing.
        """
        # Not on the loop: making a sentence takes longer than a frame.
        audio = what if isinstance(what, bytes) else await asyncio.to_thread(speech.speak, what)
        words = text if text is not None else (what if isinstance(what, str) else "")
        self.call.tell("caller-says", words or f"{len(audio) // 8} ms of audio")
        utterance, over = self.call.line.utter(audio, words)
        await self._event(over, "the caller to have spoken", TIMEOUT_S + len(audio) / 8000)
        return utterance

    async def cough(self, duration_ms: int = 80) -> Utterance:
        """A short burst of noise that is no word."""
        return await self.say(speech.cough(duration_ms))

    def noise(self, level: float) -> None:
        """Noise in the room from now on, 0 to 1 of full scale; 0 ends it."""
        self.call.line.microphone.noise(level)

    async def press(self, keys: str) -> None:
        """Press *keys* one after another, a tenth of a second each."""
        for key in keys:
            self.call.tell("caller-presses", key)
            await self.call.line.press(key)
            await asyncio.sleep(_KEY_S)

    async def wait(self, seconds: float) -> None:
        """Say nothing for a while, unless the call ends."""
        moment = self.call.stopwatch.now() + seconds
        while self.call.is_live and (left := moment - self.call.stopwatch.now()) > 0:
            await self.call.heard.wait(left)

    async def hears(self, since: float | None = None, timeout_s: float = TIMEOUT_S) -> float:
        """Wait until there is sound at or after *since* (now); returns when it began to sound."""
        after = self.call.stopwatch.now() if since is None else since
        return await self._sounds(lambda: self.call.playback.loud.first_after(after), "sound", timeout_s)

    async def hears_for(
        self, seconds: float, since: float | None = None, timeout_s: float = TIMEOUT_S
    ) -> float:
        """Wait until *seconds* of sound have been heard since *since* (now); returns when they had."""
        after = self.call.stopwatch.now() if since is None else since
        wanted = f"{seconds:g} s of sound"
        return await self._sounds(lambda: self.call.playback.loud.reaches(seconds, after), wanted, timeout_s)

    async def hears_silence(self, seconds: float = 0.6, timeout_s: float = TIMEOUT_S) -> float:
        """Wait until nothing has been heard for *seconds*; returns when the silence began."""
        began = self.call.stopwatch.now()
        loud = self.call.playback.loud

        def over() -> float:
            return loud.quiet_from(loud.last_end(began) or began, seconds) + seconds

        return await self._sounds(over, f"{seconds:g} s of silence", timeout_s) - seconds

    async def listens(self, since: float | None = None, pause_s: float = 0.6) -> float:
        """Hear the other out: sound, and then *pause_s* without any; returns when the sound ended."""
        await self.hears(since)
        return await self.hears_silence(pause_s)

    async def interrupts(self, after_s: float, what: str | bytes) -> Interruption:
        """Speak over the other when *after_s* seconds of sound have been heard from now on.

        Returns once it is silent for 0.2 s.
        """
        await self.hears_for(after_s)
        utterance = await self.say(what)
        assert utterance.started_at is not None  # noqa: S101 - it has been said
        loud = self.call.playback.loud
        spoke_at = utterance.started_at

        def silent() -> float:
            return loud.quiet_from(spoke_at, 0.2) + 0.2

        return Interruption(spoke_at, await self._sounds(silent, "silence", TIMEOUT_S) - 0.2)

    async def hang_up(self, timeout_s: float = TIMEOUT_S) -> None:
        """Hang up, and wait until the network is done with the call."""
        self.call.hang_up("the caller")
        await self.ended(timeout_s)

    def drop_stream(self) -> None:
        """Break the media socket without a word; the call itself goes on."""
        self.call.tell("stream-drop", "")
        if self.call.stream is not None:
            self.call.stream.drop()

    async def sees(self, kind: str, since: float = 0.0, timeout_s: float = TIMEOUT_S) -> Event:
        """Wait for the first event of *kind* at or after *since*, which may have happened already."""

        def found() -> list[Event]:
            return [event for event in self.call.events if event.kind == kind and event.at >= since]

        await self._until(lambda: bool(found()), f"the event {kind}", timeout_s)
        return found()[0]

    async def ended(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait for the end of the call, its last callback included.

        Raises:
            CallerWaitedInVain: it goes on.
        """
        await asyncio.wait({self._run}, timeout=timeout_s)
        if not self._run.done():
            raise self._in_vain("the call to end", timeout_s)
        if not self._run.cancelled():
            self._run.result()

    async def _until(self, holds: Callable[[], bool], wanted: str, timeout_s: float) -> None:
        deadline = self.call.stopwatch.now() + timeout_s
        while not holds():
            left = deadline - self.call.stopwatch.now()
            if left <= 0 or not self.call.is_live:
                raise self._in_vain(wanted, timeout_s)
            await self.call.happened.wait(left)

    async def _sounds(self, moment: Callable[[], float | None], wanted: str, timeout_s: float) -> float:
        """Wait until the clock has come to *moment*, which may move as audio comes and is cleared."""
        deadline = self.call.stopwatch.now() + timeout_s
        while True:
            now, due = self.call.stopwatch.now(), moment()
            if due is not None and due <= now:
                return due
            if now >= deadline or not self.call.is_live:
                raise self._in_vain(wanted, timeout_s)
            await self.call.heard.wait(min(deadline, due or deadline) - now)

    async def _event(self, event: asyncio.Event, wanted: str, timeout_s: float) -> None:
        """Wait for *event*, or the end of the call."""
        waiting = asyncio.create_task(event.wait())
        await asyncio.wait({waiting, self._run}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not event.is_set():
            raise self._in_vain(wanted, timeout_s)

    def _in_vain(self, wanted: str, timeout_s: float) -> CallerWaitedInVain:
        latest = "\n".join(str(event) for event in self.call.events[-12:])
        state = "" if self.call.is_live else "; the call has ended"
        return CallerWaitedInVain(f"waited {timeout_s:g} s in vain for {wanted}{state}:\n{latest}")

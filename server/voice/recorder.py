"""Records calls while they go on: what is heard and said is noted on the loop, and kept in worker threads."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

import structlog

from server.domain.calls import Call
from server.ports.clock import Clock
from server.ports.recordings import RecordingShelf, RecordingStore, RecordingWriter
from server.voice.frames import Media
from server.voice.recording import Recording

# Of about four seconds each: a disk that lags behind by more is not waited for.
MOST_WAITING = 16
# What is kept of a call when it is over.
_ENDS_WITHIN_S = 5.0

log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Is told of what is heard and said on one call, in order. It never fails and never waits."""

    def hear(self, media: Media) -> None:
        """A frame of the caller's."""
        ...

    def say(self, audio: bytes) -> None:
        """Audio of the desk's is sent."""
        ...

    def cut(self) -> None:
        """What of it has not been played yet is taken back."""
        ...


class NoRecorder:
    """Keeps the ``Recorder`` protocol for calls that are not recorded."""

    def hear(self, media: Media) -> None:
        """Nothing is kept."""

    def say(self, audio: bytes) -> None:
        """Nothing is kept."""

    def cut(self) -> None:
        """Nothing is kept."""

    async def aclose(self) -> None:
        """There is nothing to end."""


NOT_RECORDED = NoRecorder()


class CallRecorder:
    """Keeps the ``Recorder`` protocol; belongs to the event loop that it is made on.

    Whatever goes wrong with keeping it, the call goes on without: what was kept until then stays.

    Args:
        began_at: when the caller's stream began, by the loop's stopwatch.
    """

    def __init__(self, call: Call, began_at: float, store: RecordingStore, shelf: RecordingShelf) -> None:
        self._call = call
        self._store = store
        self._shelf = shelf
        self._now = asyncio.get_running_loop().time
        self._recording = Recording(began_at)
        self._blocks: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._keeping = asyncio.create_task(self._keep())

    def hear(self, media: Media) -> None:
        """Note it, and have kept what is settled by it."""
        if self._keeping.done():
            return
        self._recording.hear(media.audio, media.timestamp_ms, self._now())
        for block in self._recording.blocks():
            self._put(block)

    def say(self, audio: bytes) -> None:
        """Note it."""
        if not self._keeping.done():
            self._recording.say(audio, self._now())

    def cut(self) -> None:
        """Note it."""
        self._recording.cut(self._now())

    async def aclose(self) -> None:
        """The call is over: keep the rest."""
        self._put(self._recording.finish(self._now()))
        self._put(None)
        try:
            await asyncio.wait({self._keeping}, timeout=_ENDS_WITHIN_S)
        finally:
            # What hangs is left to its thread: nobody waits for a disk for ever.
            if self._keeping.cancel():
                log.error("recording.end_not_kept", call=self._call.id)

    def _put(self, block: bytes | None) -> None:
        try:
            self._blocks.put_nowait(block)
        except asyncio.QueueFull:
            if self._keeping.cancel():
                log.error("recording.disk_too_slow", call=self._call.id)

    async def _keep(self) -> None:
        try:
            name = await asyncio.to_thread(self._store.begin, self._call.tenant.id, self._call.id)
            writer = await asyncio.to_thread(self._shelf.begin, self._call.tenant.id, name)
            try:
                await self._write(writer)
            finally:
                await asyncio.to_thread(writer.close)
            await asyncio.to_thread(self._store.finish, name, self._recording.seconds)
        except Exception as error:  # noqa: BLE001 - whatever failed, the call goes on
            log.error("recording.broke_off", call=self._call.id, error=type(error).__name__)

    async def _write(self, writer: RecordingWriter) -> None:
        while (block := await self._blocks.get()) is not None:
            await asyncio.to_thread(writer.write, block)
        await asyncio.to_thread(writer.finish)


class RecordedCalls:
    """Which calls are recorded, and for how long.

    Args:
        kept: what is older is deleted.
    """

    def __init__(self, store: RecordingStore, shelf: RecordingShelf, clock: Clock, kept: timedelta) -> None:
        self._store = store
        self._shelf = shelf
        self._clock = clock
        self._kept = kept

    def begin(self, call: Call, began_at: float) -> CallRecorder | NoRecorder:
        """What records *call* on its socket, which was opened at *began_at*; on the call's event loop."""
        # Who is put through at once was told nothing.
        if not call.tenant.settings.record_calls or call.is_for_staff:
            return NOT_RECORDED
        return CallRecorder(call, began_at, self._store, self._shelf)

    def forget(self) -> None:
        """Delete what is too old. Blocks.

        A file goes by its own age, whether its row is still there or not: nothing that broke off, here or on
        another machine, leaves one behind.
        """
        before = self._clock.now() - self._kept
        self._shelf.forget(before)
        self._store.forget(before)

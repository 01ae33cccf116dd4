"""Wires between processes: TCP proxies that slow down, stall and cut what runs over them, and that tell,
where HTTP does, which calls are under way.

All wires of a ``Switchboard`` run on one event loop in a thread of its own. What an observer is told, it is
told on that thread: when a call has begun, the callee has not got all of it yet; when it has ended, the
caller has not got all of the answer yet.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from simulators.http_tap import Call, CallTap

_CHUNK = 64 * 1024
_CALL_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 5.0

# Told of each call as it begins and as it ends.
Observer = Callable[[Call], None]


class Wire:
    """One listening port and where it leads: to the first of ``targets`` that answers, each in its turn.

    Args:
        caller: the name of who calls over this wire.
        targets: names and ports of who is called, on 127.0.0.1.
        observer: given, the wire carries HTTP/1.1.
    """

    def __init__(self, caller: str, targets: Sequence[tuple[str, int]], observer: Observer | None) -> None:
        self.caller = caller
        self.port = 0
        self._targets = targets
        self._observer = observer
        self._turn = itertools.count()
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._delay_s = 0.0
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._pairs)

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut for good."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def slow(self, delay_s: float) -> None:
        """Let each piece take *delay_s* longer."""
        self._delay_s = delay_s

    async def stall(self) -> None:
        """Let nothing through; connections stay open, as on a cable that was pulled."""
        self._flows.clear()

    async def cut(self) -> None:
        """Break off all connections and refuse new ones."""
        self._is_cut = True
        for pair in list(self._pairs):
            pair.abort()

    async def mend(self) -> None:
        """As new."""
        self._delay_s = 0.0
        self._is_cut = False
        self._flows.set()

    async def passage(self) -> None:
        """Take as long as a piece takes on this wire now."""
        await self._flows.wait()
        if self._delay_s:
            await asyncio.sleep(self._delay_s)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = None if self._is_cut else await self._connect()
        if found is None or self._is_cut:
            writer.transport.abort()
            return
        name, (far_reader, far_writer) = found
        tap = None if self._observer is None else CallTap(self.caller, name, self._observer)
        pair = _Pair(self, (reader, writer), (far_reader, far_writer), tap)
        self._pairs.add(pair)
        try:
            await pair.run()
        finally:
            self._pairs.discard(pair)

    async def _connect(self) -> tuple[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] | None:
        first = next(self._turn)
        for step in range(len(self._targets)):
            name, port = self._targets[(first + step) % len(self._targets)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    return name, await asyncio.open_connection("127.0.0.1", port)
        return None


class _Pair:
    """The two halves of one connection."""

    def __init__(
        self,
        wire: Wire,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        tap: CallTap | None,
    ) -> None:
        self._wire = wire
        self._near = near
        self._far = far
        self._tap = tap

    async def run(self) -> None:
        """Carry both ways until one side ends; an end is passed on once what came before it has gone."""
        asked, answered = (None, None) if self._tap is None else (self._tap.asked, self._tap.answered)
        there = asyncio.create_task(self._pump(self._near[0], self._far[1], asked))
        back = asyncio.create_task(self._pump(self._far[0], self._near[1], answered))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            for _, writer in (self._near, self._far):
                writer.close()
            if self._tap is not None:
                self._tap.break_off()

    def abort(self) -> None:
        """Break the connection off on both sides."""
        for _, writer in (self._near, self._far):
            writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tell: Callable[[bytes], None] | None
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if tell is not None:
                    tell(data)
                await self._wire.passage()
                writer.write(data)
                await writer.drain()


class Switchboard:
    """Makes wires and works them from other threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._wires: list[Wire] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self._wires:
            self.do(wire.close())
        self.do(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop.close()

    def wire(self, caller: str, targets: Sequence[tuple[str, int]], observer: Observer | None = None) -> Wire:
        """A new wire; see ``Wire``."""
        made = Wire(caller, targets, observer)
        self.do(made.open())
        self._wires.append(made)
        return made

    def do(self, what: Coroutine[Any, Any, None]) -> None:
        """Run one of a wire's methods: ``do(wire.cut())``."""
        done: Future[None] = asyncio.run_coroutine_threadsafe(what, self._loop)
        done.result(_CALL_TIMEOUT_S)

    async def _settle(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

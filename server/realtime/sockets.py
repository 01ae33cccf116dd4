"""The open sockets of the process: how many there may be, and how they are told that it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.errors import TooBusy

MOST_SOCKETS = 2_000
# A message of a guest in the longest form of JSON, with room for what stands around it.
LONGEST_FRAME = 128 * 1024
# A proxy cuts what is silent for a minute; a client that is gone is noticed within both together.
PING_EVERY_S = 20.0
PONG_WITHIN_S = 20.0
# One that does not read would hold up the closing of all.
CLOSE_WITHIN_S = 2.0


class CloseCode(IntEnum):
    """Why we close a socket. Source of those below 4000: RFC 6455, section 7.4.1."""

    NORMAL = 1000
    GOING_AWAY = 1001
    FAULT = 1011
    # Like the HTTP statuses 401 and 408.
    UNAUTHENTICATED = 4401
    IDLE = 4408


class OpenSocket(Protocol):
    """A socket that is served."""

    async def go_away(self, within_s: float) -> None:
        """Begin nothing new, end what is under way in time, and close."""
        ...


class OpenSockets:
    """All of a process's."""

    def __init__(self, most: int = MOST_SOCKETS) -> None:
        self._most = most
        self._open: set[OpenSocket] = set()
        self.are_closing = False

    def check_room(self) -> None:
        """Raises TooBusy where there is no place for one more."""
        if self.are_closing or len(self._open) >= self._most:
            raise TooBusy("this server takes no more connections; try again in a second")

    def count(self, kind: type[OpenSocket]) -> int:
        """How many of one kind there are."""
        return sum(isinstance(served, kind) for served in self._open)

    @contextmanager
    def listed(self, served: OpenSocket) -> Iterator[None]:
        """Know of a socket for the time of the block."""
        self._open.add(served)
        try:
            yield
        finally:
            self._open.discard(served)

    async def go_away(self, within_s: float) -> None:
        """Let running answers end, and close all sockets."""
        self.are_closing = True
        await asyncio.gather(
            *(served.go_away(within_s) for served in tuple(self._open)), return_exceptions=True
        )


async def close(websocket: WebSocket, code: CloseCode, reason: str) -> None:
    """Close a socket that may be closed already. Reasons are cut at what a close frame holds."""
    if websocket.application_state is not WebSocketState.DISCONNECTED:
        # The client may be quicker.
        with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await websocket.close(code, reason.encode()[:120].decode(errors="ignore"))

"""``/ws/performance``: what ``/api/performance`` tells, every five seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket

from server.realtime.sockets import CloseCode, close

EVERY_S = 5.0

# The figures as one tenant may see them; blocks.
Snapshot = Callable[[str], Mapping[str, Any]]


class PerformanceSocket:
    """One reader of the process's figures."""

    def __init__(self, websocket: WebSocket, tenant_id: str, snapshot: Snapshot, every_s: float) -> None:
        self._websocket = websocket
        self._tenant_id = tenant_id
        self._snapshot = snapshot
        self._every_s = every_s

    async def serve(self) -> None:
        """Tell the figures until the client goes."""
        is_there = True
        while is_there:
            figures = await asyncio.to_thread(self._snapshot, self._tenant_id)
            await self._websocket.send_json({"type": "performance", **figures})
            is_there = await self._stays()

    async def go_away(self, within_s: float) -> None:  # noqa: ARG002 - nothing is under way here
        """Close."""
        await close(self._websocket, CloseCode.GOING_AWAY, "the server stops: connect again")

    async def _stays(self) -> bool:
        """Wait until the next figures are due; False if the client goes. What it says is not for us."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every_s):
                while (await self._websocket.receive())["type"] == "websocket.receive":
                    pass
                return False
        return True

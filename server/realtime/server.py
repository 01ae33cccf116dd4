"""The HTTP server of the realtime process, on the desk's own event loop."""

from __future__ import annotations

import logging
import socket

import uvicorn
from starlette.types import ASGIApp

from server.errors import CommandError
from server.realtime.sockets import LONGEST_FRAME, PING_EVERY_S, PONG_WITHIN_S, OpenSockets

# Longer than a proxy pauses between two requests: a kept connection saves a handshake.
KEEP_ALIVE_S = 75
BACKLOG = 2048


class RealtimeServer:
    """uvicorn, with an end that keeps what is under way.

    Args:
        drain_s: how long answers may take to end once it is to stop.
    """

    def __init__(self, app: ASGIApp, sockets: OpenSockets, drain_s: float) -> None:
        # Its other messages tell of requests, with their addresses and what stands in them.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        self._sockets = sockets
        self._drain_s = drain_s
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(drain_s),
                ws="websockets-sansio",
                ws_max_size=LONGEST_FRAME,
                ws_ping_interval=PING_EVERY_S,
                ws_ping_timeout=PONG_WITHIN_S,
                # Words are short, and each would wait for the compressor.
                ws_per_message_deflate=False,
            )
        )

    async def run(self, listener: socket.socket) -> None:
        """Serve until `stop`. Signals are left to the main thread."""
        await self._server.serve([listener])

    async def stop(self) -> None:
        """Take no new connections, let answers end in time, close the rest."""
        for listening in self._server.servers:
            listening.close()
        # Streams end by themselves meanwhile.
        await self._sockets.go_away(self._drain_s)
        self._server.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A socket that clients can connect to; they wait until it is served.

    Raises:
        CommandError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CommandError(
            f"cannot listen on {host}:{port} ({error.strerror}): stop what uses it, or choose another with "
            "REALTIME_HOST and REALTIME_PORT"
        ) from None
    listener.setblocking(False)
    return listener

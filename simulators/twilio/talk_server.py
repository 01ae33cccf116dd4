"""The page to talk from, and its socket, on this machine alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

import server
from simulators.twilio.call import Call
from simulators.twilio.notices import SimulatorLimit
from simulators.twilio.serving import serve_here
from simulators.twilio.talk_session import NotUnderstood, PlaceCall, TalkSession

PAGE = Path(__file__).with_name("talk")
# How a browser is a telephone: the console's page to call the desk has the same scripts.
SOUND = Path(server.__file__).parent / "console" / "static" / "sound"
# Codes of RFC 6455 that sockets are closed with, and how long a reason may be there, in bytes.
_OVER, _NOT_ALLOWED, _CANNOT = 1000, 1008, 1011
_LONGEST_REASON = 123
# By these names this machine alone is meant: another page's name that leads here is refused.
_HOSTS = ["127.0.0.1", "localhost"]
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"permissions-policy", b"microphone=(self), camera=(), geolocation=()"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # The page and its scripts belong together.
    (b"cache-control", b"no-store"),
)


@asynccontextmanager
async def talk_page(
    place: PlaceCall, ended: Callable[[Call], None] = lambda _call: None, port: int = 0
) -> AsyncIterator[str]:
    """Serve the page for the time of the block; gives its address.

    Args:
        place: places a call for a page that asks for one.
        ended: is given each call when it is over.
        port: on 127.0.0.1; 0 takes a free one.
    """

    async def talk(websocket: WebSocket) -> None:
        if not _is_ours(websocket):
            await websocket.close(_NOT_ALLOWED)
            return
        await websocket.accept()
        try:
            call = await TalkSession(websocket, place).run()
        except NotUnderstood as complaint:
            await _close(websocket, _NOT_ALLOWED, str(complaint))
            return
        except SimulatorLimit as limit:
            await _close(websocket, _CANNOT, str(limit))
            return
        if call is not None:
            ended(call)
        await _close(websocket, _OVER, "")

    routes = [
        WebSocketRoute("/call", talk),
        Mount("/sound", StaticFiles(directory=SOUND)),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS), Middleware(_Headers)]
    async with serve_here(Starlette(routes=routes, middleware=guards), port) as origin:
        yield f"{origin}/"


def _is_ours(websocket: WebSocket) -> bool:
    """Whether the page that opens the socket came from here: any page in the browser may try."""
    return websocket.headers.get("origin") == f"http://{websocket.headers.get('host')}"


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close it, unless the page has gone first."""
    fitting = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, fitting)


class _Headers:
    """Adds the headers that keep the page to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)

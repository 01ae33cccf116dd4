"""The realtime process's routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.channels import sse
from server.channels.bodies import read_object
from server.channels.chat_streams import ChatStreams, StreamReader
from server.console.live import LIVE_PATH
from server.errors import (
    AppError,
    InvalidRequest,
    PayloadTooLarge,
    StoreUnavailable,
    TooBusy,
    Unauthenticated,
)
from server.observability import metrics
from server.realtime.answers import (
    FAULT,
    answer_app_error,
    answer_fault,
    answer_http_error,
    error_response,
)
from server.realtime.callers import Caller, Callers
from server.realtime.chat_socket import IDLE_S, ChatSocket
from server.realtime.counting import Counted
from server.realtime.performance_socket import EVERY_S, PerformanceSocket, Snapshot
from server.realtime.sockets import CloseCode, OpenSocket, OpenSockets, close
from server.realtime.staff_streams import StaffStreams
from server.realtime.voice_socket import VoiceParts, VoiceSocket

LONGEST_BODY = 1024 * 1024
# A body is a message of a guest: who takes longer to send it holds a connection for nothing.
BODY_WITHIN_S = 30.0

log = structlog.get_logger(__name__)


class ServedSocket(OpenSocket, Protocol):
    """A socket from its greeting on."""

    async def serve(self) -> None:
        """Serve it until its client goes."""
        ...


MakeSocket = Callable[[WebSocket, Caller], ServedSocket]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeParts:
    """What the routes are made of.

    ``voice`` is None where no calls are taken, ``staff`` where the console's pages are told nothing.
    ``check_store`` raises StoreUnavailable; ``is_core_running`` tells whether turns are taken; ``snapshot``
    is what ``/ws/performance`` tells every ``figures_every_s``. A chat socket that is silent for ``idle_s``
    is closed.
    """

    callers: Callers
    streams: ChatStreams
    sockets: OpenSockets
    snapshot: Snapshot
    check_store: Callable[[], None]
    is_core_running: Callable[[], bool]
    voice: VoiceParts | None = None
    staff: StaffStreams | None = None
    idle_s: float = IDLE_S
    figures_every_s: float = EVERY_S


def make_app(parts: RealtimeParts) -> ASGIApp:
    """The ASGI application; it must run on the desk's own event loop."""

    def chat_socket(websocket: WebSocket, caller: Caller) -> ServedSocket:
        return ChatSocket(websocket, caller, parts.callers, parts.streams, parts.idle_s)

    def performance_socket(websocket: WebSocket, caller: Caller) -> ServedSocket:
        def snapshot(tenant_id: str) -> Mapping[str, Any]:
            parts.callers.check(caller)
            return parts.snapshot(tenant_id)

        return PerformanceSocket(websocket, caller.tenant_id, snapshot, parts.figures_every_s)

    routes = [
        Route("/livez", _livez),
        Route("/readyz", partial(_readyz, parts)),
        Route("/api/v1/chat/stream", partial(_stream, parts), methods=["POST"]),
        Route("/ws/chat", _upgrade),
        Route("/ws/performance", _upgrade),
    ]
    sockets = [
        WebSocketRoute("/ws/chat", partial(_serve_socket, parts, chat_socket)),
        WebSocketRoute("/ws/performance", partial(_serve_socket, parts, performance_socket)),
    ]
    if parts.staff is not None:
        routes.append(Route(LIVE_PATH, parts.staff.answer))
    if parts.voice is not None:
        routes += [Route(path, _upgrade) for path in parts.voice.doors]
        serve_call = partial(_serve_call, parts, parts.voice)
        sockets += [WebSocketRoute(path, serve_call) for path in parts.voice.doors]
    app = Starlette(
        routes=[*routes, *sockets],
        exception_handlers={
            AppError: answer_app_error,
            HTTPException: answer_http_error,
            Exception: answer_fault,
        },
    )
    return Counted(app, {route.path for route in routes})


async def _livez(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _readyz(parts: RealtimeParts, _request: Request) -> Response:
    checks = {
        "database": await asyncio.to_thread(_holds, parts.check_store),
        "core": parts.is_core_running() and not parts.sockets.are_closing,
    }
    is_ready = all(checks.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "ok" if is_ready else "unavailable", "checks": checks}, status)


async def _upgrade(_request: Request) -> Response:
    told = {"error": "this address speaks WebSocket only: connect with ws:// or wss://"}
    return JSONResponse(told, HTTPStatus.UPGRADE_REQUIRED, {"Upgrade": "websocket", "Connection": "Upgrade"})


async def _stream(parts: RealtimeParts, request: Request) -> Response:
    if parts.sockets.are_closing:
        raise TooBusy("this server is being stopped; try again in a second")
    authorization = request.headers.get("authorization", "")
    caller, allowance = await asyncio.to_thread(parts.callers.admit, authorization)
    headers = {"Cache-Control": "no-store"} | dict(allowance.headers() if allowance is not None else {})
    try:
        if allowance is not None:
            allowance.check()
        body = read_object(await _read_body(request), "the body")
        last_event_id = request.headers.get("last-event-id")
        reader = await asyncio.to_thread(parts.streams.open, caller.tenant_id, body, last_event_id)
    except AppError as error:
        refusal = error_response(error)
        refusal.headers.update(headers)
        return refusal
    return EventStream(reader, headers)


class EventStream(StreamingResponse):
    """A reply as it is made; the client's going ends it at once."""

    def __init__(self, reader: StreamReader, headers: Mapping[str, str]) -> None:
        super().__init__(
            _frames(reader), headers={**headers, **sse.HEADERS, "Content-Type": sse.CONTENT_TYPE}
        )
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.leave()


async def _frames(reader: StreamReader) -> AsyncIterator[bytes]:
    while not reader.is_over:
        yield sse.frames(await reader.next(reader.keep_alive_s))


async def _read_body(request: Request) -> bytes:
    """The body, if it comes in time and is no longer than it may be.

    Raises:
        InvalidRequest: it does not come.
        PayloadTooLarge: it is too long.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST_BODY:
                    raise PayloadTooLarge(f"the body is over {LONGEST_BODY} bytes")
    except (TimeoutError, ClientDisconnect):
        raise InvalidRequest(f"the body did not come within {BODY_WITHIN_S:g} s") from None
    return bytes(body)


async def _serve_socket(parts: RealtimeParts, make: MakeSocket, websocket: WebSocket) -> None:
    try:
        parts.sockets.check_room()
        caller = await parts.callers.greet(websocket)
        served = make(websocket, caller)
        with parts.sockets.listed(served):
            await served.serve()
    except WebSocketDisconnect:
        return
    except AppError as error:
        await _refuse(websocket, error)
    except Exception as error:
        log.exception("socket.fault", error=type(error).__name__)
        await close(websocket, CloseCode.FAULT, FAULT)


async def _serve_call(parts: RealtimeParts, voice: VoiceParts, websocket: WebSocket) -> None:
    try:
        parts.sockets.check_room()
        if parts.sockets.count(VoiceSocket) >= voice.most_calls:
            raise TooBusy("this server takes no more calls at once")
        served = VoiceSocket(websocket, voice)
        # Counted from its greeting on: many may come at the same moment.
        with parts.sockets.listed(served), _told(parts.sockets):
            await served.greet()
            await served.serve()
    except WebSocketDisconnect:
        return
    except AppError as error:
        await _refuse(websocket, error)
    except Exception as error:
        log.exception("socket.fault", error=type(error).__name__)
        await close(websocket, CloseCode.FAULT, FAULT)


@contextmanager
def _told(sockets: OpenSockets) -> Iterator[None]:
    """Whoever looks at the figures sees how many calls there are, this one among them."""
    metrics.CALLS.set(sockets.count(VoiceSocket))
    try:
        yield
    finally:
        metrics.CALLS.set(sockets.count(VoiceSocket) - 1)


async def _refuse(websocket: WebSocket, error: AppError) -> None:
    """Send a client away: before its socket is open with an HTTP answer, afterwards with a close code."""
    if websocket.application_state.name == "CONNECTING":
        await websocket.send_denial_response(error_response(error))
    else:
        code = CloseCode.UNAUTHENTICATED if isinstance(error, Unauthenticated) else CloseCode.FAULT
        await close(websocket, code, str(error))


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except StoreUnavailable:
        return False
    return True

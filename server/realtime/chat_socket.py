"""``/ws/chat``: a client's conversations over one socket, several at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.channels.bodies import read_object, text_field
from server.channels.chat_messages import LONGEST_CLIENT_ID, LONGEST_CONVERSATION
from server.channels.chat_streams import ChatStreams, StreamReader
from server.errors import AppError, InvalidRequest, TooBusy, Unauthenticated, UnprocessableRequest
from server.realtime.answers import FAULT, error_json
from server.realtime.callers import Caller, Callers
from server.realtime.sockets import CloseCode, close

ANSWERS_AT_ONCE = 8
# Pings keep a connection open; a client that asks nothing for so long is not one any more.
IDLE_S = 600.0
# One that reads nothing for so long is given up.
READS_WITHIN_S = 30.0

log = structlog.get_logger(__name__)

Frame = Mapping[str, Any]


class ChatSocket:
    """One client.

    Its frames are taken one after another. Each answer is written by a task of its own, which asks its stream
    for more only when the client has taken what was before; so a slow client gets fewer and longer frames.
    """

    def __init__(
        self,
        websocket: WebSocket,
        caller: Caller,
        callers: Callers,
        streams: ChatStreams,
        idle_s: float,
    ) -> None:
        self._websocket = websocket
        self._caller = caller
        self._callers = callers
        self._streams = streams
        self._idle_s = idle_s
        self._writing = asyncio.Lock()
        # Who writes the answer, and the conversation that it is for.
        self._answering: dict[asyncio.Task[None], str] = {}
        self._is_leaving = False

    async def serve(self) -> None:
        """Take the client's frames until it goes."""
        await self._send({"type": "ready", "tenant": self._caller.tenant_id})
        try:
            while (received := await self._receive()) is not None:
                await self._take(received)
        except WebSocketDisconnect:
            # It has gone, as was found in writing.
            return
        finally:
            self._stop(self._answering)

    async def go_away(self, within_s: float) -> None:
        """Take no more messages, let answers end, close."""
        self._is_leaving = True
        if self._answering:
            await asyncio.wait(self._answering, timeout=within_s)
        await close(
            self._websocket, CloseCode.GOING_AWAY, "the server stops: connect again, and resume what is open"
        )

    async def _receive(self) -> Mapping[str, Any] | None:
        """What the client sent; None once it has gone, or was silent for too long."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_s):
                    received = await self._websocket.receive()
                return received if received["type"] == "websocket.receive" else None
            if not self._answering:
                await close(self._websocket, CloseCode.IDLE, "nothing was asked for long")
                return None

    async def _take(self, received: Mapping[str, Any]) -> None:
        tags: dict[str, str] = {}
        try:
            text = received.get("text")
            if text is None:
                raise InvalidRequest("a message must be text, not binary")
            frame = read_object(text, "a message")
            tags = _tags(frame)
            await self._obey(frame, tags)
        except Unauthenticated:
            # The key was revoked: that is the end of the socket.
            raise
        except AppError as error:
            await self._send({"type": "error", **tags, **error_json(error)})

    async def _obey(self, frame: Frame, tags: Mapping[str, str]) -> None:
        match frame.get("type"):
            case "message":
                await self._answer(tags, partial(self._streams.open, last_event_id=None), frame)
            case "resume":
                last = frame.get("last_event_id")
                await self._answer(tags, partial(self._streams.resume, last_event_id=last), frame)
            case "cancel":
                await self._cancel(frame, tags)
            case "auth":
                raise InvalidRequest("the key is known already")
            case _:
                raise UnprocessableRequest("type must be message, resume or cancel")

    async def _answer(
        self, tags: Mapping[str, str], open_stream: Callable[[str, Frame], StreamReader], frame: Frame
    ) -> None:
        if self._is_leaving:
            raise TooBusy("the server stops: connect again")
        if len(self._answering) >= ANSWERS_AT_ONCE:
            raise TooBusy(f"{ANSWERS_AT_ONCE} answers are under way here: wait for one to end")
        # The key tells the tenant; who names it all the same must name the right one.
        body = {"tenant": self._caller.tenant_id, **frame}
        reader = await asyncio.to_thread(self._open, open_stream, body)
        task = asyncio.create_task(self._tell(reader, tags))
        self._answering[task] = tags.get("conversation", "")
        task.add_done_callback(self._answering.pop)
        # Not by the task itself: one that is cancelled before it has begun would not.
        task.add_done_callback(lambda _: reader.leave())

    def _open(self, open_stream: Callable[[str, Frame], StreamReader], body: Frame) -> StreamReader:
        self._callers.check(self._caller)
        allowance = self._callers.count(self._caller)
        if allowance is not None:
            allowance.check()
        return open_stream(self._caller.tenant_id, body)

    async def _tell(self, reader: StreamReader, tags: Mapping[str, str]) -> None:
        """Write one answer to its end."""
        try:
            while not reader.is_over:
                for event in await reader.next(reader.keep_alive_s):
                    await self._send({"type": event.name, "id": str(event.id), **tags, **event.data})
        except WebSocketDisconnect:
            # Whoever takes the frames hears of it too.
            return
        except Exception as error:
            log.exception("socket.fault", error=type(error).__name__)
            with suppress(WebSocketDisconnect):
                await self._send({"type": "error", **tags, "error": FAULT, "status": 500})

    async def _cancel(self, frame: Frame, tags: Mapping[str, str]) -> None:
        """Give up the answers of a conversation, or all."""
        wanted = None
        if frame.get("conversation") is not None:
            wanted = text_field(frame, "conversation", LONGEST_CONVERSATION)
        given_up = [task for task, of in self._answering.items() if wanted in (None, of)]
        self._stop(given_up)
        await self._send({"type": "cancelled", **tags, "count": len(given_up)})

    async def _send(self, frame: Frame) -> None:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        try:
            # Waits while the client does not read.
            async with asyncio.timeout(READS_WITHIN_S), self._writing:
                if self._websocket.application_state is WebSocketState.DISCONNECTED:
                    raise WebSocketDisconnect(CloseCode.GOING_AWAY, "closed already")
                await self._websocket.send_text(text.encode("utf-8", "replace").decode())
        except TimeoutError:
            raise WebSocketDisconnect(CloseCode.IDLE, "the client does not read") from None

    @staticmethod
    def _stop(tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tuple(tasks):
            task.cancel()


def _tags(frame: Frame) -> dict[str, str]:
    """What the client knows its message by: it stands in every frame of the answer."""
    longest = {"conversation": LONGEST_CONVERSATION, "message_id": LONGEST_CLIENT_ID}
    tags = {}
    for name, length in longest.items():
        with suppress(UnprocessableRequest):
            tags[name] = text_field(frame, name, length)
    return tags

"""A small server to call: scripted TwiML over HTTP and one media socket. For trying the simulator itself."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request as Upgrade
from websockets.http11 import Response as Refusal

from simulators.twilio.serving import serve_here

ORIGIN = "https://desk.example"
STREAM_ORIGIN = "wss://desk.example"
STREAM_URL = f"{STREAM_ORIGIN}/voice/stream"


@dataclass(frozen=True, slots=True)
class Asked:
    """One webhook as it came; ``url`` is the public one."""

    method: str
    url: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a webhook; it waits for ``after`` first."""

    body: str | bytes
    status: int = 200
    content_type: str = "text/xml"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: asyncio.Event | None = None


class MediaSocket:
    """The server's end of a media socket."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.headers = dict(connection.request.headers.raw_items()) if connection.request else {}
        self.messages: list[dict[str, Any]] = []
        self.stream_sid = ""

    async def begin(self) -> dict[str, Any]:
        """Read until the stream has started; returns ``start``."""
        start = dict((await self.next("start"))["start"])
        self.stream_sid = start["streamSid"]
        return start

    async def next(self, event: str) -> dict[str, Any]:
        """Read until *event* comes."""
        while True:
            message = dict(json.loads(await self.connection.recv()))
            self.messages.append(message)
            if message["event"] == event:
                return message

    async def play(self, audio: bytes) -> None:
        """Send audio to be played."""
        payload = base64.b64encode(audio).decode()
        await self.send({"event": "media", "streamSid": self.stream_sid, "media": {"payload": payload}})

    async def mark(self, name: str) -> None:
        """Ask to be told when all sent before has been played."""
        await self.send({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": name}})

    async def clear(self) -> None:
        """Have all sent before forgotten."""
        await self.send({"event": "clear", "streamSid": self.stream_sid})

    async def send(self, message: object) -> None:
        """Send a message as it is, right or wrong."""
        await self.connection.send(json.dumps(message))


class ScriptedDesk:
    """``documents`` has what each path answers, ``on_stream`` what is done with a media socket.

    A path that has no document answers 404. A document is TwiML without its ``<Response>``, a ``Reply``, or a
    function that is given what was asked. ``upgrade_status`` other than 101 refuses media sockets.
    """

    def __init__(self) -> None:
        self.documents: dict[str, str | Reply | Callable[[Asked], str | Reply]] = {}
        self.on_stream: Callable[[MediaSocket], Awaitable[None]] | None = None
        self.upgrade_status = 101
        self.asked: list[Asked] = []
        self.sockets: list[MediaSocket] = []
        self.routes: dict[str, str] = {}

    def asked_at(self, path: str) -> list[Asked]:
        """The webhooks that came to *path*."""
        return [one for one in self.asked if urlsplit(one.url).path == path]

    async def answer(self, request: Request) -> Response:
        """Answer one webhook."""
        query = f"?{request.url.query}" if request.url.query else ""
        body = (await request.body()).decode()
        asked = Asked(
            request.method,
            f"https://{request.headers['host']}{request.url.path}{query}",
            dict(parse_qsl(body, keep_blank_values=True)),
            dict(request.headers),
        )
        self.asked.append(asked)
        document = self.documents.get(request.url.path, Reply("not found", 404, "text/plain"))
        told = document(asked) if callable(document) else document
        reply = Reply(f"<Response>{told}</Response>") if isinstance(told, str) else told
        if reply.after is not None:
            await reply.after.wait()
        return Response(reply.body, reply.status, dict(reply.headers), reply.content_type)

    async def stream(self, connection: ServerConnection) -> None:
        """Serve one media socket."""
        socket = MediaSocket(connection)
        self.sockets.append(socket)
        if self.on_stream is not None:
            await self.on_stream(socket)

    def judge(self, connection: ServerConnection, _request: Upgrade) -> Refusal | None:
        """Refuse an upgrade when told to."""
        if self.upgrade_status == 101:
            return None
        return connection.respond(HTTPStatus(self.upgrade_status), "refused\n")


@asynccontextmanager
async def scripted_desk() -> AsyncIterator[ScriptedDesk]:
    """A desk on loopback for the time of the block; ``routes`` leads ``https://desk.example`` to it."""
    desk = ScriptedDesk()
    application = Starlette(routes=[Route("/{path:path}", desk.answer, methods=["GET", "POST"])])
    async with (
        serve_here(application) as origin,
        serve(
            desk.stream, "127.0.0.1", 0, process_request=desk.judge, compression=None, close_timeout=1
        ) as sockets,
    ):
        port = next(iter(sockets.sockets)).getsockname()[1]
        desk.routes = {ORIGIN: origin, STREAM_ORIGIN: f"ws://127.0.0.1:{port}"}
        yield desk

"""A small HTTP/1.1 server for simulators: keep-alive, JSON, server-sent events, and faults on the wire.

A request's handler is cancelled when its client goes away, so that a simulator knows who hung up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

_LARGEST_HEAD = 64 * 1024
_LARGEST_BODY = 4 * 1024 * 1024


class Request(NamedTuple):
    """One request. Header names are lower case; ``connection`` counts TCP connections from 1."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    connection: int


class Answer:
    """Writes the answer to one request."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer."""
        content = json.dumps(body, ensure_ascii=False).encode()
        length = {"content-type": "application/json", "content-length": str(len(content))}
        self._write(_head(status, {**length, **(headers or {})}) + content)

    def start_chunks(self, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Status and headers of a body that comes bit by bit."""
        kind = {"content-type": content_type, "transfer-encoding": "chunked"}
        self._write(_head(200, {**kind, **(headers or {})}))

    def chunk(self, content: bytes) -> None:
        """One bit of it, not empty."""
        self._write(b"%x\r\n%b\r\n" % (len(content), content))

    def end_chunks(self) -> None:
        """Its end; the connection stays."""
        self._write(b"0\r\n\r\n")

    def start_events(self, headers: Mapping[str, str] | None = None) -> None:
        """Status and headers of a stream of events."""
        self.start_chunks("text/event-stream; charset=utf-8", headers)

    def event(self, data: str) -> None:
        """One event."""
        self.chunk(f"data: {data}\n\n".encode())

    def end_events(self) -> None:
        """The end of the stream; the connection stays."""
        self.end_chunks()

    def cut(self) -> None:
        """Break the connection off."""
        self._transport.abort()

    def _write(self, content: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(content)


Handler = Callable[[Request, Answer], Coroutine[Any, Any, None]]


async def serve(handler: Handler, port: int) -> asyncio.Server:
    """Listen on 127.0.0.1; port 0 takes a free one."""
    numbers = count(1)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(handler, next(numbers)), "127.0.0.1", port)


class _Connection(asyncio.Protocol):
    """One connection: requests one after another."""

    def __init__(self, handler: Handler, number: int) -> None:
        self._handler = handler
        self._number = number
        self._received = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def _next(self) -> None:
        """Start on the next request once it is here whole and the one before is done."""
        if self._task is not None and not self._task.done():
            return
        try:
            request, self._received = _parse(self._received, self._number)
        except ValueError as error:
            Answer(self._transport).json(400, {"error": str(error)}, {"connection": "close"})
            self._transport.close()
            return
        if request is not None:
            self._task = asyncio.create_task(self._handler(request, Answer(self._transport)))
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._transport.is_closing():
            return
        if task.exception() is not None:
            # A fault of the simulator's own shows as a broken connection and on standard error.
            self._transport.abort()
            task.result()
        self._next()


def _parse(received: bytes, connection: int) -> tuple[Request | None, bytes]:
    """The first request in *received* and what follows it; None while it is not here whole.

    Raises:
        ValueError: this is no request that the server reads.
    """
    head, separator, rest = received.partition(b"\r\n\r\n")
    if not separator:
        if len(received) > _LARGEST_HEAD:
            raise ValueError("the head of the request is too large")
        return None, received
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = first.split(" ")
        headers = {
            name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)
        }
    except ValueError:
        raise ValueError("this is no HTTP/1.1 request") from None
    if "transfer-encoding" in headers:
        raise ValueError("send a content-length")
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _LARGEST_BODY:
        raise ValueError("the body is too large")
    if len(rest) < length:
        return None, received
    url = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    return Request(method, url.path, query, headers, rest[:length], connection), rest[length:]


def _head(status: int, headers: Mapping[str, Any]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {headers[name]}" for name in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

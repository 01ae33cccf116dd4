"""A sidecar's ``POST /media`` whose answers a test scripts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_server import served

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class MediaServer:
    """Answers with the next of ``answers``, the last one for ever; ``asked`` holds (secret, body) of each."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str | None, Any]] = field(default_factory=list)


def whole(content: bytes) -> Answer:
    """All of it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def status(code: int) -> Answer:
    """An error, in words of the sidecar's."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "15")
        handler.end_headers()
        handler.wfile.write(b'{"error": "no"}')

    return answer


def cut_off(content: bytes) -> Answer:
    """The connection breaks in the middle of a stream: the sidecar found the rest damaged."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        handler.close_connection = True

    return answer


def endless(piece: bytes, has_left: threading.Event | None = None) -> Answer:
    """A stream that does not end before its reader leaves, which *has_left* then tells."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left = has_left or threading.Event()
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with suppress(OSError):
            while not left.is_set():
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        left.set()
        handler.close_connection = True

    return answer


@contextmanager
def media_server(*answers: Answer) -> Iterator[MediaServer]:
    """A server on loopback for the time of the block."""
    script = MediaServer(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append((self.headers["X-Internal-Secret"], body))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            answer(self) if self.path == "/media" else status(404)(self)

        def log_message(self, *_arguments: object) -> None:
            """Tests read what was asked from the script."""

    with served(Handler) as script.url:
        yield script

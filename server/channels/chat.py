"""The chat API over Flask: a message in, the reply on the same call, whole or as it is made."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Blueprint, Response, g, request

from server.channels import sse
from server.channels.api_keys import bearer_key, owner_of
from server.channels.bodies import json_object
from server.channels.chat_messages import ChatMessages, reply_json
from server.channels.chat_streams import KEEP_ALIVE_S, ChatStreams, StreamReader
from server.channels.key_limits import KeyLimits, NoLimits
from server.errors import TooBusy
from server.inbox.answer import Answers
from server.ports.store import KeyStore

# gunicorn's, where nothing else is set.
THREADS = 64
# How soon it is noticed that a client has gone whom nothing is being written to.
LOOK_EVERY_S = 1.0


def chat_blueprint(
    answers: Answers,
    keys: KeyStore,
    limits: KeyLimits | None = None,
    messages: ChatMessages | None = None,
    keep_alive_s: float = KEEP_ALIVE_S,
    threads: int = THREADS,
) -> Blueprint:
    """``POST /api/v1/chat`` and ``/api/v1/chat/stream``.

    Args:
        limits: of calls for each key; None: none.
        messages: reads bodies; None: no model can be chosen.
        keep_alive_s: how long a stream is silent before a sign of life.
        threads: of the process. A call keeps one until its reply is there. Half of them are left to
            webhooks, which must be acknowledged at once; streams, which may last, get a quarter. `realtime`
            has room for many.
    """
    blueprint = Blueprint("chat", __name__, url_prefix="/api/v1/chat")
    limits, messages = limits or NoLimits(), messages or ChatMessages()
    streams = ChatStreams(answers, messages, keep_alive_s)
    calls = Places(threads // 2, "calls")
    streaming = Places(threads // 4, "streams")

    def admit() -> str:
        """The caller's tenant."""
        key = bearer_key(request.headers.get("Authorization", ""))
        tenant_id = owner_of(key, keys)
        allowance = limits.spend(key)
        if allowance is not None:
            g.rate_limit = allowance.headers()
            allowance.check()
        return tenant_id

    @blueprint.after_request
    def tell_limit(response: Response) -> Response:
        response.headers.update(g.get("rate_limit", {}))
        return response

    @blueprint.post("")
    def chat() -> dict[str, Any]:
        message = messages.read(admit(), json_object(request))
        with calls.one():
            return reply_json(answers.answer(message))

    @blueprint.post("/stream")
    def stream() -> Response:
        tenant_id, body = admit(), json_object(request)
        with ExitStack() as taken:
            taken.enter_context(calls.one())
            taken.enter_context(streaming.one())
            reader = streams.open(tenant_id, body, request.headers.get("Last-Event-ID"))
            taken.callback(reader.leave)
            held = taken.pop_all()
        answer = Response(_frames(reader, _has_hung_up(request.environ)), headers=sse.HEADERS)
        answer.content_type = sse.CONTENT_TYPE
        # Also when the client goes before the first word.
        answer.call_on_close(held.close)
        return answer

    return blueprint


class Places:
    """So many at once; who comes beyond that is sent away rather than kept waiting."""

    def __init__(self, count: int, what: str) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._what = what

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the time of the block.

        Raises:
            TooBusy: there is none.
        """
        if not self._free.acquire(blocking=False):
            raise TooBusy(f"too many {self._what} at once; try again in a second")
        try:
            yield
        finally:
            self._free.release()


def _frames(reader: StreamReader, has_hung_up: Callable[[], bool]) -> Iterator[bytes]:
    """What goes over the wire until the reply is whole or the client has gone."""
    # The answer's head goes with the first write: a client should know at once that it is heard.
    yield b""
    written_at = time.monotonic()
    while not reader.is_over:
        events = reader.read(min(LOOK_EVERY_S, reader.keep_alive_s))
        if not events and has_hung_up():
            return
        if events or time.monotonic() - written_at >= reader.keep_alive_s:
            yield sse.frames(events)
            written_at = time.monotonic()


def _has_hung_up(environ: dict[str, Any]) -> Callable[[], bool]:
    """Tells whether the client has closed the connection; gunicorn itself finds out when it writes."""
    connection: socket.socket | None = environ.get("gunicorn.socket")

    def has_hung_up() -> bool:
        if connection is None:
            return False
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            return True

    return has_hung_up

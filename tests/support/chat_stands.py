"""The chat API on loopback, in either process, with answers that a test says word by word."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from werkzeug.serving import make_server

from server.adapters.event_loop import EventLoopThread
from server.app import create_app
from server.channels.chat_messages import ChatMessages
from server.channels.chat_streams import ChatStreams
from server.channels.key_limits import KeyLimits, NoLimits
from server.desk import Desk
from server.domain.conversations import Reply, ReplySource
from server.domain.events import ReplyEvent
from server.domain.messages import InboundMessage
from server.errors import NotFound
from server.inbox.answer import Answers
from server.inbox.streams import ReplyStream
from server.realtime.app import RealtimeParts, make_app
from server.realtime.callers import Callers
from server.realtime.server import RealtimeServer, listen
from server.realtime.sockets import OpenSockets
from server.realtime.staff_streams import StaffStreams
from tests.fakes.keys import FakeKeys

MODELS = ("gpt-4o-mini",)
WAIT_S = 30
KEEP_ALIVE_S = 0.1
DRAIN_S = 5


class Asked:
    """One message that came in, and the stream that its reply is said to."""

    def __init__(self, message: InboundMessage, stream: ReplyStream, loop: EventLoopThread) -> None:
        self.message = message
        self.stream = stream
        self._loop = loop

    def say(self, *events: ReplyEvent) -> None:
        """Add to the reply."""
        for event in events:
            self._on_loop(partial(self.stream.say, event))

    def end(self, text: str) -> None:
        """The reply is committed."""
        reply = Reply(text=text, source=ReplySource.MODEL, language="en")
        self._on_loop(partial(self.stream.end, reply))

    def fail(self, reason: str) -> None:
        """There is none."""
        self._on_loop(partial(self.stream.fail, reason))

    def _on_loop(self, work: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def run() -> None:
            work()
            done.set_result(None)

        self._loop.call_soon(run)
        done.result(WAIT_S)


class ScriptedAnswers:
    """What of ``Answers`` the channels use; `asked` returns each message in turn."""

    def __init__(self, loop: EventLoopThread) -> None:
        self._loop = loop
        self._asked: queue.Queue[Asked] = queue.Queue()
        self._streams: list[tuple[InboundMessage, ReplyStream]] = []

    def stream(self, message: InboundMessage) -> ReplyStream:
        """A stream that nothing is said to yet; that of before for a message that is known."""
        for known, stream in self._streams:
            if known.provider_id == message.provider_id:
                stream.join()
                return stream
        stream = ReplyStream(len(self._streams) + 1)
        self._streams.append((message, stream))
        self._asked.put(Asked(message, stream, self._loop))
        return stream

    def resume(self, tenant_id: str, conversation: str, message_id: int) -> ReplyStream:
        """The stream of a message of before."""
        for message, stream in self._streams:
            if (message.tenant_id, message.address.chat_key) == (tenant_id, conversation) and (
                stream.message_id == message_id
            ):
                stream.join()
                return stream
        raise NotFound("this conversation has no such message")

    def asked(self) -> Asked:
        """The next message that came in; waits for it."""
        return self._asked.get(timeout=WAIT_S)


class ChatStand(Protocol):
    """A running server; ``key`` is of tenant 1, ``others_key`` of another."""

    url: str
    answers: ScriptedAnswers
    key: str
    others_key: str


@dataclass
class WebStand:
    """Flask behind a server of threads."""

    url: str
    answers: ScriptedAnswers
    key: str
    others_key: str


@dataclass
class RealtimeStand:
    """The realtime server."""

    url: str
    answers: ScriptedAnswers
    loop: EventLoopThread
    server: RealtimeServer
    key: str
    others_key: str
    keys: FakeKeys

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def stop(self) -> None:
        """Stop it as its process does."""
        self.loop.submit(self.server.stop()).result(WAIT_S)


@contextmanager
def realtime_stand(
    limits: KeyLimits | None = None,
    most_sockets: int = 100,
    patience_s: float = WAIT_S,
    idle_s: float = 60,
    staff: Callable[[OpenSockets], StaffStreams] | None = None,
) -> Iterator[RealtimeStand]:
    """A server for the time of the block; its figures come twenty times a second."""
    loop = EventLoopThread(worker_threads=8)
    loop.start()
    answers = ScriptedAnswers(loop)
    sockets = OpenSockets(most_sockets)
    keys = FakeKeys()
    callers = Callers(keys, limits or NoLimits(), patience_s)
    parts = RealtimeParts(
        callers=callers,
        streams=ChatStreams(cast("Answers", answers), ChatMessages(MODELS), KEEP_ALIVE_S),
        sockets=sockets,
        snapshot=lambda tenant_id: {"tenant": tenant_id},
        check_store=lambda: None,
        is_core_running=lambda: True,
        staff=None if staff is None else staff(sockets),
        idle_s=idle_s,
        figures_every_s=0.05,
    )
    listener = listen("127.0.0.1", 0)
    server = RealtimeServer(make_app(parts), sockets, DRAIN_S)
    serving = loop.submit(server.run(listener))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stand = RealtimeStand(url, answers, loop, server, keys.create("1"), keys.create("2"), keys)
    try:
        yield stand
    finally:
        if not serving.done():
            stand.stop()
        serving.result(WAIT_S)
        loop.stop()


@contextmanager
def web_stand(desk: Desk) -> Iterator[WebStand]:
    """The web application of a desk that answers nothing itself, for the time of the block."""
    loop = EventLoopThread(worker_threads=1)
    loop.start()
    answers = ScriptedAnswers(loop)
    desk.answers = cast("Answers", answers)
    server = make_server("127.0.0.1", 0, create_app(desk, "secret"), threaded=True)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    keys = desk.ports.keys
    try:
        yield WebStand(f"http://127.0.0.1:{server.server_port}", answers, keys.create("1"), keys.create("2"))
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        loop.stop()

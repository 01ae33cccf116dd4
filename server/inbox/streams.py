"""Replies that somebody reads along with while they are made: on the chat API, by HTTP stream or socket.

What a turn says goes to the streams of the messages that it answers. A stream is kept for a while after it
has ended, so that a reader whose connection broke goes on where it was.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import TTLCache

from server.domain.conversations import Reply, Turn
from server.domain.events import Replace, ReplyEvent, Token

# A reader whose connection broke has so long to come back before the turn is given up.
GRACE_S = 1.0
KEPT_S = 120.0
MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a stream. ``reply`` is None where the conversation is left to staff."""

    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a stream that brought no reply; ``reason`` may be shown to whoever reads."""

    reason: str


StreamEvent = ReplyEvent | Done | Failed


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event by its number; they count from 1 within a stream."""

    number: int
    event: StreamEvent


class ReplyStream:
    """What is said to one message. Written on the event loop, read by threads and coroutines."""

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id
        self._events: list[Numbered] = []
        self._changed = threading.Condition()
        # Of its own: who waits for the whole reply is not woken with every word.
        self._over = threading.Event()
        self._waiting: set[asyncio.Future[None]] = set()
        self._readers = 1
        self._shown = ""
        self._left_at: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.end_event is not None

    @property
    def end_event(self) -> Done | Failed | None:
        """How it ended; None while it goes on."""
        last = self._events[-1].event if self._events else None
        return last if isinstance(last, Done | Failed) else None

    def read(self, after: int, timeout_s: float) -> Sequence[Numbered]:
        """What came after number *after*; waits for it in the calling thread. Empty when the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) > after or self.has_ended, timeout_s)
            return self._events[after:]

    def wait_for_end(self, timeout_s: float) -> None:
        """Wait in the calling thread until nothing more will come, or the time is up."""
        self._over.wait(timeout_s)

    async def next(self, after: int) -> Sequence[Numbered]:
        """What came after number *after*; waits for it on the event loop that the desk runs on."""
        while len(self._events) <= after and not self.has_ended:
            changed = asyncio.get_running_loop().create_future()
            self._waiting.add(changed)
            try:
                await changed
            finally:
                self._waiting.discard(changed)
        return self._events[after:]

    def join(self) -> None:
        """One more reads."""
        with self._changed:
            self._readers += 1
            self._left_at = None

    def leave(self) -> None:
        """One reader has gone; from any thread. When nobody is left the turn is given up soon after."""
        with self._changed:
            self._readers -= 1
            if self._readers <= 0:
                self._left_at = time.monotonic()

    def is_abandoned(self) -> bool:
        """Whether everybody who read has gone, and has not come back in time."""
        left_at = self._left_at
        return left_at is not None and time.monotonic() - left_at >= GRACE_S

    def say(self, event: ReplyEvent) -> None:
        """Add *event*; nothing follows an end. On the event loop."""
        if isinstance(event, Token):
            self._shown += event.text
        elif isinstance(event, Replace):
            self._shown = event.text
        self._add(event)

    def end(self, reply: Reply | None) -> None:
        """The turn is committed; what was shown becomes what was committed. None: left to staff."""
        text = "" if reply is None else reply.text
        if text.startswith(self._shown):
            rest = text[len(self._shown) :]
            if rest:
                self.say(Token(rest))
        else:
            self.say(Replace(text))
        self._add(Done(reply))

    def fail(self, reason: str) -> None:
        """There is no reply, or not in time."""
        self._add(Failed(reason))

    def _add(self, event: StreamEvent) -> None:
        with self._changed:
            if self.has_ended:
                return
            self._events.append(Numbered(len(self._events) + 1, event))
            self._changed.notify_all()
        if isinstance(event, Done | Failed):
            self._over.set()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


class Streams:
    """The streams of one process, by the message that each is about."""

    def __init__(self) -> None:
        self._streams: TTLCache[int, ReplyStream] = TTLCache(MOST_KEPT, KEPT_S)
        self._lock = threading.Lock()

    def open(self, message_id: int) -> ReplyStream:
        """The stream of a message, joined if there is one; from any thread."""
        with self._lock:
            stream = self._streams.get(message_id)
            if stream is None:
                stream = self._streams[message_id] = ReplyStream(message_id)
            else:
                stream.join()
            return stream

    def forget(self, message_id: int) -> None:
        """A stream that brought no reply: who asks again is told what has become of the message since."""
        with self._lock:
            self._streams.pop(message_id, None)

    def hearing(self, turn: Turn) -> Hearing:
        """Everybody who reads along with *turn*, now or later."""
        return Hearing(self, [message.id for message in turn.messages])

    def get(self, message_id: int) -> ReplyStream | None:
        """The stream of a message, without reading it."""
        with self._lock:
            return self._streams.get(message_id)


class Hearing:
    """Those who read along with one turn, also who comes later; keeps the ``Hearing`` port of the turn."""

    def __init__(self, streams: Streams, message_ids: Sequence[int]) -> None:
        self._streams = streams
        self._message_ids = message_ids

    def hear(self, event: ReplyEvent) -> None:
        """Say *event* to everybody."""
        for stream in self._open():
            stream.say(event)

    def end(self, reply: Reply | None) -> None:
        """The turn is committed, or (None) left to staff."""
        for stream in self._open():
            stream.end(reply)

    def has_left(self) -> bool:
        """Whether nobody waits for the reply any more; a message that nobody reads along with waits."""
        found = self._open()
        return len(found) == len(self._message_ids) and all(stream.is_abandoned() for stream in found)

    def _open(self) -> list[ReplyStream]:
        found = [self._streams.get(message_id) for message_id in self._message_ids]
        return [stream for stream in found if stream is not None]


def told_again(message_id: int, reply: Reply | None) -> ReplyStream:
    """A stream that has ended, for one who asks after this process has forgotten it."""
    stream = ReplyStream(message_id)
    stream.end(reply)
    return stream

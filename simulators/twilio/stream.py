"""``<Connect><Stream>``: the media socket, as Twilio opens, feeds, reads and closes it.

Source: twilio.com/docs/voice/media-streams; ``notices`` says which fault has which number.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from simulators.twilio import frames, notices
from simulators.twilio.line import Line
from simulators.twilio.microphone import Utterance
from simulators.twilio.playback import Playback
from simulators.twilio.routes import Routes, Signer
from simulators.twilio.stopwatch import Bell, Stopwatch

_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 1.0
# Normal, going away, no code given.
_ORDERLY_CLOSES = frozenset({1000, 1001, 1005})
# What the server has not read beyond this is dropped: about 20 seconds of audio.
_LONGEST_BACKLOG = 300_000
# Never waited for: what is too much is dropped before.
_WRITE_LIMIT = 1_000_000


class StreamFailure(Exception):
    """The stream did not start or has broken; the TwiML behind it runs."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Broken:
    """A message that Twilio does not take: when it came, its number, what is wrong with it."""

    at: float
    code: int
    detail: str


@dataclass
class StreamRecord:
    """What happened on one media socket; times in seconds of the call.

    ``closed_by``: ``server``, ``network`` (a broken connection) or ``twilio``; None while it is open.
    ``marks`` are echoes with the time at which each left, ``cleared`` tells those that a clear brought back.
    """

    stream_sid: str
    url: str
    opened_at: float | None = None
    closed_at: float | None = None
    closed_by: str | None = None
    close_code: int | None = None
    frames_sent: int = 0
    frames_dropped: int = 0
    marks: list[tuple[float, str]] = field(default_factory=list)
    cleared: list[tuple[float, str]] = field(default_factory=list)
    violations: list[Broken] = field(default_factory=list)


@dataclass(frozen=True)
class StreamParts:
    """What a stream works with."""

    stopwatch: Stopwatch
    line: Line
    playback: Playback
    heard: Bell
    routes: Routes
    signer: Signer
    tell: Callable[[str, str], None]
    notice: Callable[[int, str], None]


class MediaStream:
    """One media socket of one call; listens to the caller while it is open."""

    def __init__(self, parts: StreamParts, record: StreamRecord, writer: frames.FrameWriter) -> None:
        self.record = record
        self._parts = parts
        self._writer = writer
        self._socket: ClientConnection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._dropped = False

    async def open(self) -> None:
        """Open the socket.

        Raises:
            StreamFailure: the server did not take it.
        """
        self._socket = await self._connect()

    async def run(self, parameters: Mapping[str, str]) -> None:
        """Be connected until the server closes the open socket.

        Raises:
            StreamFailure: the connection broke.
        """
        assert self._socket is not None  # noqa: S101 - opened first
        try:
            await self._send(frames.CONNECTED)
            await self._send(self._writer.start(parameters))
            self._parts.line.listener = self
            async for message in self._socket:
                self._take(message)
        except ConnectionClosed:
            # Those who only write meet the end of the socket here; who closed it is told below.
            pass
        finally:
            await self._close()
        if self.record.closed_by != "server":
            raise StreamFailure(notices.STREAM_CLOSED, "the connection broke")
        if self.record.close_code not in _ORDERLY_CLOSES:
            self._parts.notice(notices.STREAM_CLOSED, f"the server closed with {self.record.close_code}")

    async def hear(self, frame: bytes, _at: float) -> None:
        """20 ms of the caller, unless the server reads so slowly that it is dropped."""
        if self._socket is None:
            return
        if self._socket.transport.get_write_buffer_size() > _LONGEST_BACKLOG:
            self.record.frames_dropped += 1
            self._parts.notice(notices.STREAM_OVERFLOW, "the server does not read what the caller says")
            return
        self.record.frames_sent += 1
        await self._send(self._writer.media(frame))

    async def key(self, digit: str) -> None:
        """A key."""
        await self._send(self._writer.dtmf(digit))

    def understood(self, utterance: Utterance) -> None:
        """The server has to understand by itself."""

    def drop(self) -> None:
        """Break the connection without a word, as when a network fails."""
        if self._socket is not None:
            self._dropped = True
            self._socket.transport.abort()

    def echo_marks(self) -> None:
        """Echo the marks whose audio has been played, and come back when the next one's has."""
        now = self._parts.stopwatch.now()
        for name in self._parts.playback.reached(now):
            self.record.marks.append((now, name))
            self._later(self._writer.mark(name))
        if self._timer is not None:
            self._timer.cancel()
        due = self._parts.playback.next_mark
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(due - now, self.echo_marks)

    async def _connect(self) -> ClientConnection:
        url = self.record.url
        real = urlsplit(self._parts.routes.real(url))
        secure = real.scheme == "wss"
        public = urlsplit(url)
        try:
            socket = await connect(
                # The Host header and the path are the public ones, the address is the routed one.
                f"{real.scheme}://{public.netloc}{public.path or '/'}",
                host=real.hostname,
                port=real.port or (443 if secure else 80),
                additional_headers={"X-Twilio-Signature": self._parts.signer.signature(url, {})},
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=None,
                max_size=None,
                write_limit=_WRITE_LIMIT,
            )
        except InvalidStatus as error:
            detail = f"{url} answered {error.response.status_code}, not 101"
            raise StreamFailure(notices.STREAM_HANDSHAKE, detail) from None
        except ssl.SSLError as error:
            raise StreamFailure(notices.STREAM_TLS, f"{url}: {error}") from None
        except (InvalidHandshake, EOFError) as error:
            raise StreamFailure(notices.STREAM_HANDSHAKE, f"{url}: {error}") from None
        except (OSError, TimeoutError) as error:
            raise StreamFailure(notices.STREAM_UNREACHABLE, f"{url}: {error!r}") from None
        self.record.opened_at = self._parts.stopwatch.now()
        self._parts.tell("stream-open", url)
        return socket

    async def _close(self) -> None:
        """Stop listening and playing, and say goodbye if the server is still there."""
        now = self._parts.stopwatch.now()
        self._parts.line.listener = None
        # What the server has sent and the caller has not heard is lost.
        self._parts.playback.stop(now)
        self._parts.heard.ring()
        if self._timer is not None:
            self._timer.cancel()
        self.record.closed_at = now
        self.record.closed_by = await self._say_goodbye()
        self._parts.tell("stream-closed", f"by {self.record.closed_by}")

    async def _say_goodbye(self) -> str:
        socket = self._socket
        if socket is None or self._dropped:
            return "network"
        if socket.close_code is not None:
            self.record.close_code = socket.close_code
            return "network" if socket.close_code == 1006 else "server"
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await socket.send(self._writer.stop())
                await socket.close()
        return "twilio"

    def _take(self, received: str | bytes) -> None:
        """Do what the server wants."""
        now = self._parts.stopwatch.now()
        try:
            message = frames.read_message(received, self.record.stream_sid)
        except frames.Violation as violation:
            self._violated(now, violation.code, str(violation))
            return
        if isinstance(message, frames.Media):
            if message.has_header:
                self._violated(now, notices.STREAM_PROTOCOL, "media with a WAV header in it")
            self._parts.playback.play(message.audio, now)
            self._parts.heard.ring()
        elif isinstance(message, frames.Mark):
            self._parts.playback.mark(message.name, now)
            self.echo_marks()
        else:
            self._clear(now)

    def _clear(self, now: float) -> None:
        pending = self._parts.playback.clear(now)
        self._parts.tell("clear", f"{len(pending)} marks pending")
        self._parts.heard.ring()
        for name in pending:
            self.record.cleared.append((now, name))
            self._later(self._writer.mark(name))

    def _violated(self, now: float, code: int, detail: str) -> None:
        self.record.violations.append(Broken(now, code, detail))
        self._parts.tell("violation", f"{code} {detail}")
        if code not in {broken.code for broken in self.record.violations[:-1]}:
            # Twilio reports each once per stream.
            self._parts.notice(code, detail)

    def _later(self, message: str) -> None:
        task = asyncio.create_task(self._send(message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, message: str) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(message)

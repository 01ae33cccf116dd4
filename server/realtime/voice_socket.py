"""The media socket of one call: Twilio's, or that of a browser from which staff try the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.channels.twiml import PARAMETER
from server.domain.calls import Call, NextStep
from server.errors import AppError, Forbidden, StoreUnavailable
from server.ports.calls import CallStore
from server.realtime.doors import Admits, Door
from server.realtime.sockets import CloseCode, close
from server.voice.call import CallParts, LiveCall
from server.voice.frames import BadFrame, Connected, Incoming, Started, Stopped, Unknown, parse
from server.voice.lines import Line, line
from server.voice.recorder import RecordedCalls, Recorder
from server.voice.telephone import language_of

# Between the opening of the socket and its first message of substance.
STARTS_WITHIN_S = 10.0
# Twilio sends fifty frames a second, also of silence.
SILENT_FOR_S = 10.0
# What is kept of a call when it has ended for us.
_ENDS_WITHIN_S = 2.0
# A caller hears nothing while the database is asked: Twilio goes on where it takes longer.
STORE_WITHIN_S = 1.0
LOG_WITHIN_S = 0.5
HAND_OVER_WITHIN_S = 0.5
HISTORY_LINES = 8
# A test that was left alone in a room where others speak would have no end.
LONGEST_TEST_S = 600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceParts:
    """What the route is made of.

    ``doors`` are by the path of the socket. Beyond ``most_calls`` at once sockets are refused: Twilio goes on
    with those calls by its own means. A process that stops lets its calls go on for ``drain_s`` at most.
    """

    doors: Mapping[str, Door]
    calls: CallStore
    recorded: RecordedCalls
    parts: CallParts
    drain_s: float
    most_calls: int


class VoiceSocket:
    """The socket of one call, from its upgrade on."""

    def __init__(self, websocket: WebSocket, voice: VoiceParts) -> None:
        self._websocket = websocket
        self._voice = voice
        self._live: LiveCall | None = None
        self._admits: Admits = _nobody
        self._over = asyncio.Event()

    async def greet(self) -> None:
        """Open the socket to whom its door lets in.

        Raises:
            Forbidden: it is not for whoever asks.
            Unauthenticated: nobody knows them.
            StoreUnavailable: the database does not answer.
        """
        self._admits = await self._voice.doors[self._websocket.url.path].open(self._websocket)
        await self._websocket.accept()

    async def serve(self) -> None:
        """Talk until the call is over for us; closing the socket lets Twilio go on with what comes next."""
        try:
            started = await self._started()
            began_at = asyncio.get_running_loop().time()
            call = await self._call_of(started)
            recorder = self._voice.recorded.begin(call, began_at)
            try:
                await self._talk(call, started.stream_sid, recorder)
            finally:
                await recorder.aclose()
                if call.is_test:
                    await self._end_test(call, began_at)
        except (BadFrame, TimeoutError, Forbidden) as error:
            log.warning("call.socket_refused", error=type(error).__name__)
            await close(self._websocket, CloseCode.UNAUTHENTICATED, "not a media stream of a call that waits")
        finally:
            self._over.set()

    async def go_away(self, within_s: float) -> None:  # noqa: ARG002 - a call takes longer than an answer
        """Let the call go on to its end; one that lasts too long goes on by Twilio's own means."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._voice.drain_s):
                await self._over.wait()
        if self._live is not None:
            self._live.lose_socket()
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await self._over.wait()
        await close(self._websocket, CloseCode.GOING_AWAY, "the server stops")

    async def _receive(self) -> Incoming:
        """The next message.

        Raises:
            BadFrame: it is none of Media Streams.
            WebSocketDisconnect: the socket has ended.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", CloseCode.NORMAL))
        return parse(message.get("text") or message.get("bytes") or b"")

    async def _started(self) -> Started:
        """The message that tells of the call."""
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                message = await self._receive()
                if isinstance(message, Started):
                    return message
                if not isinstance(message, Connected | Unknown):
                    raise BadFrame("audio came before start")

    async def _call_of(self, started: Started) -> Call:
        """The call that the socket is for.

        Raises:
            Forbidden: it is for none.
            StoreUnavailable: the database did not tell in time.
        """
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                return await asyncio.to_thread(self._redeemed, started)
        except TimeoutError:
            log.error("call.store_late", call=started.call_sid)
            raise StoreUnavailable("the database is too slow for a call") from None

    def _redeemed(self, started: Started) -> Call:
        """The call that the socket is for.

        Raises:
            Forbidden: it has no token, a used one, or one of another call.
        """
        token = started.parameters.get(PARAMETER, "")
        calls = self._voice.calls
        call = calls.find(started.call_sid, HISTORY_LINES)
        is_theirs = call is not None and self._admits(started, call)
        if call is not None and is_theirs and token and calls.redeem_token(call.id, token):
            # Should the socket break, or we be killed, Twilio asks before we can tell.
            calls.go_on_with(call.id, NextStep.ASK, line(Line.NOT_HEARD, language_of(call, "")))
            return call
        raise Forbidden("this media stream belongs to no call that waits for one")

    async def _talk(self, call: Call, stream_sid: str, recorder: Recorder) -> None:
        parts = self._voice.parts
        detector = await asyncio.to_thread(parts.detectors.borrow)
        live = self._live = LiveCall(call, parts, self._send, stream_sid, detector, recorder)
        log.info("call.talks", call=call.id)
        reading = asyncio.create_task(self._read(live))
        talking = asyncio.create_task(live.run())
        try:
            done, _ = await asyncio.wait(
                {talking, live.over},
                timeout=LONGEST_TEST_S if call.is_test else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                live.hang_up()
            # Whoever goes on with the call reads its log, and the caller waits for neither.
            await asyncio.wait({talking}, timeout=LOG_WITHIN_S)
            reading.cancel()
            if live.over.done():
                step, to_say = live.over.result()
                await self._hand_over(call, step, to_say)
                # A browser has nobody else to ask what comes next.
                await close(self._websocket, CloseCode.NORMAL, step)
            await talking
        finally:
            for task in (reading, talking):
                task.cancel()
            await asyncio.gather(reading, talking, return_exceptions=True)

    async def _hand_over(self, call: Call, step: NextStep, to_say: str) -> None:
        """Keep what Twilio goes on with; without it the caller is asked to say it again."""
        log.info("call.socket_ends", call=call.id, next=step)
        try:
            async with asyncio.timeout(HAND_OVER_WITHIN_S):
                await asyncio.to_thread(self._voice.calls.go_on_with, call.id, step, to_say)
        except (TimeoutError, AppError) as error:
            log.error("call.next_step_not_kept", call=call.id, error=type(error).__name__)

    async def _end_test(self, call: Call, began_at: float) -> None:
        """Keep its end, of which no network tells."""
        seconds = round(asyncio.get_running_loop().time() - began_at)
        try:
            await asyncio.to_thread(self._voice.calls.end, call.id, "completed", seconds)
        except AppError as error:
            log.error("call.end_not_kept", call=call.id, error=type(error).__name__)

    async def _read(self, live: LiveCall) -> None:
        """Hand frames on until the socket ends."""
        try:
            while True:
                async with asyncio.timeout(SILENT_FOR_S):
                    message = await self._receive()
                live.take(message)
                if isinstance(message, Stopped):
                    return
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            log.info("call.socket_lost", call=live.call.id)
        except BadFrame:
            log.warning("call.bad_frame", call=live.call.id)
        except Exception as error:
            log.exception("call.fault", call=live.call.id, error=type(error).__name__)
        # The caller may still be there, and Twilio asks what comes next.
        live.lose_socket()

    async def _send(self, frame: str) -> None:
        if self._websocket.application_state is WebSocketState.DISCONNECTED:
            return
        try:
            await self._websocket.send_text(frame)
        except (WebSocketDisconnect, RuntimeError):
            # Whoever reads hears of it too.
            return


def _nobody(_started: Started, _call: Call) -> bool:
    return False

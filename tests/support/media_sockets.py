"""A served realtime application that calls come to, and the other end of their media sockets."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from typing import Any

import aiohttp
from starlette.types import ASGIApp

from server.channels.twilio_signature import TwilioSignatures
from server.realtime.app import RealtimeParts, make_app
from server.realtime.doors import Door, TwilioDoor
from server.realtime.server import RealtimeServer, listen
from server.realtime.sockets import OpenSockets
from server.realtime.voice_socket import VoiceParts, VoiceSocket
from server.store.calls import Calls
from server.voice.call import CallParts
from server.voice.recorder import RecordedCalls
from tests.fakes.speech import FakeSpeechToText, FakeTextToSpeech
from tests.support.phone_lines import FakeAsking, FakeDetectors

TOKEN, ACCOUNT = "t" * 32, "AC" + "1" * 32
DESK = "+97231234567"
WITHIN_S = 30.0
MOST_CALLS = 2


def twilio_door() -> TwilioDoor:
    """For what `TOKEN` has signed."""
    return TwilioDoor(TwilioSignatures(TOKEN, "https://desk.example"), ACCOUNT)


class PhoneDesk:
    """A served realtime application with one business, and what it was told."""

    def __init__(self, calls: Calls, doors: Mapping[str, Door]) -> None:
        self.calls = calls
        self.doors = doors
        self.stt = FakeSpeechToText()
        self.sockets = OpenSockets()
        self.url = ""
        self.database_url = ""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write to the database, as while a writer hangs."""
        with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    def app(self, drain_s: float = 0.1) -> ASGIApp:
        """The application."""
        nothing: Any = None
        parts = CallParts(
            stt=self.stt,
            tts=FakeTextToSpeech(),
            detectors=FakeDetectors(),  # type: ignore[arg-type]
            asking=FakeAsking(),  # type: ignore[arg-type]
        )
        voice = VoiceParts(
            doors=self.doors,
            calls=self.calls,
            recorded=RecordedCalls(nothing, nothing, nothing, timedelta(days=1)),
            parts=parts,
            drain_s=drain_s,
            most_calls=MOST_CALLS,
        )
        return make_app(
            RealtimeParts(
                callers=nothing,
                streams=nothing,
                sockets=self.sockets,
                snapshot=nothing,
                check_store=lambda: None,
                is_core_running=lambda: True,
                voice=voice,
            )
        )

    def token(self, call_id: str = "CA1") -> str:
        """Of a call that rings."""
        self.calls.ring(call_id, DESK, "+972501111111", 8)
        return self.calls.issue_token(call_id)

    async def is_free(self) -> None:
        """Return when no call is on: all that is kept of them is."""
        async with asyncio.timeout(WITHIN_S):
            while self.sockets.count(VoiceSocket):
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def opened(
        self, path: str, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.url + path, headers=headers) as socket,
        ):
            yield socket


@asynccontextmanager
async def served(desk: PhoneDesk, database_url: str) -> AsyncIterator[PhoneDesk]:
    """*desk* on loopback, for the time of the block."""
    listener = listen("127.0.0.1", 0)
    desk.database_url = database_url
    desk.url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    server = RealtimeServer(desk.app(), desk.sockets, 2.0)
    serving = asyncio.create_task(server.run(listener))
    yield desk
    await server.stop()
    await serving


def start(token: str | None, call_id: str = "CA1", account: str = ACCOUNT) -> str:
    """What a stream begins with."""
    told = {
        "accountSid": account,
        "streamSid": "MZ1",
        "callSid": call_id,
        "tracks": ["inbound"],
        "customParameters": {} if token is None else {"token": token},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": told})


CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
STOP = json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": ACCOUNT, "callSid": "CA1"}})


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code that the desk closes it with."""
    return (await closing_of(socket))[0]


async def closing_of(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    """The code and the reason that the desk closes it with."""
    reason = ""
    async with asyncio.timeout(WITHIN_S):
        while not socket.closed:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.CLOSE:
                reason = message.extra or ""
    return socket.close_code, reason


async def event(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The name of the next message."""
    return str(json.loads(await socket.receive_str(timeout=WITHIN_S))["event"])

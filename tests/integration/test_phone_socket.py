"""A media socket is Twilio's and a waiting call's, or no audio is taken from it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from twilio.request_validator import RequestValidator

from server.channels.twilio_signature import TwilioSignatures
from server.channels.twiml import STREAM_PATH
from server.domain.calls import NextStep
from server.domain.tenants import TenantSettings
from server.realtime.app import RealtimeParts, make_app
from server.realtime.server import RealtimeServer, listen
from server.realtime.sockets import CloseCode, OpenSockets
from server.realtime.voice_socket import VoiceParts, VoiceSocket
from server.store.calls import Calls
from server.store.session import Database
from server.store.tenants import Tenants
from server.voice.call import CallParts
from server.voice.lines import Line, line
from server.voice.recorder import RecordedCalls
from tests.fakes.clock import FakeClock
from tests.fakes.speech import FakeSpeechToText, FakeTextToSpeech
from tests.support.databases import SqliteTemplate
from tests.support.phone_lines import FakeAsking, FakeDetectors

TOKEN, ACCOUNT = "t" * 32, "AC" + "1" * 32
DESK = "+97231234567"
SIGNED = RequestValidator(TOKEN).compute_signature(f"wss://desk.example{STREAM_PATH}", {})
WITHIN_S = 30.0
MOST_CALLS = 2


class PhoneDesk:
    """A served realtime application with one business, and what it was told."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
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

    def app(self, drain_s: float = 0.1) -> Starlette:
        """The application."""
        nothing: Any = None
        parts = CallParts(
            stt=self.stt,
            tts=FakeTextToSpeech(),
            detectors=FakeDetectors(),  # type: ignore[arg-type]
            asking=FakeAsking(),  # type: ignore[arg-type]
        )
        voice = VoiceParts(
            signatures=TwilioSignatures(TOKEN, "https://desk.example"),
            account_sid=ACCOUNT,
            calls=self.calls,
            recorded=RecordedCalls(nothing, nothing, nothing, timedelta(days=1)),
            parts=parts,
            drain_s=drain_s,
            most_calls=MOST_CALLS,
        )
        return make_app(  # type: ignore[return-value]
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

    @asynccontextmanager
    async def opened(self, signature: str = SIGNED) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.url, headers={"X-Twilio-Signature": signature}) as socket,
        ):
            yield socket


@pytest.fixture
async def desk(sqlite_template: SqliteTemplate, clock: FakeClock) -> AsyncIterator[PhoneDesk]:
    with sqlite_template.fresh() as url:
        database = Database(url)
        Tenants(database, clock).add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
        made = PhoneDesk(Calls(database, clock, "http://desk.example"))
        listener = listen("127.0.0.1", 0)
        made.database_url = url
        made.url = f"ws://127.0.0.1:{listener.getsockname()[1]}{STREAM_PATH}"
        server = RealtimeServer(made.app(), made.sockets, 2.0)
        serving = asyncio.create_task(server.run(listener))
        yield made
        await server.stop()
        await serving
        database.close()


def start(token: str | None, call_id: str = "CA1", account: str = ACCOUNT) -> str:
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
    async with asyncio.timeout(WITHIN_S):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def event(socket: aiohttp.ClientWebSocketResponse) -> str:
    return str(json.loads(await socket.receive_str(timeout=WITHIN_S))["event"])


@pytest.mark.parametrize(
    "signature",
    ["", "forged", RequestValidator(TOKEN).compute_signature(f"https://desk.example{STREAM_PATH}", {})],
)
async def test_an_upgrade_that_twilio_has_not_signed_is_refused(desk: PhoneDesk, signature: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with desk.opened(signature):
            pass
    assert refused.value.status == 403


async def test_a_call_with_its_token_is_greeted(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        await socket.send_str(CONNECTED)
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        await socket.send_str(STOP)
        assert await closed_with(socket) == CloseCode.NORMAL
    call = desk.calls.find("CA1", 8)
    assert call is not None
    assert call.next_step is NextStep.HANG_UP


@pytest.mark.parametrize("kind", ["none", "wrong", "used", "of another call", "of another account"])
async def test_a_stream_without_a_token_of_its_own_is_closed_and_nothing_listens(
    desk: PhoneDesk, kind: str
) -> None:
    token = await asyncio.to_thread(desk.token)
    message = start(token)
    if kind == "none":
        message = start(None)
    elif kind == "wrong":
        message = start("x" * 32)
    elif kind == "used":
        assert await asyncio.to_thread(desk.calls.redeem_token, "CA1", token)
    elif kind == "of another call":
        message = start(await asyncio.to_thread(desk.token, "CA2"))
    else:
        message = start(token, account="AC" + "2" * 32)
    async with desk.opened() as socket:
        await socket.send_str(message)
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED
    assert desk.stt.recognitions == []


async def test_a_replay_of_a_calls_beginning_is_refused_while_the_call_goes_on(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket, desk.opened() as replay:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        await replay.send_str(start(token))
        assert await closed_with(replay) == CloseCode.UNAUTHENTICATED
        await socket.send_str(STOP)
        assert await closed_with(socket) == CloseCode.NORMAL
    assert len(desk.stt.recognitions) == 1


@pytest.mark.parametrize("message", ["not JSON", STOP, json.dumps({"event": "media"})])
async def test_a_stream_that_does_not_begin_with_its_call_is_closed(desk: PhoneDesk, message: str) -> None:
    async with desk.opened() as socket:
        await socket.send_str(message)
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED


async def test_binary_messages_are_no_media_stream(desk: PhoneDesk) -> None:
    async with desk.opened() as socket:
        await socket.send_bytes(b"\x00\x01")
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED


@pytest.mark.parametrize("is_binary", [True, False])
async def test_a_broken_message_leaves_the_call_to_twilios_own_means(
    desk: PhoneDesk, is_binary: bool
) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        await (socket.send_bytes(b"\x00") if is_binary else socket.send_str("{"))
        assert await closed_with(socket) == CloseCode.NORMAL
    call = desk.calls.find("CA1", 8)
    assert call is not None
    assert call.next_step is NextStep.ASK
    assert call.to_say


async def test_a_call_is_not_left_in_silence_while_the_database_hangs(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        with desk.locked():
            await socket.send_str(start(token))
            assert await closed_with(socket) == CloseCode.FAULT


async def test_a_call_goes_on_by_twilios_own_means_while_the_database_hangs(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        with desk.locked():
            await socket.send_str("{")
            assert await closed_with(socket) == CloseCode.NORMAL
    call = desk.calls.find("CA1", 8)
    assert call is not None
    assert call.next_step is NextStep.ASK
    assert call.to_say


async def test_what_is_said_if_the_socket_breaks_is_known_from_its_first_moment(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        call = desk.calls.find("CA1", 8)
        assert call is not None
        assert (call.next_step, call.to_say) == (NextStep.ASK, line(Line.NOT_HEARD, "en"))


async def test_a_call_that_outlasts_the_stop_of_its_server_goes_on_by_other_means(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with desk.opened() as socket:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        leaving = asyncio.create_task(desk.sockets.go_away(1.0))
        assert await closed_with(socket) == CloseCode.NORMAL
        await leaving
    call = desk.calls.find("CA1", 8)
    assert call is not None
    assert call.next_step is NextStep.ASK


async def test_a_call_too_many_is_refused_until_one_ends(
    desk: PhoneDesk,
) -> None:
    async with desk.opened(), desk.opened() as second:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with desk.opened():
                pass
        assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        await second.close()
        async with asyncio.timeout(WITHIN_S):
            while desk.sockets.count(VoiceSocket) == MOST_CALLS:
                await asyncio.sleep(0.01)
        async with desk.opened():
            assert desk.sockets.count(VoiceSocket) == MOST_CALLS

"""A media socket is Twilio's and a waiting call's, or no audio is taken from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from server.channels.twiml import STREAM_PATH
from server.domain.calls import NextStep
from server.domain.tenants import TenantSettings
from server.realtime.sockets import CloseCode
from server.realtime.voice_socket import VoiceSocket
from server.store.calls import Calls
from server.store.session import Database
from server.store.tenants import Tenants
from server.voice.lines import Line, line
from tests.fakes.clock import FakeClock
from tests.support.databases import SqliteTemplate
from tests.support.media_sockets import (
    CONNECTED,
    DESK,
    MOST_CALLS,
    STOP,
    TOKEN,
    WITHIN_S,
    PhoneDesk,
    closed_with,
    event,
    served,
    start,
    twilio_door,
)

SIGNED = RequestValidator(TOKEN).compute_signature(f"wss://desk.example{STREAM_PATH}", {})


def dialled(
    desk: PhoneDesk, signature: str = SIGNED
) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
    """A socket of Twilio's."""
    return desk.opened(STREAM_PATH, {"X-Twilio-Signature": signature})


@pytest.fixture
async def desk(sqlite_template: SqliteTemplate, clock: FakeClock) -> AsyncIterator[PhoneDesk]:
    with sqlite_template.fresh() as url:
        database = Database(url)
        Tenants(database, clock).add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
        made = PhoneDesk(Calls(database, clock, "http://desk.example"), {STREAM_PATH: twilio_door()})
        async with served(made, url):
            yield made
        database.close()


@pytest.mark.parametrize(
    "signature",
    ["", "forged", RequestValidator(TOKEN).compute_signature(f"https://desk.example{STREAM_PATH}", {})],
)
async def test_an_upgrade_that_twilio_has_not_signed_is_refused(desk: PhoneDesk, signature: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with dialled(desk, signature):
            pass
    assert refused.value.status == 403


async def test_a_call_with_its_token_is_greeted(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with dialled(desk) as socket:
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
    async with dialled(desk) as socket:
        await socket.send_str(message)
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED
    assert desk.stt.recognitions == []


async def test_a_replay_of_a_calls_beginning_is_refused_while_the_call_goes_on(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with dialled(desk) as socket, dialled(desk) as replay:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        await replay.send_str(start(token))
        assert await closed_with(replay) == CloseCode.UNAUTHENTICATED
        await socket.send_str(STOP)
        assert await closed_with(socket) == CloseCode.NORMAL
    assert len(desk.stt.recognitions) == 1


@pytest.mark.parametrize("message", ["not JSON", STOP, json.dumps({"event": "media"})])
async def test_a_stream_that_does_not_begin_with_its_call_is_closed(desk: PhoneDesk, message: str) -> None:
    async with dialled(desk) as socket:
        await socket.send_str(message)
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED


async def test_binary_messages_are_no_media_stream(desk: PhoneDesk) -> None:
    async with dialled(desk) as socket:
        await socket.send_bytes(b"\x00\x01")
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED


@pytest.mark.parametrize("is_binary", [True, False])
async def test_a_broken_message_leaves_the_call_to_twilios_own_means(
    desk: PhoneDesk, is_binary: bool
) -> None:
    token = await asyncio.to_thread(desk.token)
    async with dialled(desk) as socket:
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
    async with dialled(desk) as socket:
        with desk.locked():
            await socket.send_str(start(token))
            assert await closed_with(socket) == CloseCode.FAULT


async def test_a_call_goes_on_by_twilios_own_means_while_the_database_hangs(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with dialled(desk) as socket:
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
    async with dialled(desk) as socket:
        await socket.send_str(start(token))
        assert await event(socket) == "media"
        call = desk.calls.find("CA1", 8)
        assert call is not None
        assert (call.next_step, call.to_say) == (NextStep.ASK, line(Line.NOT_HEARD, "en"))


async def test_a_call_that_outlasts_the_stop_of_its_server_goes_on_by_other_means(desk: PhoneDesk) -> None:
    token = await asyncio.to_thread(desk.token)
    async with dialled(desk) as socket:
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
    async with dialled(desk), dialled(desk) as second:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with dialled(desk):
                pass
        assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
        await second.close()
        async with asyncio.timeout(WITHIN_S):
            while desk.sockets.count(VoiceSocket) == MOST_CALLS:
                await asyncio.sleep(0.01)
        async with dialled(desk):
            assert desk.sockets.count(VoiceSocket) == MOST_CALLS

"""The simulated REST API through the official client: calls that are redirected and ended, recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulators.twilio import mulaw
from simulators.twilio.account import Account, Number
from simulators.twilio.caller import Caller
from simulators.twilio.desk import ORIGIN, STREAM_URL, MediaSocket, ScriptedDesk, scripted_desk
from simulators.twilio.network import PhoneNetwork, phone_network

TOKEN = "the-auth-token"
OURS, GUEST = "+97231234567", "+972501234567"


class SimulatedApi(TwilioHttpClient):  # type: ignore[misc]
    """Leads the official client to the simulator: all but the origin of each URL stays."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=5)
        self._api_url = api_url

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """As Twilio's own, to another origin."""
        return super().request(
            method, url.replace("https://api.twilio.com", self._api_url), *arguments, **options
        )


@pytest.fixture
async def desk() -> AsyncIterator[ScriptedDesk]:
    async with scripted_desk() as made:
        made.documents["/voice"] = (
            f'<Connect><Stream url="{STREAM_URL}"/></Connect><Redirect>/turn</Redirect>'
        )
        made.documents["/transfer"] = "<Say>One moment, please</Say>"

        async def talk(socket: MediaSocket) -> None:
            await socket.begin()
            await socket.next("stop")

        made.on_stream = talk
        yield made


@pytest.fixture
def account() -> Account:
    return Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})


@pytest.fixture
async def network(desk: ScriptedDesk, account: Account) -> AsyncIterator[PhoneNetwork]:
    async with phone_network(account, desk.routes) as made:
        yield made


@pytest.fixture
def client(network: PhoneNetwork, account: Account) -> Client:
    return Client(account.account_sid, TOKEN, http_client=SimulatedApi(network.api_url))


async def connected(network: PhoneNetwork) -> Caller:
    caller = network.dial(OURS, from_=GUEST)
    await caller.connected()
    return caller


async def test_a_live_call_is_shown(network: PhoneNetwork, client: Client) -> None:
    caller = await connected(network)
    shown = await asyncio.to_thread(client.calls(caller.call.sid).fetch)
    assert (shown.sid, shown.status, shown.to, shown._from) == (caller.call.sid, "in-progress", OURS, GUEST)
    assert shown.start_time is not None
    assert shown.duration is None
    await caller.hang_up()
    after = await asyncio.to_thread(client.calls(caller.call.sid).fetch)
    assert (after.status, after.duration) == ("completed", str(caller.call.times.duration_s()))
    assert [call.sid for call in await asyncio.to_thread(client.calls.list)] == [caller.call.sid]


async def test_a_live_call_is_redirected_to_a_url(
    desk: ScriptedDesk, network: PhoneNetwork, client: Client
) -> None:
    caller = await connected(network)
    await asyncio.to_thread(lambda: client.calls(caller.call.sid).update(url=f"{ORIGIN}/transfer"))
    await caller.ended()
    assert caller.call.streams[0].closed_by == "twilio"
    assert desk.asked_at("/transfer")[0].parameters["CallSid"] == caller.call.sid
    assert desk.asked_at("/turn") == []


async def test_a_live_call_is_given_new_twiml(network: PhoneNetwork, client: Client) -> None:
    caller = await connected(network)
    twiml = "<Response><Say>Please hold</Say></Response>"
    await asyncio.to_thread(lambda: client.calls(caller.call.sid).update(twiml=twiml))
    await caller.ended()
    assert [event.detail for event in caller.call.events if event.kind == "say"] == ["[en-US] Please hold"]


async def test_a_live_call_is_ended(desk: ScriptedDesk, network: PhoneNetwork, client: Client) -> None:
    caller = await connected(network)
    await asyncio.to_thread(lambda: client.calls(caller.call.sid).update(status="completed"))
    await caller.ended()
    assert caller.call.status == "completed"
    assert desk.asked_at("/turn") == []


@pytest.mark.parametrize(
    "change", [{"url": "https://a.example/"}, {"twiml": "<Response/>"}, {"status": "completed"}]
)
async def test_a_call_that_is_over_is_not_changed(
    network: PhoneNetwork, client: Client, change: dict[str, str]
) -> None:
    caller = await connected(network)
    await caller.hang_up()
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: client.calls(caller.call.sid).update(**change))
    assert (caught.value.status, caught.value.code) == (400, 21220)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 20001),
        ({"status": "ringing"}, 20001),
        ({"url": "/transfer"}, 21205),
        ({"twiml": "x" * 4001}, 20001),
    ],
)
async def test_a_wrong_change_is_refused(
    network: PhoneNetwork, client: Client, change: dict[str, str], code: int
) -> None:
    caller = await connected(network)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: client.calls(caller.call.sid).update(**change))
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caller.call.is_live


async def test_an_unknown_call_is_not_found(client: Client) -> None:
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client.calls("CA" + "0" * 32).fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_wrong_credentials_are_refused(network: PhoneNetwork, account: Account) -> None:
    stranger = Client(account.account_sid, "wrong", http_client=SimulatedApi(network.api_url))
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(stranger.calls("CA1").fetch)
    assert (caught.value.status, caught.value.code) == (401, 20003)
    path = f"{network.api_url}/2010-04-01/Accounts/{account.account_sid}/Calls.json"
    answer = await asyncio.to_thread(requests.get, path, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["more_info"].endswith("/20003")


async def test_another_account_and_another_path_are_not_found(
    network: PhoneNetwork, account: Account
) -> None:
    base = f"{network.api_url}/2010-04-01/Accounts"
    for path in ("ACother/Calls.json", f"{account.account_sid}/Messages.json"):
        auth = (account.account_sid, TOKEN)
        answer = await asyncio.to_thread(requests.get, f"{base}/{path}", auth=auth, timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (404, 20404)


async def test_a_recording_is_fetched_and_deleted(
    desk: ScriptedDesk, network: PhoneNetwork, client: Client, account: Account
) -> None:
    audio = b"\x10" * 8000
    desk.documents["/voice"] = '<Record action="/kept" playBeep="false" finishOnKey="#"/>'
    desk.documents["/kept"] = "<Hangup/>"
    caller = network.dial(OURS, from_=GUEST)
    await caller.answered()
    await caller.say(audio, "")
    await caller.press("#")
    await caller.ended()
    url = desk.asked_at("/kept")[0].parameters["RecordingUrl"]
    refused = await asyncio.to_thread(requests.get, url, timeout=5)
    assert refused.status_code == 401
    for ending in ("", ".wav"):
        got = await asyncio.to_thread(
            requests.get, url + ending, auth=(account.account_sid, TOKEN), timeout=5
        )
        assert got.headers["content-type"] == "audio/x-wav"
        assert mulaw.from_wav(got.content) == audio
    (listed,) = await asyncio.to_thread(client.recordings.list)
    assert (listed.call_sid, listed.duration, listed.status) == (caller.call.sid, "1", "completed")
    (of_call,) = await asyncio.to_thread(client.calls(caller.call.sid).recordings.list)
    assert of_call.sid == listed.sid
    assert await asyncio.to_thread(client.recordings(listed.sid).delete)
    with pytest.raises(TwilioRestException):
        await asyncio.to_thread(client.recordings(listed.sid).fetch)

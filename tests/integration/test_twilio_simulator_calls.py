"""A simulated call as a server meets it: signed webhooks, documents that run or are refused, callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from simulators.twilio import notices
from simulators.twilio.account import Account, Number
from simulators.twilio.caller import Caller, CallerWaitedInVain
from simulators.twilio.desk import ORIGIN, Asked, Reply, ScriptedDesk, scripted_desk
from simulators.twilio.network import PhoneNetwork, phone_network

TOKEN = "the-auth-token"
OURS, GUEST = "+97231234567", "+972501234567"
ALL_EVENTS: Any = ("initiated", "ringing", "answered", "completed")


@pytest.fixture
async def desk() -> AsyncIterator[ScriptedDesk]:
    async with scripted_desk() as made:
        yield made


@pytest.fixture
async def network(desk: ScriptedDesk) -> AsyncIterator[PhoneNetwork]:
    number = Number(
        voice_url=f"{ORIGIN}/voice?tenant=1", status_callback=f"{ORIGIN}/status", status_events=ALL_EVENTS
    )
    async with phone_network(
        Account(TOKEN, numbers={OURS: number}), desk.routes, webhook_timeout_s=5
    ) as made:
        yield made


async def call_through(network: PhoneNetwork) -> Caller:
    """A call that the server brings to its end."""
    caller = network.dial(OURS, from_=GUEST)
    await caller.ended()
    return caller


def codes(caller: Caller) -> list[int]:
    return [notice.code for notice in caller.call.notices]


def is_signed(asked: Asked) -> bool:
    signature = asked.headers["x-twilio-signature"]
    return bool(RequestValidator(TOKEN).validate(asked.url, dict(asked.parameters), signature))


async def test_every_webhook_is_signed_over_its_public_url(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = '<Redirect method="GET">/other?a=b</Redirect>'
    desk.documents["/other"] = "<Hangup/>"
    desk.documents["/status"] = ""
    await call_through(network)
    paths = ["/other?a=b", "/status", "/status", "/status", "/status", "/voice?tenant=1"]
    assert sorted(asked.url.partition("&CallSid")[0] for asked in desk.asked) == [
        ORIGIN + path for path in paths
    ]
    assert all(is_signed(asked) for asked in desk.asked)
    other = desk.asked_at("/other")[0]
    assert (other.method, other.parameters) == ("GET", {})
    assert "CallSid=CA" in other.url
    wrong = RequestValidator("another-token")
    first = desk.asked[0]
    assert not wrong.validate(first.url, dict(first.parameters), first.headers["x-twilio-signature"])


async def test_a_webhook_tells_who_calls_whom(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = "<Hangup/>"
    desk.documents["/status"] = ""
    caller = await call_through(network)
    assert desk.asked_at("/voice")[0].parameters == {
        "CallSid": caller.call.sid,
        "AccountSid": network.exchange.account.account_sid,
        "From": GUEST,
        "To": OURS,
        "Caller": GUEST,
        "Called": OURS,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }


async def test_the_status_callback_hears_of_each_step(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = '<Pause length="1"/><Say>Goodbye</Say>'
    desk.documents["/status"] = ""
    caller = await call_through(network)
    told = sorted(
        (asked.parameters for asked in desk.asked_at("/status")), key=lambda one: one["SequenceNumber"]
    )
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
    assert [one.get("CallDuration") for one in told[:3]] == [None] * 3
    assert told[-1]["CallDuration"] == str(caller.call.times.duration_s())
    assert {one["CallSid"] for one in told} == {caller.call.sid}
    assert caller.call.notices == []


async def test_a_status_callback_that_hangs_holds_up_nothing_but_itself(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    released = asyncio.Event()
    desk.documents["/voice"] = "<Say>Hello</Say>"
    desk.documents["/status"] = Reply("", after=released)
    caller = network.dial(OURS, from_=GUEST)
    await caller.sees("ended")
    released.set()
    await caller.ended()
    assert len(desk.asked_at("/status")) == 4


async def test_by_default_the_end_alone_is_told(desk: ScriptedDesk) -> None:
    desk.documents["/voice"] = "<Hangup/>"
    desk.documents["/status"] = ""
    number = Number(voice_url=f"{ORIGIN}/voice", status_callback=f"{ORIGIN}/status")
    async with phone_network(Account(TOKEN, numbers={OURS: number}), desk.routes) as network:
        await call_through(network)
    assert [asked.parameters["CallStatus"] for asked in desk.asked_at("/status")] == ["completed"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply("broken", 500, "text/plain"), notices.HTTP_RETRIEVAL),
        (Reply("no", 403, "text/plain"), notices.HTTP_RETRIEVAL),
        (Reply('{"ok":true}', 200, "application/json"), notices.CONTENT_TYPE),
        (Reply("<Response/>", 200, "text/html"), notices.CONTENT_TYPE),
        (Reply("<Response>", 200, "text/xml"), notices.DOCUMENT_PARSE),
        (Reply("", 200, "text/xml"), notices.DOCUMENT_PARSE),
        ("<Speak>hello</Speak>", notices.SCHEMA),
        ("<Connect/>", notices.SCHEMA),
        ('<Connect><Stream url="ws://desk.example/s"/></Connect>', notices.STREAM_SCHEME),
        ('<Connect><Stream url="http://desk.example/s"/></Connect>', notices.STREAM_SCHEME),
        ('<Connect><Stream url="wss://desk.example/s?t=1"/></Connect>', notices.STREAM_HANDSHAKE),
        (
            f'<Connect><Stream url="wss://a/s"><Parameter name="t" value="{"x" * 500}"/></Stream></Connect>',
            notices.SCHEMA,
        ),
        (Reply("", 302, headers={"location": "/voice"}), notices.TOO_MANY_REDIRECTS),
    ],
)
async def test_a_document_that_twilio_refuses_ends_the_call(
    desk: ScriptedDesk, network: PhoneNetwork, answer: str | Reply, code: int
) -> None:
    desk.documents["/voice"] = answer
    desk.documents["/status"] = ""
    caller = await call_through(network)
    assert codes(caller) == [code]
    assert caller.call.notices[0].level == "error"
    assert not desk.sockets


async def test_a_webhook_that_takes_too_long_ends_the_call(desk: ScriptedDesk) -> None:
    never = asyncio.Event()
    desk.documents["/voice"] = Reply("<Response/>", after=never)
    account = Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    async with phone_network(account, desk.routes, webhook_timeout_s=0.2) as network:
        caller = await call_through(network)
    never.set()
    assert codes(caller) == [notices.HTTP_RETRIEVAL]
    assert "not answered within 0.2 s" in caller.call.notices[0].detail
    assert caller.call.status == "failed"


async def test_a_server_that_is_not_there_ends_the_call() -> None:
    account = Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    async with phone_network(account, {ORIGIN: "http://127.0.0.1:1"}) as network:
        caller = await call_through(network)
    assert codes(caller) == [notices.HTTP_RETRIEVAL]


async def test_the_fallback_url_is_told_what_failed(desk: ScriptedDesk) -> None:
    desk.documents["/voice"] = Reply("broken", 500, "text/plain")
    desk.documents["/fallback"] = "<Say>One moment</Say>"
    number = Number(voice_url=f"{ORIGIN}/voice", fallback_url=f"{ORIGIN}/fallback")
    async with phone_network(Account(TOKEN, numbers={OURS: number}), desk.routes) as network:
        caller = await call_through(network)
    told = desk.asked_at("/fallback")[0].parameters
    assert (told["ErrorCode"], told["ErrorUrl"]) == ("11200", f"{ORIGIN}/voice")
    assert caller.call.status == "completed"
    assert [event.detail for event in caller.call.events if event.kind == "say"] == ["[en-US] One moment"]


async def test_a_redirect_of_http_is_followed_and_signed_anew(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = Reply("", 307, headers={"location": "/moved"})
    desk.documents["/moved"] = "<Hangup/>"
    desk.documents["/status"] = ""
    caller = await call_through(network)
    moved = desk.asked_at("/moved")[0]
    assert moved.method == "POST"
    assert is_signed(moved)
    assert codes(caller) == []


@pytest.mark.parametrize(
    ("verb", "status"), [('<Reject reason="busy"/>', "busy"), ("<Reject/>", "no-answer")]
)
async def test_a_rejected_call_is_never_answered(
    desk: ScriptedDesk, network: PhoneNetwork, verb: str, status: str
) -> None:
    desk.documents["/voice"] = verb
    desk.documents["/status"] = ""
    caller = await call_through(network)
    assert caller.call.answered_at is None
    (last,) = (asked.parameters for asked in desk.asked_at("/status") if "CallDuration" in asked.parameters)
    assert (last["CallStatus"], last["CallDuration"]) == (status, "0")


async def test_a_caller_who_hangs_up_while_it_rings_was_not_answered(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    never = asyncio.Event()
    desk.documents["/voice"] = Reply("<Response/>", after=never)
    desk.documents["/status"] = ""
    caller = network.dial(OURS, from_=GUEST)
    while not desk.asked_at("/voice"):
        await caller.call.happened.wait(0.01)
    await caller.hang_up()
    never.set()
    assert caller.call.status == "no-answer"


async def test_a_wait_in_vain_tells_what_happened_instead(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    desk.documents["/voice"] = "<Say>Goodbye</Say>"
    desk.documents["/status"] = ""
    caller = network.dial(OURS, from_=GUEST)
    with pytest.raises(CallerWaitedInVain, match=r"media stream 1; the call has ended:\n(.*\n)*.*Goodbye"):
        await caller.connected()


async def test_a_play_that_fails_is_warned_of_and_the_call_goes_on(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = "<Play>/missing.wav</Play><Say>Hello</Say>"
    desk.documents["/status"] = ""
    caller = await call_through(network)
    assert [(notice.code, notice.level) for notice in caller.call.notices] == [(11200, "warning")]
    assert caller.call.events[-2].kind == "say"


async def test_ids_are_the_same_under_the_same_seed() -> None:
    assert Account(TOKEN, seed=3).new_sid("CA") == Account(TOKEN, seed=3).new_sid("CA")
    assert Account(TOKEN, seed=3).new_sid("CA") != Account(TOKEN, seed=4).new_sid("CA")
    assert len(Account(TOKEN).new_sid("CA")) == 34


@pytest.mark.parametrize(
    ("say", "code"),
    [
        ('<Say language="he-IL" voice="Polly.Joanna">שלום</Say>', notices.SAY_VOICE),
        ('<Say language="he-IL" voice="woman">שלום</Say>', notices.SAY_VOICE),
        ('<Say language="he-IL" voice="Google.en-US-Standard-A">שלום</Say>', notices.SAY_VOICE),
        ('<Say voice="Somebody">Hello</Say>', notices.SAY_VOICE),
        ("<Say/>", notices.SAY_TEXT),
        (f"<Say>{'a' * 4097}</Say>", notices.SAY_TEXT),
    ],
)
async def test_what_no_voice_can_say_is_skipped_with_a_warning(
    desk: ScriptedDesk, network: PhoneNetwork, say: str, code: int
) -> None:
    desk.documents["/voice"] = f'{say}<Say language="he-IL" voice="Google.he-IL-Wavenet-A">שלום</Say>'
    desk.documents["/status"] = ""
    caller = await call_through(network)
    assert [(notice.code, notice.level) for notice in caller.call.notices] == [(code, "warning")]
    assert [event.detail for event in caller.call.events if event.kind == "say"] == ["[he-IL] שלום"]

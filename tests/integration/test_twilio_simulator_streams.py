"""A simulated media stream: how it opens, keeps time, plays, refuses, and what runs when it is over."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import pytest
from twilio.request_validator import RequestValidator

from simulators.twilio import figures, mulaw, notices, speech
from simulators.twilio.account import Account, Number
from simulators.twilio.caller import Caller
from simulators.twilio.desk import ORIGIN, STREAM_URL, MediaSocket, ScriptedDesk, scripted_desk
from simulators.twilio.network import PhoneNetwork, phone_network

TOKEN = "the-auth-token"
OURS, GUEST = "+97231234567", "+972501234567"
LOUD = b"\x10" * mulaw.FRAME_BYTES
SECOND = LOUD * 50

Talk = Callable[[MediaSocket], Awaitable[None]]


@pytest.fixture
async def desk() -> AsyncIterator[ScriptedDesk]:
    async with scripted_desk() as made:
        made.documents["/voice"] = (
            f'<Connect><Stream url="{STREAM_URL}" statusCallback="/stream">'
            '<Parameter name="token" value="t-1"/></Stream></Connect><Redirect>/turn</Redirect>'
        )
        made.documents["/turn"] = "<Hangup/>"
        made.documents["/stream"] = ""
        yield made


@pytest.fixture
async def network(desk: ScriptedDesk) -> AsyncIterator[PhoneNetwork]:
    account = Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    async with phone_network(account, desk.routes) as made:
        yield made


async def connect(desk: ScriptedDesk, network: PhoneNetwork, talk: Talk) -> Caller:
    """A caller on an open stream, on which the server does *talk*."""
    desk.on_stream = talk
    caller = network.dial(OURS, from_=GUEST)
    await caller.connected()
    return caller


async def end_when_told(socket: MediaSocket) -> None:
    """Listen until the other side closes."""
    await socket.begin()
    async for message in socket.connection:
        socket.messages.append({"raw": message})


async def test_the_upgrade_is_signed_over_the_public_wss_url(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    starts: list[dict[str, object]] = []

    async def talk(socket: MediaSocket) -> None:
        starts.append(await socket.begin())

    caller = await connect(desk, network, talk)
    await caller.ended()
    headers = {name.lower(): value for name, value in desk.sockets[0].headers.items()}
    assert headers["host"] == "desk.example"
    assert RequestValidator(TOKEN).validate(STREAM_URL, {}, headers["x-twilio-signature"])
    assert not RequestValidator("other").validate(STREAM_URL, {}, headers["x-twilio-signature"])
    assert starts[0]["customParameters"] == {"token": "t-1"}
    assert starts[0]["callSid"] == caller.call.sid
    assert [message["event"] for message in desk.sockets[0].messages] == ["connected", "start"]


async def test_frames_are_numbered_without_gaps_and_keep_to_20_ms(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    media: list[dict[str, str]] = []

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        while len(media) < 60:
            media.append((await socket.next("media"))["media"])

    caller = await connect(desk, network, talk)
    await caller.ended()
    assert [int(one["chunk"]) for one in media] == list(range(1, 61))
    assert {int(b["timestamp"]) - int(a["timestamp"]) for a, b in pairwise(media)} == {20}
    assert {len(base64.b64decode(one["payload"])) for one in media} == {160}
    # Drift-free: 60 frames take no less than their time, whatever single ones were late.
    stream = caller.call.streams[0]
    assert stream.opened_at is not None
    assert stream.closed_at is not None
    assert stream.closed_at - stream.opened_at > 59 * mulaw.FRAME_S - 0.02
    assert figures.lateness([caller.call]).frames >= 60


async def test_what_the_caller_says_and_presses_reaches_the_server(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    heard = bytearray()
    keys: list[str] = []

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        while len(keys) < 3:
            message = await socket.next("media") if not keys else await socket.next("dtmf")
            if message["event"] == "media":
                heard.extend(base64.b64decode(message["media"]["payload"]))
                keys.extend(["-"] if SECOND[:4000] in heard else [])
            else:
                keys.append(message["dtmf"]["digit"])

    caller = await connect(desk, network, talk)
    said = await caller.say(SECOND[:4000], "half a second")
    await caller.press("1#")
    await caller.ended()
    assert keys == ["-", "1", "#"]
    assert said.started_at is not None
    assert said.quiet_at is not None
    assert said.quiet_at - said.started_at == pytest.approx(0.5)
    caller_channel, _ = figures.channels(caller.call)
    assert caller_channel[round(said.started_at * 8000) :][:4000] == SECOND[:4000]


async def test_a_mark_comes_back_when_the_audio_before_it_has_been_played(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.mark("at once")
        await socket.play(SECOND)
        await socket.mark("after a second")
        await socket.play(LOUD * 10)
        await socket.mark("and a fifth")
        for name in ("at once", "after a second", "and a fifth"):
            assert (await socket.next("mark"))["mark"] == {"name": name}

    caller = await connect(desk, network, talk)
    await caller.ended()
    first, second, third = caller.call.streams[0].marks
    began = caller.call.playback.arrivals[0].at
    assert [name for _, name in (first, second, third)] == ["at once", "after a second", "and a fifth"]
    # Never before its time, and in the time's order; how exact the due times are is proved without a clock.
    assert first[0] <= began
    assert second[0] >= began + 1.0
    assert third[0] >= began + 1.2


async def test_a_clear_brings_back_all_marks_at_once_and_silence(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        for name in ("one", "two", "three"):
            await socket.play(SECOND * 20)
            await socket.mark(name)
        await socket.next("media")
        await socket.clear()
        assert [(await socket.next("mark"))["mark"]["name"] for _ in range(3)] == ["one", "two", "three"]

    caller = await connect(desk, network, talk)
    await caller.ended()
    stream = caller.call.streams[0]
    assert stream.marks == []
    assert [name for _, name in stream.cleared] == ["one", "two", "three"]
    (clear,) = figures.clears(caller.call)
    assert clear.silent_at == clear.at
    assert {at for at, _ in stream.cleared} == {clear.at}
    _, heard = figures.channels(caller.call)
    assert not heard[round(clear.at * 8000) + 1 :].strip(bytes([mulaw.SILENCE]))


async def test_audio_that_goes_on_after_a_clear_shows(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(SECOND * 5)
        await socket.next("media")
        await socket.clear()
        await socket.play(SECOND)
        await socket.mark("late")
        await socket.next("mark")

    caller = await connect(desk, network, talk)
    await caller.ended()
    (clear,) = figures.clears(caller.call)
    assert clear.silent_at - clear.at >= 1.0


async def test_an_interruption_tells_when_it_became_silent(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(SECOND * 10)
        while not mulaw.is_loud(base64.b64decode((await socket.next("media"))["media"]["payload"])):
            pass
        await socket.clear()
        await socket.next("stop")

    caller = await connect(desk, network, talk)
    taken = await caller.interrupts(0.3, LOUD * 10)
    assert caller.call.playback.clears[0] == pytest.approx(taken.silent_at)
    assert taken.silent_at >= taken.spoke_at
    loud = caller.call.playback.loud
    assert loud.reaches(0.3, since=0.0) is not None
    await caller.hang_up()


async def test_hanging_up_sends_stop_and_runs_nothing_more(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    stops: list[dict[str, object]] = []

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        stops.append(await socket.next("stop"))

    caller = await connect(desk, network, talk)
    await caller.hang_up()
    assert stops[0]["stop"] == {"accountSid": "AC" + "5" * 32, "callSid": caller.call.sid}
    assert caller.call.streams[0].closed_by == "twilio"
    assert caller.call.status == "completed"
    assert desk.asked_at("/turn") == []


async def test_when_the_server_closes_the_next_verb_runs(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(SECOND * 60)

    caller = await connect(desk, network, talk)
    await caller.ended()
    stream = caller.call.streams[0]
    assert (stream.closed_by, stream.close_code) == ("server", 1000)
    assert len(desk.asked_at("/turn")) == 1
    assert caller.call.notices == []
    events = [asked.parameters["StreamEvent"] for asked in desk.asked_at("/stream")]
    assert sorted(events) == ["stream-started", "stream-stopped"]
    # What was still queued is not heard any more.
    assert stream.closed_at is not None
    assert caller.call.playback.loud.first_after(stream.closed_at) is None


async def test_a_close_in_error_is_noted(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.connection.close(1011)

    caller = await connect(desk, network, talk)
    await caller.ended()
    assert [notice.code for notice in caller.call.notices] == [notices.STREAM_CLOSED]
    assert len(desk.asked_at("/turn")) == 1


async def test_a_socket_that_breaks_goes_on_to_the_next_verb(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        socket.connection.transport.abort()

    caller = await connect(desk, network, talk)
    await caller.ended()
    assert caller.call.streams[0].closed_by == "network"
    assert [notice.code for notice in caller.call.notices] == [notices.STREAM_CLOSED]
    assert len(desk.asked_at("/turn")) == 1
    assert "stream-error" in [asked.parameters["StreamEvent"] for asked in desk.asked_at("/stream")]


async def test_a_caller_can_drop_the_socket_and_stay_on_the_line(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    closed: list[int | None] = []

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.connection.wait_closed()
        closed.append(socket.connection.close_code)

    caller = await connect(desk, network, talk)
    caller.drop_stream()
    await caller.ended()
    assert closed == [1006]
    assert len(desk.asked_at("/turn")) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_a_refused_upgrade_goes_on_to_the_next_verb(
    desk: ScriptedDesk, network: PhoneNetwork, status: int
) -> None:
    desk.upgrade_status = status
    caller = network.dial(OURS, from_=GUEST)
    await caller.ended()
    (notice,) = caller.call.notices
    assert (notice.code, notice.level) == (notices.STREAM_HANDSHAKE, "error")
    assert str(status) in notice.detail
    assert len(desk.asked_at("/turn")) == 1


async def test_a_media_server_that_is_not_there_goes_on_to_the_next_verb(desk: ScriptedDesk) -> None:
    account = Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    routes = {**desk.routes, "wss://desk.example": "ws://127.0.0.1:1"}
    async with phone_network(account, routes) as network:
        caller = network.dial(OURS, from_=GUEST)
        await caller.ended()
    assert [notice.code for notice in caller.call.notices] == [notices.STREAM_UNREACHABLE]
    assert len(desk.asked_at("/turn")) == 1


async def test_a_media_server_without_tls_behind_wss_is_an_error_of_tls(desk: ScriptedDesk) -> None:
    account = Account(TOKEN, numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    plain = desk.routes[ORIGIN].replace("http://", "wss://")
    routes = {**desk.routes, "wss://desk.example": plain}
    async with phone_network(account, routes) as network:
        caller = network.dial(OURS, from_=GUEST)
        await caller.ended()
    assert [notice.code for notice in caller.call.notices] == [notices.STREAM_TLS]
    assert len(desk.asked_at("/turn")) == 1


async def test_an_action_of_connect_is_asked_instead_of_the_next_verb(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    desk.documents["/voice"] = (
        f'<Connect action="/after"><Stream url="{STREAM_URL}"/></Connect><Redirect>/turn</Redirect>'
    )
    desk.documents["/after"] = "<Hangup/>"

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()

    caller = await connect(desk, network, talk)
    await caller.ended()
    assert desk.asked_at("/after")[0].parameters["StreamSid"] == caller.call.streams[0].stream_sid
    assert desk.asked_at("/turn") == []


async def test_wrong_messages_are_ignored_and_each_kind_is_noted_once(
    desk: ScriptedDesk, network: PhoneNetwork
) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        payload = base64.b64encode(SECOND).decode()
        await socket.send({"event": "media", "media": {"payload": payload}})
        await socket.send({"event": "mark", "streamSid": socket.stream_sid, "name": "x"})
        await socket.send({"event": "media", "streamSid": socket.stream_sid, "media": {"payload": "!"}})
        await socket.connection.send(SECOND)
        await socket.play(mulaw.wav(LOUD))
        await socket.mark("still there")
        await socket.next("mark")

    caller = await connect(desk, network, talk)
    await caller.ended()
    stream = caller.call.streams[0]
    invalid, malformed, header = notices.STREAM_INVALID, notices.STREAM_MALFORMED, notices.STREAM_PROTOCOL
    assert [broken.code for broken in stream.violations] == [invalid, invalid, invalid, malformed, header]
    assert [notice.code for notice in caller.call.notices] == [invalid, malformed, header]
    # Only the file with its header was played, header and all.
    assert [arrival.size for arrival in caller.call.playback.arrivals] == [len(mulaw.wav(LOUD))]


async def test_a_server_that_reads_nothing_loses_frames_and_not_the_call(
    desk: ScriptedDesk, network: PhoneNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.twilio.stream._LONGEST_BACKLOG", -1)
    caller = await connect(desk, network, end_when_told)
    await caller.say(SECOND[:1600])
    assert caller.call.streams[0].frames_dropped >= 10
    assert notices.STREAM_OVERFLOW in [notice.code for notice in caller.call.notices]
    await caller.hang_up()


async def test_both_channels_are_saved_in_step(
    desk: ScriptedDesk, network: PhoneNetwork, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("call") / "saved"

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(speech.speak("Welcome"))
        await socket.next("stop")

    caller = await connect(desk, network, talk)
    began = await caller.hears(since=0.0)
    await caller.listens(since=0.0, pause_s=0.1)
    said = await caller.say("Hello")
    await caller.hang_up()
    figures.save(caller.call, folder)
    heard, spoken = (folder / "heard.mulaw").read_bytes(), (folder / "caller.mulaw").read_bytes()
    assert len(heard) == len(spoken)
    assert not heard[: round(began * 8000)].strip(bytes([mulaw.SILENCE]))
    assert said.started_at is not None
    assert not spoken[: round(said.started_at * 8000)].strip(bytes([mulaw.SILENCE]))
    assert (folder / "call.wav").read_bytes() == mulaw.wav(spoken, heard)
    assert "caller-says" in (folder / "events.txt").read_text()
    assert figures.dead_air(caller.call, 60.0) == []


async def test_what_is_slow_to_come_is_dead_air(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    go_on = asyncio.Event()

    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(LOUD)
        await go_on.wait()
        await socket.play(LOUD)
        await socket.next("stop")

    caller = await connect(desk, network, talk)
    first = await caller.hears(since=0.0)
    await caller.wait(0.6)
    go_on.set()
    second = await caller.hears(since=first + 0.1)
    await caller.hang_up()
    silence = figures.dead_air(caller.call, 0.5)[0]
    assert silence.start == pytest.approx(first + 0.02)
    assert silence.end == pytest.approx(second)
    arrival = figures.first_sound_after(caller.call, first + 0.1)
    assert arrival is not None
    assert arrival.at == pytest.approx(second)


async def test_many_calls_at_once_leave_nothing_behind(desk: ScriptedDesk, network: PhoneNetwork) -> None:
    async def talk(socket: MediaSocket) -> None:
        await socket.begin()
        await socket.play(LOUD * 20)
        await socket.mark("played")
        await socket.connection.wait_closed()

    async def one(place: int) -> None:
        caller = await connect(desk, network, talk)
        await caller.hears(since=0.0)
        if place % 2:
            caller.drop_stream()
            await caller.ended()
        else:
            await caller.hang_up()

    caller = await connect(desk, network, end_when_told)
    await caller.hang_up()
    before = len(asyncio.all_tasks())
    await asyncio.gather(*(one(place) for place in range(30)))
    for socket in desk.sockets:
        await socket.connection.wait_closed()
    while len(asyncio.all_tasks()) > before:
        # What the servers of this test still do ends by itself; a task that stays is the test's time limit.
        await asyncio.sleep(0)
    assert {call.status for call in network.calls.values()} == {"completed"}
    closed_by = [stream.closed_by for call in network.calls.values() for stream in call.streams]
    assert (closed_by.count("network"), closed_by.count("twilio")) == (15, 16)

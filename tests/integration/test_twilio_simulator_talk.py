"""The page's socket is a caller's handset: what goes in is heard by the server, what is played comes out."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulators.twilio import mulaw, speech
from simulators.twilio.account import Account, Number
from simulators.twilio.call import Call
from simulators.twilio.desk import ORIGIN, STREAM_URL, MediaSocket, ScriptedDesk, scripted_desk
from simulators.twilio.network import phone_network
from simulators.twilio.notices import SimulatorLimit
from simulators.twilio.talk_server import talk_page

OURS, GUEST = "+97231234567", "+972501234567"
LOUD = b"\x10" * mulaw.FRAME_BYTES
SECOND = LOUD * 50
WITHIN_S = 60.0


class Page:
    """A page without a browser: sends and reads what a page does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def tell(self, message: str, **told: Any) -> None:
        await self.socket.send_json({"type": message, **told})

    async def speak(self, frames: int) -> None:
        """So much of a loud voice, at the pace of a microphone."""
        for _ in range(frames):
            await self.socket.send_bytes(LOUD)
            await asyncio.sleep(mulaw.FRAME_S)

    async def audio(self) -> bytes:
        """The next that is to be played."""
        return bytes((await self._next(aiohttp.WSMsgType.BINARY)).data)

    async def told(self, message: str, **wanted: Any) -> dict[str, Any]:
        """The next *message* that has what is wanted."""
        while True:
            told: dict[str, Any] = json.loads((await self._next(aiohttp.WSMsgType.TEXT)).data)
            if told["type"] == message and wanted.items() <= told.items():
                return told

    async def closed(self) -> tuple[int | None, str]:
        """Read to the end; returns the code and the reason."""
        async with asyncio.timeout(WITHIN_S):
            while (message := await self.socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        return message.data, str(message.extra)

    async def _next(self, kind: aiohttp.WSMsgType) -> aiohttp.WSMessage:
        async with asyncio.timeout(WITHIN_S):
            while (message := await self.socket.receive()).type is not kind:
                assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        return message


class Talk:
    """A scripted server, and the page's address that leads to it; ``ended`` has the calls that are over."""

    def __init__(self, desk: ScriptedDesk, url: str, ended: list[Call]) -> None:
        self.desk = desk
        self.url = url
        self.ended = ended

    @asynccontextmanager
    async def page(self, origin: str | None = None, **told: Any) -> AsyncIterator[Page]:
        """A page that has called."""
        headers = {"Origin": origin or self.url.rstrip("/")}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.url}call", headers=headers) as socket,
        ):
            page = Page(socket)
            await page.tell("call", **told)
            yield page


@asynccontextmanager
async def phone_of(desk: ScriptedDesk, ended: list[Call]) -> AsyncIterator[Talk]:
    """A page that calls *desk*."""
    account = Account("token", numbers={OURS: Number(voice_url=f"{ORIGIN}/voice")})
    async with (
        phone_network(account, desk.routes) as network,
        talk_page(lambda handset: network.dial(OURS, from_=GUEST, handset=handset), ended.append) as url,
    ):
        yield Talk(desk, url, ended)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with scripted_desk() as desk:
        desk.documents["/voice"] = (
            f'<Connect><Stream url="{STREAM_URL}"/></Connect><Redirect>/turn</Redirect>'
        )
        desk.documents["/turn"] = "<Hangup/>"
        async with phone_of(desk, []) as made:
            yield made


def on_stream(desk: ScriptedDesk) -> asyncio.Queue[MediaSocket]:
    """Gives the media socket once its stream has begun; it stays open until the other side closes."""
    begun: asyncio.Queue[MediaSocket] = asyncio.Queue()

    async def serve(socket: MediaSocket) -> None:
        await socket.begin()
        begun.put_nowait(socket)
        await socket.connection.wait_closed()

    desk.on_stream = serve
    return begun


async def test_what_the_microphone_gives_leaves_as_media_in_sequence(talk: Talk) -> None:
    begun = on_stream(talk.desk)
    async with talk.page() as page:
        media = await begun.get()
        speaking = asyncio.create_task(page.speak(30))
        loud = 0
        messages = []
        while loud < 25:
            message = await media.next("media")
            messages.append(message)
            loud += mulaw.is_loud(_payload(message))
        await speaking
        await page.tell("hang-up")
        await page.told("event", kind="ended")
    numbers = [int(message["sequenceNumber"]) for message in messages]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    moments = [int(message["media"]["timestamp"]) for message in messages]
    assert moments == list(range(moments[0], moments[0] + 20 * len(moments), 20))


async def test_a_mark_comes_back_when_the_page_has_played_to_it_and_not_before(talk: Talk) -> None:
    begun = on_stream(talk.desk)
    async with talk.page() as page:
        media = await begun.get()
        await media.play(LOUD * 2)
        await media.mark("first")
        await media.play(LOUD)
        await media.mark("second")
        heard = await page.audio() + await page.audio()
        number = (await page.told("mark"))["mark"]
        # Until long after its audio would have been over.
        for _ in range(10):
            await media.next("media")
        assert "mark" not in {message["event"] for message in media.messages}
        await page.tell("played", mark=number)
        assert (await media.next("mark"))["mark"]["name"] == "first"
        await page.tell("played", mark=number + 1)
        assert (await media.next("mark"))["mark"]["name"] == "second"
    assert heard == LOUD * 3


async def test_a_clear_reaches_the_page_and_brings_its_marks_back(talk: Talk) -> None:
    begun = on_stream(talk.desk)
    async with talk.page() as page:
        media = await begun.get()
        await media.play(SECOND)
        await media.mark("sentence")
        mark = await page.told("mark")
        await media.clear()
        await page.told("clear")
        assert (await media.next("mark"))["mark"]["name"] == "sentence"
        # The page had played to it when the clear was on its way.
        await page.tell("played", mark=mark["mark"])
        await media.mark("later")
        later = await page.told("mark")
        await page.tell("played", mark=later["mark"])
        assert (await media.next("mark"))["mark"]["name"] == "later"


async def test_keys_are_pressed_on_the_call(talk: Talk) -> None:
    begun = on_stream(talk.desk)
    async with talk.page() as page:
        media = await begun.get()
        for key in "1#":
            await page.tell("key", key=key)
            assert (await media.next("dtmf"))["dtmf"]["digit"] == key


async def test_typed_words_are_the_result_of_a_gather(talk: Talk) -> None:
    talk.desk.documents["/voice"] = (
        '<Gather input="speech" language="he-IL" timeout="1" speechTimeout="1" action="/next">'
        '<Say language="he-IL">שלום</Say></Gather>'
    )
    talk.desk.documents["/next"] = "<Hangup/>"
    async with talk.page() as page:
        assert (await page.told("event", kind="say"))["detail"] == "[he-IL] שלום"
        assert mulaw.is_loud((await page.audio())[800:960])
        await page.tell("typing", is_typing=True)
        # Longer than the gather would wait for somebody who is silent.
        await asyncio.sleep(1.5)
        assert talk.desk.asked_at("/next") == []
        await page.tell("say", text="יש חניה?")
        await page.told("event", kind="ended")
    assert talk.desk.asked_at("/next")[0].parameters["SpeechResult"] == "יש חניה?"


async def test_the_line_is_silent_while_the_page_says_the_words_itself(talk: Talk) -> None:
    talk.desk.documents["/voice"] = '<Say language="en-GB">Good evening</Say><Hangup/>'
    async with talk.page(speaks=["en"]) as page:
        audio = await page.audio()
        await page.told("event", kind="ended")
    assert len(audio) == len(speech.speak("Good evening"))
    assert set(audio) == {mulaw.SILENCE}


async def test_what_a_verb_has_said_to_its_end_is_not_cut_off_in_the_browser(talk: Talk) -> None:
    talk.desk.documents["/voice"] = "<Say>Good evening</Say><Hangup/>"
    async with talk.page() as page:
        async with asyncio.timeout(WITHIN_S):
            received = [message async for message in page.socket]
    kinds = {
        json.loads(message.data)["type"] for message in received if message.type is aiohttp.WSMsgType.TEXT
    }
    assert "event" in kinds
    assert "clear" not in kinds


async def test_a_page_that_goes_away_has_hung_up(talk: Talk) -> None:
    begun = on_stream(talk.desk)
    async with talk.page():
        media = await begun.get()
    await media.connection.wait_closed()
    async with asyncio.timeout(WITHIN_S):
        while not talk.ended:
            await asyncio.sleep(0.01)
    (call,) = talk.ended
    assert call.status == "completed"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
async def test_a_page_from_elsewhere_gets_no_socket(talk: Talk, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with talk.page(origin=origin):
            pass
    assert refused.value.status == 403
    assert talk.desk.asked == []


async def test_another_name_that_leads_here_gets_nothing(talk: Talk) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(talk.url, headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 400


async def test_the_page_loads_nothing_from_elsewhere_and_runs_its_own_scripts_alone(talk: Talk) -> None:
    async with aiohttp.ClientSession() as session, session.get(talk.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in page


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"\xff" * 100, "a frame has 160 bytes"),
        ('{"type": "key", "key": "A"}', "pattern"),
        ('{"type": "call"}', "one call at a time"),
        ("hello", "JSON"),
    ],
)
async def test_what_no_page_sends_ends_the_call_and_says_why(
    talk: Talk, wrong: bytes | str, reason: str
) -> None:
    begun = on_stream(talk.desk)
    async with talk.page() as page:
        await begun.get()
        if isinstance(wrong, bytes):
            await page.socket.send_bytes(wrong)
        else:
            await page.socket.send_str(wrong)
        code, said = await page.closed()
    assert code == 1008
    assert reason in said


async def test_what_the_simulator_cannot_do_is_said_to_the_page() -> None:
    async def call() -> None:
        async with phone_of(desk, []) as talk, talk.page() as page:
            closed.append(await page.closed())

    closed: list[tuple[int | None, str]] = []
    async with scripted_desk() as desk:
        desk.documents["/voice"] = '<Dial hangupOnStar="true">+97230000000</Dial>'
        # The network tells it to whoever runs it as well.
        with pytest.raises(SimulatorLimit):
            await call()
    assert closed == [(1011, "the simulator does not run <Dial hangupOnStar>")]


async def test_the_command_serves_the_page_and_saves_both_channels(tmp_path: Path) -> None:
    async with scripted_desk() as desk:
        begun = on_stream(desk)
        desk.documents["/voice"] = f'<Connect><Stream url="{STREAM_URL}"/></Connect>'
        routes = [part for public, real in desk.routes.items() for part in ("--route", f"{public}={real}")]
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulators.twilio", "talk", f"{ORIGIN}/voice", *routes),
            *("--account-sid", "AC1", "--auth-token", "token", "--port", "0", "--save", str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert command.stdout is not None
        try:
            async with asyncio.timeout(2 * WITHIN_S):
                url = (await command.stdout.readline()).decode().split()[1]
            async with Talk(desk, url, []).page() as page:
                await begun.get()
                await page.tell("hang-up")
                await page.told("event", kind="ended")
                assert await page.closed() == (1000, "")
        finally:
            command.terminate()
        output = (await command.communicate())[0].decode()
    assert command.returncode == 0
    assert "stream-open" in output
    (saved,) = tmp_path.iterdir()
    assert {file.name for file in saved.iterdir()} == {
        "call.wav",
        "caller.mulaw",
        "events.txt",
        "heard.mulaw",
    }


def _payload(message: dict[str, Any]) -> bytes:
    return base64.b64decode(message["media"]["payload"])

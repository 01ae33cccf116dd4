"""``/ws/chat`` over real sockets, with a client of another library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from server.channels.key_limits import CallsPerMinute
from server.domain.events import Replace, Token
from server.realtime.chat_socket import ANSWERS_AT_ONCE
from server.realtime.sockets import LONGEST_FRAME, CloseCode
from tests.support.chat_stands import WAIT_S, Asked, RealtimeStand, realtime_stand

MESSAGE = {"type": "message", "conversation": "c1", "message": "Hello"}


@pytest.fixture
def stand() -> Iterator[RealtimeStand]:
    with realtime_stand() as running:
        yield running


class Client:
    """Speaks JSON frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, **frame: object) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        return dict(json.loads(await self.socket.receive_str(timeout=WAIT_S)))

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Frames up to the first of *kind*."""
        frames = [await self.receive()]
        while frames[-1]["type"] != kind:
            frames.append(await self.receive())
        return frames

    async def closed(self) -> int | None:
        """The code that the server closes with."""
        message = await self.socket.receive(timeout=WAIT_S)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message
        return self.socket.close_code


@asynccontextmanager
async def connected(
    stand: RealtimeStand, path: str = "/ws/chat", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """A client with a key in its header, greeted already."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            stand.socket_url + path,
            headers={"Authorization": f"Bearer {stand.key}"} if headers is None else headers,
            max_msg_size=0,
        ) as socket,
    ):
        client = Client(socket)
        if headers is None and path == "/ws/chat":
            assert await client.receive() == {"type": "ready", "tenant": "1"}
        yield client


async def asked(stand: RealtimeStand) -> Asked:
    return await asyncio.to_thread(stand.answers.asked)


async def test_an_answer_comes_word_by_word_and_then_whole(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        question = await asked(stand)
        question.say(Token("From "))
        assert await client.receive() == {
            "type": "token",
            "id": "1-1",
            "conversation": "c1",
            "text": "From ",
        }
        question.say(Replace("At "))
        question.end("At 15:00.")
        frames = await client.until("done")
        assert [frame["type"] for frame in frames] == ["replace", "token", "citations", "done"]
        assert frames[-1]["reply"] == "At 15:00."
        assert question.message.text == "Hello"
        assert question.message.tenant_id == "1"


async def test_a_browser_tells_its_key_in_the_first_message(stand: RealtimeStand) -> None:
    async with connected(stand, headers={}) as client:
        await client.send(type="auth", key=stand.key)
        assert (await client.receive())["type"] == "ready"
        await client.send(**MESSAGE)
        (await asked(stand)).end("Hi.")
        assert (await client.until("done"))[-1]["reply"] == "Hi."


@pytest.mark.parametrize(
    "first", ['{"type": "auth", "key": "wrong"}', '{"type": "message"}', "hello", "[1]", '{"type": "auth"}']
)
async def test_a_first_message_without_a_known_key_ends_the_socket(stand: RealtimeStand, first: str) -> None:
    async with connected(stand, headers={}) as client:
        await client.socket.send_str(first)
        assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_who_tells_no_key_is_not_waited_for() -> None:
    with realtime_stand(patience_s=0.05) as hasty:
        async with connected(hasty, headers={}) as client:
            assert await client.closed() == CloseCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws/chat", {"Authorization": "Bearer wrong"}, 401),
        ("/ws/chat", {"Authorization": "Basic abc"}, 401),
        ("/ws/chat?key=fd_a", {}, 400),
        ("/ws/performance?key=fd_a", {}, 400),
        ("/ws/nothing", {}, 403),
    ],
)
async def test_a_socket_that_cannot_be_is_refused_before_it_opens(
    stand: RealtimeStand, path: str, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with connected(stand, path, headers):
            pass
    assert refused.value.status == status


async def test_plain_http_is_told_to_upgrade(stand: RealtimeStand) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{stand.url}/ws/chat") as answer:
        assert answer.status == 426
        assert "WebSocket" in (await answer.json())["error"]


async def test_conversations_are_answered_side_by_side(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        questions: dict[str, Asked] = {}
        for name in ("c1", "c2", "c3"):
            await client.send(type="message", conversation=name, message="Hello", message_id=f"m-{name}")
            questions[name] = await asked(stand)
        for name in ("c3", "c1", "c2"):
            questions[name].end(f"Hello {name}.")
            done = (await client.until("done"))[-1]
            assert (done["conversation"], done["message_id"]) == (name, f"m-{name}")
            assert done["reply"] == f"Hello {name}."


async def test_there_is_a_bound_on_answers_at_once(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        questions = []
        for number in range(ANSWERS_AT_ONCE):
            await client.send(type="message", conversation=f"c{number}", message="Hello")
            questions.append(await asked(stand))
        await client.send(type="message", conversation="one-more", message="Hello")
        refusal = await client.receive()
        assert (refusal["type"], refusal["status"]) == ("error", 503)
        assert refusal["conversation"] == "one-more"
        questions[0].end("Hi.")
        await client.until("done")
        await client.send(type="message", conversation="one-more", message="Hello")
        (await asked(stand)).end("Welcome.")
        assert (await client.until("done"))[-1]["reply"] == "Welcome."


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ('{"type": "message", "conversation": "c1"}', "message must be a text"),
        ('{"type": "message", "message": "Hello"}', "conversation must be a text"),
        ('{"type": "message", "conversation": "c1", "message": "Hi", "model": "gpt-9"}', "gpt-4o-mini"),
        ('{"type": "message", "conversation": "c1", "message": "Hi", "tenant": "2"}', "no such tenant"),
        ('{"type": "resume", "conversation": "c1"}', "17-5"),
        ('{"type": "resume", "conversation": "c1", "last_event_id": "1-1"}', "no such message"),
        ('{"type": "dance"}', "type must be"),
        ('{"type": "auth", "key": "x"}', "known already"),
        ("{", "JSON"),
        ("[]", "JSON object"),
    ],
)
async def test_a_frame_that_cannot_be_obeyed_is_an_error_in_words(
    stand: RealtimeStand, frame: str, said: str
) -> None:
    async with connected(stand) as client:
        await client.socket.send_str(frame)
        error = await client.receive()
        assert error["type"] == "error"
        assert said in error["error"]
        # And the socket goes on.
        await client.send(**MESSAGE)
        (await asked(stand)).end("Hi.")
        await client.until("done")


async def test_binary_is_refused_in_words(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.socket.send_bytes(b"\x00\x01")
        assert "not binary" in (await client.receive())["error"]


async def test_a_message_that_is_too_long_ends_the_socket(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(type="message", message="x" * LONGEST_FRAME)
        assert await client.closed() == 1009


async def test_an_answer_goes_on_over_another_socket(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        question = await asked(stand)
        question.say(Token("From "))
        last = (await client.receive())["id"]
    question.say(Token("15:00."))
    async with connected(stand) as client:
        await client.send(type="resume", conversation="c1", last_event_id=last)
        assert (await client.receive())["text"] == "15:00."
        question.end("From 15:00.")
        assert (await client.until("done"))[-1]["reply"] == "From 15:00."


async def test_another_tenant_cannot_go_on_with_it(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        question = await asked(stand)
        question.say(Token("From "))
        last = (await client.receive())["id"]
        async with connected(stand, headers={"Authorization": f"Bearer {stand.others_key}"}) as other:
            assert (await other.receive())["tenant"] == "2"
            await other.send(type="resume", conversation="c1", last_event_id=last)
            assert (await other.receive())["status"] == 404


async def test_a_client_that_goes_leaves_its_streams(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        question = await asked(stand)
    await abandoned(question)


async def test_a_client_that_goes_at_once_leaves_its_streams(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        # The message and the close are there together.
        await asyncio.gather(client.send(**MESSAGE), client.socket.close())
    await abandoned(await asked(stand))


async def test_a_cancelled_answer_is_left_and_others_go_on(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        cancelled = await asked(stand)
        await client.send(type="message", conversation="c2", message="Hello")
        other = await asked(stand)
        await client.send(type="cancel", conversation="c1")
        assert await client.receive() == {"type": "cancelled", "conversation": "c1", "count": 1}
        await abandoned(cancelled)
        other.end("Hi.")
        assert (await client.until("done"))[-1]["conversation"] == "c2"
        assert not other.stream.is_abandoned()


async def abandoned(question: Asked) -> None:
    """Until nobody reads it any more."""
    async with asyncio.timeout(WAIT_S):
        while not question.stream.is_abandoned():
            await asyncio.sleep(0.01)


async def test_an_answer_that_failed_is_an_error_of_its_conversation(stand: RealtimeStand) -> None:
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        (await asked(stand)).fail("no answer in time")
        error = await client.receive()
        assert (error["type"], error["error"], error["conversation"]) == ("error", "no answer in time", "c1")


async def test_a_slow_client_gets_fewer_and_longer_frames(stand: RealtimeStand) -> None:
    # Much more than the kernel buffers of both ends hold.
    word, count = "x" * 100_000, 200
    async with connected(stand) as client:
        await client.send(**MESSAGE)
        question = await asked(stand)
        for _ in range(count):
            question.say(Token(word))
        question.end(word * count)
        text, frames = "", 0
        while (frame := json.loads(await client.socket.receive_str(timeout=WAIT_S)))["type"] != "done":
            if frame["type"] == "token":
                text += frame["text"]
                frames += 1
        assert text == word * count
        assert frames < count / 2


async def test_a_key_that_calls_too_often_is_told_so() -> None:
    with realtime_stand(CallsPerMinute(1)) as limited:
        async with connected(limited) as client:
            await client.send(**MESSAGE)
            (await asked(limited)).end("Hi.")
            await client.until("done")
            await client.send(**MESSAGE)
            error = await client.receive()
            assert (error["type"], error["status"]) == ("error", 429)
            assert "call again in" in error["error"]


async def test_a_silent_client_is_let_go_but_not_while_it_waits_for_an_answer() -> None:
    with realtime_stand(idle_s=0.1) as hasty:
        async with connected(hasty) as client:
            await client.send(**MESSAGE)
            question = await asked(hasty)
            with pytest.raises(TimeoutError):
                await client.socket.receive(timeout=0.4)
            question.end("Hi.")
            assert (await client.until("done"))[-1]["reply"] == "Hi."
            assert await client.closed() == CloseCode.IDLE


async def test_beyond_the_most_sockets_nobody_gets_in() -> None:
    with realtime_stand(most_sockets=1) as small:
        async with connected(small):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with connected(small):
                    pass
        assert refused.value.status == 503


async def test_a_server_that_stops_ends_its_answers_and_says_so(stand: RealtimeStand) -> None:
    async with connected(stand) as client, connected(stand) as idle:
        await client.send(**MESSAGE)
        question = await asked(stand)
        question.say(Token("From "))
        await client.receive()
        stopping = asyncio.get_running_loop().run_in_executor(None, stand.stop)
        assert await idle.closed() == CloseCode.GOING_AWAY
        await client.send(type="message", conversation="c2", message="Hello")
        assert (await client.receive())["status"] == 503
        with pytest.raises(aiohttp.ClientConnectorError):
            async with connected(stand):
                pass
        question.end("From 15:00.")
        assert (await client.until("done"))[-1]["reply"] == "From 15:00."
        assert await client.closed() == CloseCode.GOING_AWAY
        await stopping


async def test_figures_come_at_once_and_again(stand: RealtimeStand) -> None:
    async with connected(stand, "/ws/performance") as client:
        for _ in range(3):
            assert await client.receive() == {"type": "performance", "tenant": "1"}


@pytest.mark.parametrize("path", ["/ws/chat", "/ws/performance"])
async def test_a_socket_is_over_once_its_key_is_revoked(stand: RealtimeStand, path: str) -> None:
    async with connected(stand, path) as client:
        if path == "/ws/performance":
            await client.until("performance")
        stand.keys.revoke(stand.key)
        if path == "/ws/chat":
            await client.send(**MESSAGE)
        # What was on its way before may still come.
        message = await client.socket.receive(timeout=WAIT_S)
        while message.type is aiohttp.WSMsgType.TEXT:
            assert json.loads(message.data)["type"] == "performance"
            message = await client.socket.receive(timeout=WAIT_S)
        assert client.socket.close_code == CloseCode.UNAUTHENTICATED

"""Staff call the desk from a page of the console: the call is theirs alone, and no network carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from server.channels.twiml import STREAM_PATH
from server.console.live import TEST_CALL_PATH
from server.console.sessions import SessionCookies, Sessions
from server.domain.playground import playground_key
from server.domain.staff import Role
from server.domain.tenants import TenantSettings
from server.realtime import voice_socket
from server.realtime.doors import Door, StaffDoor
from server.realtime.sockets import CloseCode
from server.store.calls import Calls
from server.store.models import CallRow
from server.store.playground import BegunCall, Playground
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import User, Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD
from tests.support.databases import SqliteTemplate
from tests.support.live import KEY, cookie_of
from tests.support.media_sockets import (
    CONNECTED,
    DESK,
    STOP,
    TOKEN,
    PhoneDesk,
    closed_with,
    closing_of,
    event,
    served,
    start,
    twilio_door,
)

PAGE = "http://127.0.0.1:5000"
SIGNED = RequestValidator(TOKEN).compute_signature(f"wss://desk.example{STREAM_PATH}", {})


@dataclass
class Scene:
    """A desk, and Noa of its staff."""

    desk: PhoneDesk
    database: Database
    clock: FakeClock
    tenants: Tenants
    users: Users
    noa: User

    def begun(self, user: User | None = None) -> BegunCall:
        """A call that a member of staff, or else Noa, has begun on the page."""
        user = user or self.noa
        key = playground_key(user.id, "a test")
        return Playground(self.database, self.clock).call(user.tenant_id, key, user.name)

    def headers(self, user: User | None = None, origin: str = PAGE) -> Mapping[str, str]:
        """What a browser of theirs sends."""
        return {"Origin": origin, **cookie_of(user or self.noa, self.clock)}

    def row(self, call_id: str) -> CallRow:
        with self.database.read() as session:
            return session.get_one(CallRow, call_id)


@pytest.fixture
async def scene(sqlite_template: SqliteTemplate, clock: FakeClock) -> AsyncIterator[Scene]:
    with sqlite_template.fresh() as url:
        database = Database(url)
        tenants, users = Tenants(database, clock), Users(database, clock)
        tenants.add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
        tenants.add("2", TenantSettings(name="Hill Inn"))
        users.add("1", "Noa", PASSWORD, Role.STAFF)
        sessions, cookies = Sessions(users, clock), SessionCookies(KEY)

        def user_of(cookie: str) -> User | None:
            return sessions.user_of(cookies.held_by(cookie))

        doors: dict[str, Door] = {
            TEST_CALL_PATH: StaffDoor(user_of, ["desk.example"]),
            STREAM_PATH: twilio_door(),
        }
        desk = PhoneDesk(Calls(database, clock, "http://desk.example"), doors)
        async with served(desk, url):
            yield Scene(desk, database, clock, tenants, users, users.named("Noa"))
        database.close()


async def refusal(scene: Scene, headers: Mapping[str, str]) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with scene.desk.opened(TEST_CALL_PATH, headers):
            pass
    return refused.value.status


async def test_a_member_of_staff_is_greeted_and_the_end_is_kept(scene: Scene) -> None:
    begun = scene.begun()
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers()) as socket:
        await socket.send_str(CONNECTED)
        await socket.send_str(start(begun.token, begun.id, account="console"))
        assert await event(socket) == "media"
        await socket.send_str(STOP)
        assert await closing_of(socket) == (CloseCode.NORMAL, "hang_up")
    await scene.desk.is_free()
    row = scene.row(begun.id)
    assert (row.ended_because, row.seconds) == ("completed", 0)


@pytest.mark.parametrize("origin", ["https://desk.example", "http://127.0.0.1"])
async def test_a_page_of_the_console_is_let_in_by_each_of_its_names(scene: Scene, origin: str) -> None:
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers(origin=origin)) as socket:
        assert not socket.closed


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "https://desk.example.evil.example"])
async def test_a_page_of_somebody_else_s_is_refused(scene: Scene, origin: str) -> None:
    assert await refusal(scene, scene.headers(origin=origin)) == HTTPStatus.FORBIDDEN


async def test_what_is_no_browser_is_refused(scene: Scene) -> None:
    assert await refusal(scene, cookie_of(scene.noa, scene.clock)) == HTTPStatus.FORBIDDEN


async def test_whoever_is_not_logged_in_is_refused(scene: Scene) -> None:
    assert await refusal(scene, {"Origin": PAGE}) == HTTPStatus.UNAUTHORIZED


async def test_who_may_only_look_is_refused(scene: Scene) -> None:
    scene.users.add("1", "Vera", PASSWORD, Role.VIEWER)
    assert await refusal(scene, scene.headers(scene.users.named("Vera"))) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("tenant_id", "role"), [("1", Role.OWNER), ("2", Role.OWNER)])
async def test_a_call_is_its_maker_s_alone_whoever_else_has_its_token(
    scene: Scene, tenant_id: str, role: Role
) -> None:
    begun = scene.begun()
    scene.users.add(tenant_id, "Lee", PASSWORD, role)
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers(scene.users.named("Lee"))) as socket:
        await socket.send_str(start(begun.token, begun.id))
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED
    # Theirs was no try: it opens to its maker.
    assert scene.desk.calls.redeem_token(begun.id, begun.token)


@pytest.mark.parametrize("kind", ["none", "wrong", "used", "late", "of the call before"])
async def test_a_call_needs_its_token_which_opens_once_and_soon(scene: Scene, kind: str) -> None:
    begun = scene.begun()
    token: str | None = begun.token
    if kind == "none":
        token = None
    elif kind == "wrong":
        token = "x" * 32
    elif kind == "used":
        assert await asyncio.to_thread(scene.desk.calls.redeem_token, begun.id, begun.token)
    elif kind == "late":
        scene.clock.advance(61)
    else:
        scene.begun()
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers()) as socket:
        await socket.send_str(start(token, begun.id))
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED
    assert scene.desk.stt.recognitions == []


async def test_a_page_cannot_have_a_guest_s_call(scene: Scene) -> None:
    token = await asyncio.to_thread(scene.desk.token)
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers()) as socket:
        await socket.send_str(start(token))
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED
    assert scene.desk.stt.recognitions == []


async def test_a_test_is_nothing_for_twilio(scene: Scene) -> None:
    begun = scene.begun()
    async with scene.desk.opened(STREAM_PATH, {"X-Twilio-Signature": SIGNED}) as socket:
        await socket.send_str(start(begun.token, begun.id))
        assert await closed_with(socket) == CloseCode.UNAUTHENTICATED


async def test_where_a_guest_would_be_put_through_the_browser_is_told_so(scene: Scene) -> None:
    settings = scene.tenants.get("1").settings
    scene.tenants.update("1", replace(settings, ai_paused=True, transfer_number="+972501234567"))
    begun = scene.begun()
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers()) as socket:
        await socket.send_str(start(begun.token, begun.id))
        marks = 0
        while not marks:
            message = await socket.receive_json(timeout=30)
            marks += message["event"] == "mark"
        await socket.send_json({"event": "mark", "streamSid": "MZ1", "mark": message["mark"]})
        assert await closing_of(socket) == (CloseCode.NORMAL, "transfer")


async def test_a_test_that_nobody_ends_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_socket, "LONGEST_TEST_S", 0.05)
    begun = scene.begun()
    async with scene.desk.opened(TEST_CALL_PATH, scene.headers()) as socket:
        await socket.send_str(start(begun.token, begun.id))
        assert await closing_of(socket) == (CloseCode.NORMAL, "hang_up")

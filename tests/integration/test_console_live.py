"""``/console/live`` over a real realtime server: who is told of what, and who is told nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from server.console.sessions import SESSION_LENGTH
from server.domain.messages import DeliveryState
from server.errors import NotFound, StoreUnavailable
from server.realtime.staff_watch import Overall, View
from server.store.models import ConversationEventRow, LabelRow, NoteRow, OutboxRow, UserRow
from server.store.seen import SeenMarks
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import User, Users
from simulators.lab import wait_until
from tests.fakes.clock import FakeClock
from tests.support.chat_stands import WAIT_S, RealtimeStand
from tests.support.console import PASSWORD
from tests.support.live import cookie_of, listening, live_stand
from tests.support.threads import ThreadBuilder

# What differs by database is what makes the marks; the rest is asked on one.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def users(database: Database, clock: FakeClock, tenants: Tenants) -> Users:
    """Nobody yet. What a check costs stands in the hash itself, and here it is little."""
    assert tenants.get("1")
    return Users(database, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def noa(users: Users) -> User:
    return users.add("1", "Noa", PASSWORD)


@pytest.fixture
def stand(database: Database, clock: FakeClock) -> Iterator[RealtimeStand]:
    with live_stand(database, clock) as running:
        yield running


@pytest.fixture
def thread(database: Database, clock: FakeClock, tenants: Tenants) -> ThreadBuilder:
    assert tenants.get("1")
    begun = ThreadBuilder(database, clock.now())
    begun.guest_says("hello")
    return begun


def says(thread: ThreadBuilder) -> None:
    thread.guest_says("one more")


def is_taken_over(thread: ThreadBuilder) -> None:
    thread.set(mode="human")


def needs_a_person(thread: ThreadBuilder) -> None:
    thread.needs_a_person()


def is_assigned(thread: ThreadBuilder) -> None:
    thread.set(assigned_to=1)


@pytest.mark.parametrize("change", [says, is_taken_over, needs_a_person, is_assigned])
def test_a_change_of_a_conversation_is_told_on_its_page_and_on_the_list(
    stand: RealtimeStand,
    noa: User,
    clock: FakeClock,
    thread: ThreadBuilder,
    change: Callable[[ThreadBuilder], None],
) -> None:
    cookie = cookie_of(noa, clock)
    with listening(stand, cookie) as the_list, listening(stand, cookie, thread.id) as page:
        before = [the_list.next(), page.next()]
        assert [name for name, _ in before] == ["changed", "changed"]
        change(thread)
        after = [the_list.next(), page.next()]
        assert [name for name, _ in after] == ["changed", "changed"]
        assert {mark for _, mark in before}.isdisjoint(mark for _, mark in after)


def test_how_far_a_message_has_got_is_told(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database
) -> None:
    sent = thread.reply("an answer", state=DeliveryState.SENT)
    cookie = cookie_of(noa, clock)
    with listening(stand, cookie) as the_list, listening(stand, cookie, thread.id) as page:
        the_list.next()
        page.next()
        for state in (DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED):
            with database.write() as session:
                session.execute(update(OutboxRow).where(OutboxRow.id == sent).values(state=state))
            assert the_list.next()[0] == page.next()[0] == "changed"


def test_notes_labels_and_events_are_told(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database
) -> None:
    place = {"tenant_id": "1", "conversation_id": thread.id}
    rows = [
        NoteRow(**place, author="Noa", text="is allergic to nuts", at=clock.now()),
        LabelRow(**place, label="vip"),
        ConversationEventRow(**place, kind="takeover", actor="api", details={}, at=clock.now()),
    ]
    with listening(stand, cookie_of(noa, clock), thread.id) as page:
        page.next()
        for row in rows:
            with database.write() as session:
                session.add(row)
            assert page.next()[0] == "changed"


def test_a_guest_who_types_is_told_of_once_and_again_when_they_stop(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder
) -> None:
    still, marks = clock.now(), set()
    with listening(stand, cookie_of(noa, clock), thread.id) as page:
        marks.add(page.next_of("changed"))
        thread.set(guest_typing_until=still.replace(minute=50))
        typing = page.next_of("changed")
        # They go on, which is nothing new; then the time is over.
        thread.set(guest_typing_until=still.replace(minute=51))
        clock.advance(3600)
        assert page.next_of("changed") in marks
        assert typing not in marks


@on_one_database
def test_what_somebody_has_seen_is_told_on_the_list_alone(
    noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database, stand: RealtimeStand
) -> None:
    newest = thread.guest_says("and this")
    cookie = cookie_of(noa, clock)
    with listening(stand, cookie) as the_list, listening(stand, cookie, thread.id) as page:
        the_list.next()
        before = page.next()
        SeenMarks(database).move("1", thread.id, newest)
        assert the_list.next()[0] == "changed"
    with listening(stand, cookie, thread.id) as again:
        assert again.next() == before


@on_one_database
def test_a_page_that_comes_back_is_told_only_what_is_new(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder
) -> None:
    cookie = cookie_of(noa, clock)
    with listening(stand, cookie, thread.id) as page:
        mark = page.next_of("changed")
    with listening(stand, cookie | {"Last-Event-ID": mark}, thread.id) as page:
        thread.guest_says("meanwhile")
        assert page.next_of("changed") != mark
    with listening(stand, cookie | {"Last-Event-ID": mark}, thread.id) as page:
        assert page.next()[0] == "changed"


@on_one_database
def test_another_business_s_conversations_are_told_to_nobody_here(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database
) -> None:
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    cookie = cookie_of(noa, clock)
    for conversation in (theirs.id, 999_999, 2**63, "x", "", -1):
        with listening(stand, cookie, conversation) as refused:
            assert refused.status == 404
    with listening(stand, cookie) as the_list:
        before = the_list.next()
        theirs.guest_says("private words")
        thread.guest_says("ours")
        assert the_list.next() != before
    with listening(stand, cookie) as again:
        now = again.next()
        theirs.guest_says("more private words")
        with listening(stand, cookie) as third:
            assert third.next() == now


@on_one_database
def test_without_a_session_there_is_no_stream(stand: RealtimeStand, noa: User, clock: FakeClock) -> None:
    other_key = cookie_of(noa, clock, key="a key of somebody else's")
    for headers in ({}, {"Cookie": "frontdesk_session=x"}, other_key):
        with listening(stand, headers) as refused:
            assert refused.status == 401
    old = cookie_of(noa, clock)
    clock.advance(SESSION_LENGTH.total_seconds())
    with listening(stand, old) as refused:
        assert refused.status == 401


@on_one_database
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "https://127.0.0.1.elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_is_refused(
    stand: RealtimeStand, noa: User, clock: FakeClock, headers: dict[str, str]
) -> None:
    with listening(stand, cookie_of(noa, clock) | headers) as refused:
        assert refused.status == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


@on_one_database
def test_a_page_of_the_console_may_read_it_from_another_port(
    stand: RealtimeStand, noa: User, clock: FakeClock
) -> None:
    origin = "http://127.0.0.1:5000"
    with listening(stand, cookie_of(noa, clock) | {"Origin": origin}) as page:
        assert page.status == 200
        assert page.headers["Access-Control-Allow-Origin"] == origin
        assert page.headers["Access-Control-Allow-Credentials"] == "true"
        assert page.headers["Content-Type"].startswith("text/event-stream")


@on_one_database
def test_the_public_name_is_the_console_s_too(database: Database, noa: User, clock: FakeClock) -> None:
    origin = {"Origin": "https://desk.example"}
    with (
        live_stand(database, clock, hosts=["desk.example"]) as stand,
        listening(stand, cookie_of(noa, clock) | origin) as page,
    ):
        assert page.status == 200


@on_one_database
def test_a_user_with_another_password_loses_the_stream(
    database: Database, noa: User, clock: FakeClock
) -> None:
    with (
        live_stand(database, clock, check_every_s=0.05, keep_alive_s=0.02) as stand,
        listening(stand, cookie_of(noa, clock)) as page,
    ):
        assert page.next()[0] == "changed"
        with database.write() as session:
            session.execute(update(UserRow).where(UserRow.id == noa.id).values(password_hash="another"))
        assert page.await_end() == ["ended"]


@on_one_database
def test_a_session_that_is_over_loses_the_stream(database: Database, noa: User, clock: FakeClock) -> None:
    with (
        live_stand(database, clock, check_every_s=0.05, keep_alive_s=0.02) as stand,
        listening(stand, cookie_of(noa, clock)) as page,
    ):
        assert page.next()[0] == "changed"
        clock.advance(SESSION_LENGTH.total_seconds())
        assert page.await_end()[-1] == "ended"


class ScriptedMarks:
    """Marks that a test gives one by one; each is what one question is answered with."""

    def __init__(self) -> None:
        self._answers: queue.Queue[str | Exception] = queue.Queue()

    def __call__(self, view: View) -> str:
        if view.of is Overall.WAITING:
            return "[]"
        answer = self._answers.get(timeout=WAIT_S)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give(self, *answers: str | Exception) -> None:
        for answer in answers:
            self._answers.put(answer)


@pytest.fixture
def marks() -> Iterator[ScriptedMarks]:
    """No question is left waiting at the end."""
    scripted = ScriptedMarks()
    yield scripted
    scripted.give(*["the end"] * 10)


@on_one_database
def test_many_who_watch_a_view_are_one_question(
    database: Database, noa: User, clock: FakeClock, marks: ScriptedMarks
) -> None:
    with live_stand(database, clock, marks=marks) as stand, ExitStack() as open_pages:
        pages = [open_pages.enter_context(listening(stand, cookie_of(noa, clock))) for _ in range(5)]
        for mark in ("m1", "m2"):
            marks.give(mark)
            assert [page.next() for page in pages] == [("changed", mark)] * 5
        marks.give("the end")


@on_one_database
def test_a_database_that_does_not_answer_for_a_while_ends_no_stream(
    database: Database, noa: User, clock: FakeClock, marks: ScriptedMarks
) -> None:
    with live_stand(database, clock, marks=marks) as stand, listening(stand, cookie_of(noa, clock)) as page:
        marks.give("m1", StoreUnavailable("down"), "m1", "m2")
        assert [page.next(), page.next()] == [("changed", "m1"), ("changed", "m2")]
        marks.give("the end")


@on_one_database
def test_a_conversation_that_is_gone_ends_its_streams(
    database: Database, noa: User, clock: FakeClock, marks: ScriptedMarks
) -> None:
    with live_stand(database, clock, marks=marks) as stand:
        marks.give("it is there", "m1", NotFound("merged"))
        with listening(stand, cookie_of(noa, clock), 1) as page:
            assert page.await_end() == ["changed"]


@on_one_database
def test_members_of_staff_see_who_else_looks_at_the_same_conversation(
    stand: RealtimeStand, users: Users, noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database
) -> None:
    other_thread = ThreadBuilder(database, clock.now())
    dan, eli = (cookie_of(users.add("1", name, PASSWORD), clock) for name in ("Dan", "Eli"))
    ours = cookie_of(noa, clock)
    with listening(stand, ours, thread.id) as page, listening(stand, ours, thread.id):
        with (
            listening(stand, eli, other_thread.id),
            listening(stand, eli),
            listening(stand, dan, thread.id) as his,
        ):
            assert page.next_of("here") == ["Dan"]
            assert his.next_of("here") == ["Noa"]
            with listening(stand, eli, thread.id):
                assert page.next_of("here") == ["Dan", "Eli"]
            assert page.next_of("here") == ["Dan"]
        assert page.next_of("here") == []


def test_who_needs_a_person_is_told_on_every_page_until_nobody_does(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder
) -> None:
    cookie, need = cookie_of(noa, clock), [[thread.id, thread.at.isoformat()]]
    with (
        listening(stand, cookie) as the_list,
        listening(stand, cookie, thread.id) as page,
        listening(stand, cookie, waiting=noa.id) as other_page,
    ):
        pages = (the_list, page, other_page)
        assert [one.next_waiting() for one in pages] == [[], [], []]
        thread.needs_a_person()
        assert [one.next_waiting() for one in pages] == [need, need, need]
        thread.set(needs_human_since=None)
        assert [one.next_waiting() for one in pages] == [[], [], []]


@on_one_database
def test_a_page_without_a_live_part_is_told_nothing_but_who_waits(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder
) -> None:
    cookie = cookie_of(noa, clock)
    with listening(stand, cookie, waiting=noa.id) as page, listening(stand, cookie) as the_list:
        assert page.next_waiting() == []
        the_list.next()
        thread.guest_says("one more")
        assert the_list.next()[0] == "changed"
        stand.stop()
        assert page.await_end() == []


@on_one_database
def test_who_needs_a_person_at_another_business_is_told_to_nobody_here(
    stand: RealtimeStand, noa: User, clock: FakeClock, thread: ThreadBuilder, database: Database
) -> None:
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    with listening(stand, cookie_of(noa, clock), waiting=noa.id) as page:
        assert page.next_waiting() == []
        theirs.needs_a_person()
        thread.needs_a_person()
        assert [[found for found, _ in page.next_waiting()]] == [[thread.id]]


@on_one_database
def test_a_page_of_somebody_who_was_logged_in_before_is_refused(
    stand: RealtimeStand, users: Users, noa: User, clock: FakeClock
) -> None:
    dan = users.add("1", "Dan", PASSWORD)
    for whose in (dan.id, "", "x"):
        with listening(stand, cookie_of(noa, clock), waiting=whose) as refused:
            assert refused.status == 403


@on_one_database
def test_a_page_with_nothing_new_is_kept_alive_while_others_come_and_go(
    database: Database, users: Users, noa: User, clock: FakeClock
) -> None:
    dan, is_alive = cookie_of(users.add("1", "Dan", PASSWORD), clock), threading.Event()

    def come_and_go(stand: RealtimeStand) -> None:
        while not is_alive.is_set():
            with listening(stand, dan) as page:
                page.next()

    with (
        live_stand(database, clock, keep_alive_s=0.5) as stand,
        listening(stand, cookie_of(noa, clock)) as page,
        ThreadPoolExecutor(1) as others,
    ):
        coming = others.submit(come_and_go, stand)
        try:
            page.await_sign_of_life()
        finally:
            is_alive.set()
        coming.result()


@on_one_database
def test_one_user_has_so_many_streams_and_all_together_so_many(
    database: Database, users: Users, noa: User, clock: FakeClock
) -> None:
    dan, ours = cookie_of(users.add("1", "Dan", PASSWORD), clock), cookie_of(noa, clock)
    with live_stand(database, clock, most=3, most_of_one_user=2) as stand:
        with listening(stand, ours), listening(stand, ours), listening(stand, ours) as third:
            assert third.status == 429
            with listening(stand, dan) as page, listening(stand, dan) as fourth:
                assert (page.status, fourth.status) == (200, 503)

        def is_free() -> bool:
            with listening(stand, ours) as page:
                return page.status == 200

        wait_until(is_free, WAIT_S, "the places of pages that have gone")


@on_one_database
def test_streams_end_when_the_process_stops(stand: RealtimeStand, noa: User, clock: FakeClock) -> None:
    with listening(stand, cookie_of(noa, clock)) as page:
        page.next()
        stand.stop()
        assert page.await_end() == []

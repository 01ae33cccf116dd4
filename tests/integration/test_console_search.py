"""Searching: what people expect to find, however many messages there are, and pages that stay right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from server.domain.cursors import ListCursor
from server.domain.messages import Channel
from server.domain.views import Wanted
from server.store import search
from server.store.models import NoteRow
from server.store.queries import ConsoleQueries
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder

pytestmark = pytest.mark.usefixtures("tenants")


@pytest.fixture
def queries(database: Database) -> ConsoleQueries:
    return ConsoleQueries(database)


def _found(queries: ConsoleQueries, text: str, **more: object) -> list[int]:
    wanted = Wanted(text=text, **more)  # type: ignore[arg-type]
    return [one.id for one in queries.conversations("1", wanted, None).conversations]


def _all_pages(queries: ConsoleQueries, wanted: Wanted, limit: int) -> list[int]:
    found: list[int] = []
    cursor: ListCursor | None = None
    while True:
        page = queries.conversations("1", wanted, cursor, limit)
        found += [one.id for one in page.conversations]
        if page.older is None:
            return found
        cursor = ListCursor.parse(page.older)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parking", "Is there PARKING?"),
        ("PARKING", "is there parking?"),
        ("arkin", "is there parking?"),
        ("יונה", "כיונה מצאה"),
        *(("חניה", f"{glued}חניה") for glued in ("ו", "ה", "ב", "ל", "מ", "ש", "כ", "וש", "מה", "כשה")),
        ("חני", "יש חניון?"),
        ("É", "CAFÉ"),
        ("check-in", "When is check-in, please?"),
        ("see you", "Great, see you"),
        ("\N{DOG FACE}", "May I bring \N{DOG FACE}?"),
        ("a_b", "the code is a_b"),
        ("/", "and/or"),
        ("'", "Noa's room"),
    ],
)
def test_a_part_of_a_message_finds_it(
    database: Database, clock: FakeClock, queries: ConsoleQueries, text: str, message: str
) -> None:
    thread, other = ThreadBuilder(database, clock.now()), ThreadBuilder(database, clock.now())
    thread.guest_says(message)
    other.reply("something else altogether")
    assert _found(queries, text) == [thread.id]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("ok", "ok"),
        ("OK", "ok, thanks"),
        ("ok", "that is ok"),
        ("ok", "(ok)"),
        ("ok", "a booking"),
        ("ok", "look"),
        ("3b", "room 3B."),
        ("לא", "לא"),
        ("לא", "אולי ולא"),
        ("לא", "שלא, תודה"),
        ("לא", "מלאכים"),
        ("7p", "at 12:17pm"),
        ("on", "I don\N{RIGHT SINGLE QUOTATION MARK}t"),
        ("ok", "\N{LEFT DOUBLE QUOTATION MARK}ok, then"),
        ("ok", "look\N{DOG FACE}"),
    ],
)
def test_two_letters_are_found_wherever_they_stand(
    database: Database, clock: FakeClock, queries: ConsoleQueries, pair: str, message: str
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says(message)
    # Enough conversations without it for it to be no common text.
    others = [ThreadBuilder(database, clock.now()) for _ in range(3)]
    for other in others:
        other.guest_says("something else")
    assert _found(queries, pair) == [thread.id]
    assert _found(queries, "qz") == []


@pytest.mark.parametrize("is_common", [False, True])
def test_pages_of_a_search_hold_every_conversation_once_newest_first(
    database: Database, clock: FakeClock, queries: ConsoleQueries, is_common: bool
) -> None:
    made, without = [], []
    for number in range(24):
        thread = ThreadBuilder(database, clock.now() + timedelta(seconds=number // 4))
        thread.reply("No, we are full.")
        if number % (2 if is_common else 4) == 0:
            thread.guest_says("A balloon, please")
            made.append(thread.id)
        else:
            without.append(thread.id)
    with database.read() as session:
        assert (search.gather(session, "1", "balloon") is None) == is_common
    for limit in (1, 2, 5):
        assert _all_pages(queries, Wanted(text="balloon"), limit) == made[::-1]


def test_a_common_text_is_found_in_old_messages_and_in_names_too(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    old = ThreadBuilder(database, clock.now() - timedelta(days=2))
    old.guest_says("breakfast")
    for _ in range(search.NEWEST_MESSAGES):
        old.guest_says("and again")
    called = ThreadBuilder(database, clock.now() - timedelta(days=1), name="Breakfast Club")
    often = [ThreadBuilder(database, clock.now()) for _ in range(3)]
    for thread in often:
        thread.reply("Breakfast is at eight.")
    with database.read() as session:
        assert search.gather(session, "1", "breakfast") is None
    assert _found(queries, "breakfast") == [*(one.id for one in often[::-1]), called.id, old.id]


@pytest.mark.parametrize("text", ["balloon", "bo"])
def test_another_business_s_messages_are_not_found(
    database: Database, clock: FakeClock, queries: ConsoleQueries, text: str
) -> None:
    ThreadBuilder(database, clock.now()).guest_says("nothing of the kind")
    for _ in range(4):
        ThreadBuilder(database, clock.now(), tenant_id="2").guest_says("a balloon, a book")
    assert _found(queries, text) == []
    with database.read() as session:
        assert search.gather(session, "1", text) == set()


@pytest.mark.parametrize("common", ["", "balloon"], ids=["rare", "common"])
def test_a_note_is_found_in_its_own_business_alone(
    queries: ConsoleQueries, database: Database, clock: FakeClock, common: str
) -> None:
    noted = ThreadBuilder(database, clock.now())
    other = ThreadBuilder(database, clock.now(), "2")
    with database.write() as session:
        for tenant_id, conversation_id in (("1", noted.id), ("2", other.id)):
            place = {"tenant_id": tenant_id, "conversation_id": conversation_id}
            session.add(NoteRow(**place, author="Noa", text="A Balloon at 8", at=clock.now()))
    threads = [ThreadBuilder(database, clock.now()) for _ in range(3)]
    for thread in threads:
        thread.guest_says(f"Hello {common}")
    expected = [noted.id, *(thread.id for thread in threads if common)]
    assert sorted(_found(queries, "balloon")) == sorted(expected)


def test_what_staff_were_told_is_not_found(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.reply("balloon", conversation_id=None, turn_id=None, kind="notice")
    assert _found(queries, "balloon") == []


def test_a_search_keeps_to_the_filters_beside_it(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    written, called = (ThreadBuilder(database, clock.now()) for _ in range(2))
    written.guest_says("a balloon")
    called.guest_says("a balloon", channel="voice")
    written.needs_a_person()
    assert _found(queries, "balloon", channel=Channel.VOICE) == [called.id]
    assert _found(queries, "balloon", needs_human=True) == [written.id]
    assert _found(queries, "balloon", needs_human=True, channel=Channel.VOICE) == []


@pytest.mark.parametrize("channel", [Channel.WHATSAPP, Channel.VOICE])
def test_pages_of_one_channel_hold_every_conversation_once(
    database: Database, clock: FakeClock, queries: ConsoleQueries, channel: Channel
) -> None:
    made = []
    for number in range(20):
        thread = ThreadBuilder(database, clock.now() + timedelta(seconds=number // 3))
        thread.guest_says("hello", channel=Channel.VOICE if number % 7 == 0 else Channel.WHATSAPP)
        if (number % 7 == 0) == (channel is Channel.VOICE):
            made.append(thread.id)
    for limit in (1, 2, 40):
        assert _all_pages(queries, Wanted(channel=channel), limit) == made[::-1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_index_the_same_is_found(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("a balloon, ok?")
    for _ in range(3):
        ThreadBuilder(database, clock.now()).guest_says("something")
    with database.write() as session:
        for table in ("inbound_messages", "outbox_messages"):
            session.execute(sql(f"DROP INDEX search_{table}"))
        session.execute(sql("DROP EXTENSION pg_trgm"))
    assert _found(queries, "balloon") == _found(queries, "ok") == [thread.id]

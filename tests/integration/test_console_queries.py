"""What the console reads: the right rows of the right business, in order, in few queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from server.domain.conversations import Mode, Speaker
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.messages import Channel, DeliveryState, MessageKind
from server.domain.views import CallLine, EventView, InboundView, OutboundView, ThreadLine, Wanted
from server.errors import NotFound
from server.store.queries import ConsoleQueries
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder

ALL = Wanted()

pytestmark = pytest.mark.usefixtures("tenants")


@pytest.fixture
def queries(database: Database) -> ConsoleQueries:
    return ConsoleQueries(database)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The SELECTs that run inside the block."""
    selects: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            selects.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield selects
    event.remove(database.engine, "before_cursor_execute", note)


def _ids(queries: ConsoleQueries, wanted: Wanted = ALL) -> list[int]:
    return [found.id for found in queries.conversations("1", wanted, None).conversations]


def _texts(lines: list[ThreadLine]) -> list[str]:
    return [_text(line) for line in lines]


def _text(line: ThreadLine) -> str:
    if isinstance(line, CallLine):
        return f"call {line.id}"
    return str(line.kind) if isinstance(line, EventView) else line.text


def test_conversations_come_newest_first_with_their_last_message(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    older = ThreadBuilder(database, clock.now())
    older.guest_says("first")
    older.reply("answer", state=DeliveryState.FAILED)
    newer = ThreadBuilder(database, clock.now() + timedelta(hours=1))
    newer.reply("hello")
    newer.guest_says("", kind="image")
    quiet = ThreadBuilder(database, clock.now() - timedelta(hours=1))

    page = queries.conversations("1", ALL, None)

    assert [found.id for found in page.conversations] == [newer.id, older.id, quiet.id]
    image, failed, nothing = (found.preview for found in page.conversations)
    assert image is not None
    assert (image.speaker, image.kind, image.state) == (Speaker.GUEST, MessageKind.IMAGE, None)
    assert failed is not None
    assert (failed.speaker, failed.text, failed.state) == (Speaker.HOST, "answer", DeliveryState.FAILED)
    assert nothing is None
    assert page.older is None


def test_every_conversation_is_on_exactly_one_page_even_where_times_are_equal(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    made = [ThreadBuilder(database, clock.now() + timedelta(seconds=number // 4)).id for number in range(10)]
    seen: list[int] = []
    cursor: ListCursor | None = None
    while True:
        page = queries.conversations("1", ALL, cursor, limit=3)
        seen += [found.id for found in page.conversations]
        if page.older is None:
            break
        cursor = ListCursor.parse(page.older)
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rosen", ["maya"]),
        ("COOK", ["maya"]),
        ("kitchen is yours", ["maya"]),
        ("הזמנה", ["noam"]),
        ("054-765 4321", ["noam"]),
        ("+972 54", ["noam"]),
        ("web-client-7", ["chat"]),
        ("100%", ["chat"]),
        ("%", ["chat"]),
        ("_", []),
        ("0", ["chat"]),
        ("secret of the other business", []),
    ],
)
def test_search_finds_names_numbers_and_texts_of_both_sides(
    database: Database, clock: FakeClock, queries: ConsoleQueries, text: str, found: list[str]
) -> None:
    maya = ThreadBuilder(database, clock.now(), name="Maya Rosen", phone="4477@s.whatsapp.net")
    maya.guest_says("May we bring a cook?")
    maya.reply("Yes, the kitchen is yours.")
    noam = ThreadBuilder(database, clock.now(), name="נועם", phone="972547654321:3@s.whatsapp.net")
    noam.guest_says("מספר ההזמנה שלי")
    chat = ThreadBuilder(database, clock.now(), name=None, phone=None, chat_key="web-client-7")
    chat.guest_says("Is it 100% quiet?")
    other = ThreadBuilder(database, clock.now(), tenant_id="2")
    other.guest_says("secret of the other business")

    ids = {maya.id: "maya", noam.id: "noam", chat.id: "chat"}
    assert [ids[row] for row in _ids(queries, Wanted(text=text))] == found


def test_the_filter_shows_only_who_needs_a_person(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    waiting = ThreadBuilder(database, clock.now())
    waiting.needs_a_person()
    ThreadBuilder(database, clock.now())
    assert _ids(queries, Wanted(needs_human=True)) == [waiting.id]


def test_a_guest_is_called_by_the_best_name_there_is(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    ThreadBuilder(database, clock.now(), name=None, phone=None, lid="55@lid")
    ThreadBuilder(database, clock.now() + timedelta(1), name=None, phone=None, chat_key="web-1")
    ThreadBuilder(database, clock.now() + timedelta(2), name=None, phone="972501111111:4@s.whatsapp.net")
    ThreadBuilder(database, clock.now() + timedelta(3), name="Maya")
    guests = [found.guest for found in queries.conversations("1", ALL, None).conversations]
    assert [guest.title for guest in guests] == ["Maya", "+972501111111", "web-1", f"Guest {guests[3].id}"]


def test_a_thread_has_both_sides_in_the_order_of_time(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    first = thread.guest_says("hi")
    second = thread.guest_says("when is check-in?", quoted={"id": "X", "text": "quoted words"})
    turn = {
        "source": "model",
        "handover": True,
        "citations": [{"document": "d", "title": "Check-in", "score": 0.9}],
        "timings_ms": {"model": 800.0},
        "analysis": {"intent": "question"},
    }
    thread.reply("From 15:00.", covers=[first, second], state=DeliveryState.READ, after_s=2, turn=turn)
    thread.phone_says("See you!")

    page = queries.thread("1", thread.id)

    assert _texts(list(page.lines)) == ["hi", "when is check-in?", "From 15:00.", "See you!"]
    _, question, reply, phone = page.lines
    assert isinstance(question, InboundView)
    assert question.quoted_text == "quoted words"
    assert isinstance(reply, OutboundView)
    assert reply.state is DeliveryState.READ
    assert reply.sent_at
    assert reply.delivered_at
    assert reply.read_at
    # From the first of the two messages: 30 s to the second, 2 s to the answer, half a second to send it.
    assert reply.waited_ms == 32_500
    assert reply.turn is not None
    assert (reply.turn.source, reply.turn.handover) == ("model", True)
    assert reply.turn.citations[0].title == "Check-in"
    assert isinstance(phone, InboundView)
    assert phone.from_me


def test_what_staff_were_told_is_not_part_of_the_thread(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.reply("to staff", conversation_id=None, turn_id=None, kind="notice")
    assert queries.thread("1", thread.id).lines == []


def test_a_message_that_was_held_up_is_marked_late(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("late", sent_at=clock.now() - timedelta(hours=1))
    thread.guest_says("waiting", handled_at=None)
    late, waiting = queries.thread("1", thread.id).lines
    assert isinstance(late, InboundView)
    assert isinstance(waiting, InboundView)
    assert (late.was_late, late.is_waiting) == (True, False)
    assert (waiting.was_late, waiting.is_waiting) == (False, True)


@pytest.mark.parametrize("one_sided", [False, True])
def test_every_line_of_a_long_thread_is_on_exactly_one_page(
    database: Database, clock: FakeClock, queries: ConsoleQueries, one_sided: bool
) -> None:
    thread = ThreadBuilder(database, clock.now())
    expected = []
    for number in range(11):
        # Two of three times go backwards: the clock of a second machine.
        thread.at -= timedelta(seconds=60 * (number % 3))
        question = thread.guest_says(f"question {number}")
        expected.append(f"question {number}")
        if not one_sided or number == 0:
            thread.reply(f"answer {number}", covers=[question])
            expected.append(f"answer {number}")

    pages: list[list[str]] = []
    cursor = NEWEST
    while True:
        page = queries.thread("1", thread.id, cursor, limit=4)
        pages.insert(0, _texts(list(page.lines)))
        if page.older is None:
            break
        cursor = ThreadCursor.parse(page.older)

    lines = [line for texts in pages for line in texts]
    assert sorted(lines) == sorted(expected)
    for side in ("question", "answer"):
        assert [x for x in lines if x.startswith(side)] == [x for x in expected if x.startswith(side)]
    assert all(len(texts) == 4 for texts in pages[1:])


def test_a_line_that_comes_in_between_does_not_shift_the_pages(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    for number in range(4):
        thread.guest_says(str(number))
    older = queries.thread("1", thread.id, limit=2).older
    assert older is not None
    thread.guest_says("new")
    page = queries.thread("1", thread.id, ThreadCursor.parse(older), limit=2)
    assert _texts(list(page.lines)) == ["0", "1"]


def test_every_event_stands_on_one_page_between_the_lines_around_it(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    expected = []
    for number in range(5):
        thread.guest_says(str(number))
        thread.happens("takeover" if number % 2 == 0 else "hand_back", mode="human")
        expected += [str(number), "takeover" if number % 2 == 0 else "hand_back"]
    seen: list[str] = []
    cursor = NEWEST
    while True:
        page = queries.thread("1", thread.id, cursor, limit=2)
        seen = _texts(list(page.lines)) + seen
        if page.older is None:
            break
        cursor = ThreadCursor.parse(page.older)
    assert seen == expected


def test_conversations_are_found_by_language_and_by_the_channel_of_their_newest_message(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    written, called, silent = (ThreadBuilder(database, clock.now()) for _ in range(3))
    written.set(language="he")
    written.reply("answer", covers=[written.guest_says("question", channel="voice")], after_s=0)
    called.reply("hello", channel="voice")
    assert _ids(queries, Wanted(channel=Channel.WHATSAPP)) == [written.id]
    assert _ids(queries, Wanted(channel=Channel.VOICE)) == [called.id]
    called.guest_says("a message afterwards")
    assert set(_ids(queries, Wanted(channel=Channel.WHATSAPP))) == {written.id, called.id}
    assert _ids(queries, Wanted(language="he")) == [written.id]
    assert _ids(queries, Wanted(language="he", channel=Channel.CHAT)) == []
    assert silent.id in _ids(queries)


def test_a_call_stands_where_it_began_with_its_recordings_oldest_first(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("before")
    for call_id, names in (("CA1", ("b", "a")), ("CA2", ())):
        thread.calls(call_id, recordings=names)
        thread.guest_says(f"during {call_id}")
    other = ThreadBuilder(database, clock.now())
    other.calls("CA3")
    lines = queries.thread("1", thread.id).lines
    assert _texts(list(lines)) == ["before", "call CA1", "during CA1", "call CA2", "during CA2"]
    first, second = (line for line in lines if isinstance(line, CallLine))
    assert [one.name for one in first.recordings] == ["b", "a"]
    assert (first.seconds, second.recordings) == (60, [])
    newest = queries.thread("1", thread.id, limit=1)
    assert _texts(list(newest.lines)) == ["during CA2"]
    assert newest.older is not None
    older = queries.thread("1", thread.id, ThreadCursor.parse(newest.older))
    assert _texts(list(older.lines)) == ["before", "call CA1", "during CA1", "call CA2"]


def test_conversations_are_found_by_who_answers_them(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    taken = ThreadBuilder(database, clock.now())
    taken.set(mode="human")
    ThreadBuilder(database, clock.now())
    assert _ids(queries, Wanted(mode=Mode.HUMAN)) == [taken.id]


def test_another_business_s_thread_does_not_exist(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    other = ThreadBuilder(database, clock.now(), tenant_id="2")
    other.guest_says("private")
    with pytest.raises(NotFound):
        queries.thread("1", other.id)
    assert _ids(queries) == []


def test_the_number_of_queries_does_not_grow_with_the_rows(
    database: Database, clock: FakeClock, queries: ConsoleQueries
) -> None:
    for _ in range(12):
        thread = ThreadBuilder(database, clock.now())
        for _ in range(4):
            thread.reply("answer", covers=[thread.guest_says("question")])
    with counted(database) as selects:
        assert len(queries.conversations("1", ALL, None).conversations) == 12
    assert len(selects) == 2
    with counted(database) as selects:
        assert len(queries.thread("1", thread.id).lines) == 8
    assert len(selects) == 8

"""What staff keep beside the messages, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from server.domain.conversations import conversation_key
from server.domain.cursors import ThreadCursor
from server.domain.messages import GuestAddress
from server.domain.modes import Actor, ModeBy
from server.domain.staff import Role
from server.domain.views import NOBODY, NoteView, OutboundView, ThreadPage, Wanted
from server.errors import NotFound, UnprocessableRequest
from server.store.canned_replies import CannedReplies
from server.store.history import last_lines
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.labels import MOST_LABELS, Labels
from server.store.leases import Leases
from server.store.models import AuditRow, UserRow
from server.store.notes import Notes
from server.store.queries import ConsoleQueries
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.builders import GUEST, a_message
from tests.support.threads import ThreadBuilder

NOA = Actor(ModeBy.CONSOLE, "Noa")

pytestmark = pytest.mark.usefixtures("tenants")


@pytest.fixture
def thread(database: Database, clock: FakeClock) -> ThreadBuilder:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("When is check-in?")
    return thread


@pytest.fixture
def queries(database: Database) -> ConsoleQueries:
    return ConsoleQueries(database)


@pytest.fixture
def notes(database: Database, clock: FakeClock) -> Notes:
    return Notes(database, clock)


@pytest.fixture
def labels(database: Database, clock: FakeClock) -> Labels:
    return Labels(database, clock)


@pytest.fixture
def users(database: Database, clock: FakeClock) -> Users:
    return Users(database, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def told(page: ThreadPage) -> list[str]:
    return [
        f"note {line.text}" if isinstance(line, NoteView) else getattr(line, "text", "")
        for line in page.lines
    ]


def found(queries: ConsoleQueries, **wanted: object) -> list[int]:
    return [one.id for one in queries.conversations("1", Wanted(**wanted), None).conversations]  # type: ignore[arg-type]


def test_a_note_stands_between_the_messages_of_its_time(
    thread: ThreadBuilder, clock: FakeClock, notes: Notes, queries: ConsoleQueries
) -> None:
    clock.advance(60)
    notes.add("1", thread.id, "Noa", "An early bird.")
    thread.guest_says("Hello?", after_s=120)
    page = queries.thread_with_notes("1", thread.id)
    assert told(page) == ["When is check-in?", "note An early bird.", "Hello?"]
    note = page.lines[1]
    assert isinstance(note, NoteView)
    assert (note.author, note.at) == ("Noa", clock.now())


def test_every_note_stands_on_one_page(
    thread: ThreadBuilder, clock: FakeClock, notes: Notes, queries: ConsoleQueries
) -> None:
    for number in range(6):
        clock.advance(30)
        notes.add("1", thread.id, "Noa", f"note of {number}")
        thread.guest_says(f"message {number}")
    seen: list[str] = []
    page = queries.thread_with_notes("1", thread.id, limit=2)
    seen += told(page)
    while page.older is not None:
        page = queries.thread_with_notes("1", thread.id, ThreadCursor.parse(page.older), limit=2)
        seen += told(page)
    assert sorted(one for one in seen if one.startswith("note ")) == [f"note note of {n}" for n in range(6)]


def test_a_note_is_told_to_nobody_outside_and_to_no_model(
    thread: ThreadBuilder, database: Database, notes: Notes, queries: ConsoleQueries
) -> None:
    notes.add("1", thread.id, "Noa", "A difficult guest.")
    assert told(queries.thread("1", thread.id)) == ["When is check-in?"]
    (listed,) = queries.conversations("1", Wanted(), None).conversations
    assert listed.preview is not None
    assert listed.preview.text == "When is check-in?"
    with database.read() as session:
        lines = last_lines(session.connection(), thread.id, 10)
    assert [line.text for line in lines] == ["When is check-in?"]


def test_notes_stand_in_the_conversation_of_their_own_business_alone(
    thread: ThreadBuilder, notes: Notes, queries: ConsoleQueries
) -> None:
    for tenant_id, conversation_id in (("2", thread.id), ("1", thread.id + 1)):
        with pytest.raises(NotFound):
            notes.add(tenant_id, conversation_id, "Eve", "x")
    with pytest.raises(UnprocessableRequest):
        notes.add("1", thread.id, "Noa", "x" * 4_001)
    assert told(queries.thread_with_notes("1", thread.id)) == ["When is check-in?"]


def test_a_label_keeps_its_letters_and_is_known_in_any_case(
    thread: ThreadBuilder, database: Database, clock: FakeClock, labels: Labels, queries: ConsoleQueries
) -> None:
    other = ThreadBuilder(database, clock.now() - timedelta(hours=1))
    labels.add("1", thread.id, " Größe  XL ", NOA)
    labels.add("1", thread.id, "GRÖSSE xl", NOA)
    labels.add("1", other.id, "größe xl", NOA)
    labels.add("1", other.id, "VIP", NOA)
    summaries = queries.conversations("1", Wanted(), None).conversations
    assert [one.labels for one in summaries] == [["Größe XL"], ["Größe XL", "VIP"]]
    assert labels.known("1") == ["Größe XL", "VIP"]
    assert found(queries, label="GRÖSSE XL") == [thread.id, other.id]
    assert found(queries, label="vip") == [other.id]
    assert found(queries, label="nobody's") == []
    labels.remove("1", other.id, "vIP", NOA)
    assert queries.thread("1", other.id).conversation.labels == ["Größe XL"]
    with database.read() as session:
        actions = session.scalars(select(AuditRow.action).order_by(AuditRow.id)).all()
    assert actions == ["label.added"] * 3 + ["label.removed"]


@pytest.mark.parametrize("label", ["", "  ", "x" * 41, "a\x07b"])
def test_what_is_no_label_is_refused(thread: ThreadBuilder, labels: Labels, label: str) -> None:
    with pytest.raises(UnprocessableRequest, match="label of 1 to 40"):
        labels.add("1", thread.id, label, NOA)


def test_a_conversation_has_ten_labels_at_the_most(thread: ThreadBuilder, labels: Labels) -> None:
    for number in range(MOST_LABELS):
        labels.add("1", thread.id, f"label {number}", NOA)
    with pytest.raises(UnprocessableRequest, match="remove a label first"):
        labels.add("1", thread.id, "one more", NOA)
    labels.add("1", thread.id, "LABEL 3", NOA)
    assert len(labels.known("1")) == MOST_LABELS


def test_labels_of_another_business_are_not_seen_or_touched(
    thread: ThreadBuilder, labels: Labels, queries: ConsoleQueries
) -> None:
    labels.add("1", thread.id, "VIP", NOA)
    assert labels.known("2") == []
    for change in (labels.add, labels.remove):
        with pytest.raises(NotFound):
            change("2", thread.id, "VIP", NOA)
    assert queries.thread("1", thread.id).conversation.labels == ["VIP"]


def test_a_conversation_is_given_to_who_answers_guests(
    thread: ThreadBuilder,
    database: Database,
    clock: FakeClock,
    labels: Labels,
    users: Users,
    queries: ConsoleQueries,
) -> None:
    noa = users.add("1", "Noa", "a password of the test", Role.OWNER)
    dan = users.add("1", "dan", "a password of the test", Role.STAFF)
    left = users.add("1", "Lea", "a password of the test", Role.STAFF)
    viewer = users.add("1", "Vic", "a password of the test", Role.VIEWER)
    stranger = users.add("2", "Eve", "a password of the test", Role.OWNER)
    with database.write() as session:
        session.execute(update(UserRow).where(UserRow.id == left.id).values(disabled_at=clock.now()))
    assert [one.name for one in labels.team("1")] == ["dan", "Noa"]
    for nobody in (left.id, viewer.id, stranger.id, 10**9):
        with pytest.raises(UnprocessableRequest):
            labels.assign("1", thread.id, nobody, NOA)
    assert found(queries, assigned=NOBODY) == [thread.id]
    labels.assign("1", thread.id, dan.id, NOA)
    labels.assign("1", thread.id, dan.id, NOA)
    assignee = queries.thread("1", thread.id).conversation.assignee
    assert assignee is not None
    assert assignee.name == "dan"
    assert found(queries, assigned=dan.id) == [thread.id]
    assert found(queries, assigned=noa.id) == found(queries, assigned=NOBODY) == []
    labels.assign("1", thread.id, None, NOA)
    assert found(queries, assigned=NOBODY) == [thread.id]
    with pytest.raises(NotFound):
        labels.assign("2", thread.id, None, NOA)
    with database.read() as session:
        noted = select(AuditRow.details).where(AuditRow.action == "conversation.assigned")
        assert [one["user"] for one in session.scalars(noted.order_by(AuditRow.id))] == [dan.id, None]


def test_joined_conversations_keep_notes_and_labels_of_both(
    database: Database,
    clock: FakeClock,
    leases: Leases,
    notes: Notes,
    labels: Labels,
    users: Users,
    queries: ConsoleQueries,
) -> None:
    inbox, identities = Inbox(database, clock), Identities(database, clock)
    inbox.save("1", [a_message("Hello")])
    inbox.save("1", [a_message("Hello", address=GuestAddress("7@lid", lid="7@lid"))])
    identities.link("1", "7@lid", GUEST)
    (guest_id,) = identities.due_merges(5)
    merge = identities.find_merge(guest_id)
    assert merge is not None
    noa = users.add("1", "Noa", "a password of the test", Role.OWNER)
    for label in ("VIP", "late"):
        labels.add("1", merge.leaving, label, NOA)
    labels.add("1", merge.staying, "vip", NOA)
    labels.assign("1", merge.leaving, noa.id, NOA)
    notes.add("1", merge.leaving, "Noa", "An early bird.")
    claimed = [leases.claim(conversation_key(one)) for one in (merge.leaving, merge.staying)]
    identities.merge([lease for lease in claimed if lease is not None], merge)
    page = queries.thread_with_notes("1", merge.staying)
    assert page.conversation.labels == ["late", "VIP"]
    assert page.conversation.assignee is not None
    assert "note An early bird." in told(page)


def test_replies_are_kept_by_business_and_every_change_is_noted(database: Database, clock: FakeClock) -> None:
    replies = CannedReplies(database, clock)
    parking = replies.add("1", " Parking ", "In the yard, {guest}.", NOA)
    arrival = replies.add("1", "arrival", "From 15:00.", NOA)
    assert [(one.id, one.title) for one in replies.all("1")] == [(arrival, "arrival"), (parking, "Parking")]
    assert replies.all("2") == []
    replies.change("1", parking, "Car", "In the street.", NOA)
    assert replies.get("1", parking).text == "In the street."
    for tenant_id, reply_id in (("2", parking), ("1", parking + 100)):
        with pytest.raises(NotFound):
            replies.get(tenant_id, reply_id)
        with pytest.raises(NotFound):
            replies.change(tenant_id, reply_id, "x", "y", NOA)
        with pytest.raises(NotFound):
            replies.delete(tenant_id, reply_id, NOA)
    replies.delete("1", arrival, NOA)
    assert [one.title for one in replies.all("1")] == ["Car"]
    with database.read() as session:
        actions = session.scalars(select(AuditRow.action).order_by(AuditRow.id)).all()
    assert actions == ["reply.added", "reply.added", "reply.changed", "reply.deleted"]


@pytest.mark.parametrize(
    ("title", "text", "why"),
    [
        ("", "x", "title of 1 to 80"),
        ("x" * 81, "x", "title of 1 to 80"),
        ("x", "", "write 1 to 4,000"),
        ("x", "x" * 4_001, "write 1 to 4,000"),
        ("x", "Dear {name}", r"nothing is known as \{name\}; .*\{guest\}, \{me\}"),
    ],
)
def test_a_reply_that_is_none_is_refused_with_what_to_mend(
    database: Database, clock: FakeClock, title: str, text: str, why: str
) -> None:
    replies = CannedReplies(database, clock)
    with pytest.raises(UnprocessableRequest, match=why):
        replies.add("1", title, text, NOA)
    assert replies.all("1") == []


def test_a_turn_tells_how_it_came_about(thread: ThreadBuilder, queries: ConsoleQueries) -> None:
    turn = {"model": "gpt-x", "prompt_version": 3, "steps_ms": {"queued": 4.0}, "intended": "From 15:00."}
    thread.reply("From", turn=turn)
    line = queries.thread("1", thread.id).lines[-1]
    assert isinstance(line, OutboundView)
    assert line.turn is not None
    told_of = (line.turn.model, line.turn.prompt_version, line.turn.steps_ms, line.turn.intended)
    assert told_of == ("gpt-x", 3, {"queued": 4.0}, "From 15:00.")

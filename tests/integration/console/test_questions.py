"""Staff answer what the desk did not know: it becomes knowledge, and who waits is told."""

from __future__ import annotations

import html
import re
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.console import ConsoleParts
from server.domain.conversations import Reply, ReplySource
from server.domain.messages import GuestAddress
from server.domain.staff import Role
from server.store.documents import Documents
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import ConversationRow, OutboxRow, QuestionRow
from server.store.replies import Replies
from server.store.session import Database
from server.store.turns import Turns
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.fakes.work_queue import FakeQueue
from tests.support.builders import a_message
from tests.support.console import PASSWORD, log_in, token

on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

ASKED = "Is there a helipad for my helicopter?"
ANSWER = {"title": "Is there a helipad for my helicopter?", "body": "No helicopter may land here."}


class Guests:
    """Ask what no document answers."""

    def __init__(self, turns: Turns, clock: FakeClock) -> None:
        self._turns = turns
        self._clock = clock

    def ask(self, guest: str, text: str = ASKED, tenant_id: str = "1") -> int:
        """The conversation in which the team was asked."""
        address = GuestAddress(f"{guest}@lid", lid=f"{guest}@lid")
        message = a_message(text, address=address, tenant_id=tenant_id, sent_at=self._clock.now())
        taken = self._turns.begin(message, 4).taken
        assert taken is not None
        reply = Reply(
            text="I have asked the team.",
            source=ReplySource.KNOWLEDGE,
            language="en",
            handover=True,
            reason="not_known",
        )
        self._turns.commit(taken.lease, taken.turn, reply, self._clock.now(), None, unless_newer=False)
        self._clock.advance(60)
        return taken.turn.conversation_id


@pytest.fixture
def guests(database: Database, clock: FakeClock, leases: Leases, users: Users) -> Guests:
    """Of the businesses that `users` has made."""
    replies = Replies(database, clock, "http://desk.example")
    return Guests(Turns(database, leases, Inbox(database, clock), replies), clock)


def question_id(database: Database, tenant_id: str = "1") -> int:
    with database.read() as session:
        ids = select(QuestionRow.id).where(QuestionRow.tenant_id == tenant_id)
        return session.scalars(ids.order_by(QuestionRow.id)).all()[-1]


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    """Send a form; the status, and the page that is shown then, as it reads."""
    data = {"csrf_token": token(client.get("/console/")), **form}
    answer = client.post(f"/console/{path}", data=data, follow_redirects=True)
    return answer.status_code, html.unescape(answer.text)


def from_staff(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(OutboxRow.text).where(OutboxRow.kind == "staff")))


def counted(page: str) -> str | None:
    """What the navigation says that waits."""
    match = re.search(r'<span class="badge new">(\d+)<', page)
    return match and match[1]


def test_open_questions_are_listed_with_who_asked_and_counted(staff: FlaskClient, guests: Guests) -> None:
    first, second = guests.ask("maya"), guests.ask("dan", "is there a helipad for my helicopter")
    guests.ask("noam", "Do you sell stamps?")
    page = staff.get("/console/questions").text
    assert page.count('<li class="card row">') == 2
    assert page.index("stamps") < page.index("helicopter")
    for conversation_id in (first, second):
        assert f"/console/conversations/{conversation_id}" in page
    assert counted(staff.get("/console/").text) == "3"


def test_where_nothing_waits_nothing_is_counted(staff: FlaskClient) -> None:
    page = staff.get("/console/questions").text
    assert "No question is open" in page
    assert counted(page) is None


@on_both_databases
def test_an_answer_is_known_at_once_and_reaches_who_waits(
    staff: FlaskClient, guests: Guests, database: Database, parts: ConsoleParts, clock: FakeClock
) -> None:
    conversation_id = guests.ask("maya")
    number = question_id(database)
    assert ASKED in staff.get(f"/console/questions/{number}").text
    status, page = post(staff, f"questions/{number}", tells="1", **ANSWER)
    assert status == HTTPStatus.OK
    assert "It goes to 1 guest." in page
    assert "Asked again, the desk answers it from there" in page
    assert from_staff(database) == [ANSWER["body"]]
    assert isinstance(parts.lanes, FakeQueue)
    assert parts.lanes.keys == [f"conversation:{conversation_id}"]
    assert Documents(database, clock).get("1", f"answer-{number}").document.title == ANSWER["title"]
    with database.read() as session:
        row = session.get_one(ConversationRow, conversation_id)
        assert (row.mode, row.needs_human) == ("ai", False)


def test_a_form_that_is_sent_twice_tells_once(staff: FlaskClient, guests: Guests, database: Database) -> None:
    guests.ask("maya")
    for _ in range(2):
        _, page = post(staff, f"questions/{question_id(database)}", tells="1", **ANSWER)
        assert "It goes to 1 guest." in page
    assert len(from_staff(database)) == 1


def test_who_is_second_with_another_answer_is_told_and_loses_nothing(
    staff: FlaskClient, guests: Guests, database: Database
) -> None:
    guests.ask("maya")
    path = f"questions/{question_id(database)}"
    post(staff, path, tells="1", **ANSWER)
    status, page = post(staff, path, tells="1", **ANSWER | {"body": "Only on the roof."})
    assert status == HTTPStatus.CONFLICT
    assert "somebody else was quicker" in page
    assert "Only on the roof." in page
    assert from_staff(database) == [ANSWER["body"]]


def test_an_answer_that_does_not_answer_is_said_to_be_none(
    staff: FlaskClient, guests: Guests, database: Database
) -> None:
    guests.ask("maya")
    form = {"title": "Zebras", "body": "Zebras graze far away."}
    _, page = post(staff, f"questions/{question_id(database)}", **form)
    assert "the desk would not answer it from there yet" in page
    assert "No guest is written to." in page
    assert from_staff(database) == []


@pytest.mark.parametrize("wrong", [{"body": " "}, {"title": ""}, {"body": "x" * 20_001}])
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    staff: FlaskClient, guests: Guests, database: Database, wrong: dict[str, str]
) -> None:
    guests.ask("maya")
    status, page = post(staff, f"questions/{question_id(database)}", tells="1", **ANSWER | wrong)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Nothing is saved yet" in page
    assert ("No helicopter may land here." in page) or "body" in wrong
    assert from_staff(database) == []
    assert counted(page) == "1"


def test_a_question_is_dismissed(staff: FlaskClient, guests: Guests, database: Database) -> None:
    guests.ask("maya")
    number = question_id(database)
    _, page = post(staff, f"questions/{number}/dismiss")
    assert "The question is dismissed" in page
    assert "No question is open" in page
    page = staff.get(f"/console/questions/{number}").text
    assert "Dismissed by" in page
    assert "<textarea" not in page


def test_an_open_question_has_no_page_of_an_answer(
    staff: FlaskClient, guests: Guests, database: Database
) -> None:
    guests.ask("maya")
    answer = staff.get(f"/console/questions/{question_id(database)}/answered")
    assert answer.status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("path", ["questions/{}", "questions/{}/dismiss"])
def test_a_viewer_reads_and_decides_nothing(
    staff: FlaskClient, guests: Guests, users: Users, database: Database, path: str
) -> None:
    guests.ask("maya")
    users.add("1", "Vera", PASSWORD, Role.VIEWER)
    viewer = staff.application.test_client()
    log_in(viewer, name="Vera")
    number = question_id(database)
    page = viewer.get(f"/console/questions/{number}").text
    assert ASKED in page
    assert "<textarea" not in page
    status, _ = post(viewer, path.format(number), **ANSWER)
    assert status == HTTPStatus.FORBIDDEN
    assert counted(staff.get("/console/").text) == "1"


@pytest.mark.parametrize("path", ["questions/{}", "questions/{}/dismiss"])
def test_another_business_s_question_does_not_exist(
    staff: FlaskClient, guests: Guests, database: Database, path: str
) -> None:
    guests.ask("maya", tenant_id="2")
    number = question_id(database, "2")
    for place in (number, 2**63):
        assert staff.get(f"/console/questions/{place}").status_code == HTTPStatus.NOT_FOUND
        status, _ = post(staff, path.format(place), **ANSWER)
        assert status == HTTPStatus.NOT_FOUND
    assert "helicopter" not in staff.get("/console/questions").text


@pytest.mark.parametrize("before", ["x", "9" * 5_000, "-1", "٣"])
def test_a_cursor_that_no_page_made_shows_the_first_page(staff: FlaskClient, before: str) -> None:
    assert staff.get(f"/console/questions?before={before}").status_code == HTTPStatus.OK


def test_what_guests_ask_cannot_become_markup(staff: FlaskClient, guests: Guests, database: Database) -> None:
    guests.ask("maya", "<script>alert(1)</script>")
    for path in ("questions", f"questions/{question_id(database)}"):
        page = staff.get(f"/console/{path}").text
        assert "&lt;script&gt;" in page
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)

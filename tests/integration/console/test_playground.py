"""Staff try the desk: the same engine answers, nobody else hears of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from server.app import create_app
from server.console import ConsoleParts
from server.desk import Desk
from server.domain.knowledge import Document
from server.domain.messages import InboundMessage
from server.domain.modes import Actor, ModeBy
from server.domain.numbers import PhoneSetup
from server.domain.staff import Role
from server.inbox.streams import ReplyStream
from server.store.models import CallRow, ConversationRow, GuestRow, InboundRow, OutboxRow, QuestionRow
from server.store.queries import ASKED_BY
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.integration.conftest import SECRET
from tests.support.console import PASSWORD, log_in, send, token

URL = "/console/playground"
UNKNOWN = "Is there a helipad on the roof?"


@pytest.fixture
def running(desk: Desk, tenants: Tenants) -> Desk:
    """The desk, at work, with staff to be told."""
    wanted = replace(
        tenants.get("1").settings, staff_numbers=("+972501234567",), staff_emails=("o@hotel.example",)
    )
    tenants.update("1", wanted)
    desk.ports.knowledge.put_documents(
        "1", [Document("breakfast", "Breakfast", "Breakfast is served from 7:30 to 10:30.", "en")]
    )
    desk.start()
    return desk


@pytest.fixture
def parts(parts: ConsoleParts, running: Desk) -> ConsoleParts:
    # The clock of the desk, or all that is asked would be old.
    return replace(parts, answers=running.answers, clock=running.ports.clock)


def ask(client: FlaskClient, text: str, **form: str) -> TestResponse:
    return client.post(URL, data={"csrf_token": token(client.get(URL)), "text": text, **form})


def page(client: FlaskClient) -> str:
    return " ".join(unescape(client.get(URL).text).split())


def count(database: Database, column: object) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(column)).one()  # type: ignore[arg-type]


def test_a_question_is_answered_with_sources_timings_and_the_way_to_why(staff: FlaskClient) -> None:
    assert ask(staff, "When is breakfast?").location == f"{URL}#latest"
    shown = page(staff)
    assert "When is breakfast?" in shown
    assert "7:30" in shown
    assert '<bdi>Breakfast</bdi> <span class="score">' in shown
    assert "Timings" in shown
    why = re.search(r'href="(/console/conversations/\d+)#latest"> ?Why these answers', shown)
    assert why
    thread = staff.get(why[1]).text
    assert "Why this answer" in thread
    assert ">Test<" in thread


def test_a_page_without_a_test_says_what_a_guest_might_ask(staff: FlaskClient, database: Database) -> None:
    shown = page(staff)
    assert 'name="text" value="When is check-in?"' in shown
    assert count(database, GuestRow) == 0


def test_a_new_test_begins_anew_and_the_old_one_is_kept(staff: FlaskClient, database: Database) -> None:
    ask(staff, "When is breakfast?")
    assert staff.post(f"{URL}/new", data={"csrf_token": token(staff.get(URL))}).location == URL
    assert "When is breakfast?" not in page(staff)
    ask(staff, "Hello")
    assert count(database, ConversationRow) == 2


def test_nobody_is_told_of_a_test_that_needs_a_person(staff: FlaskClient, database: Database) -> None:
    ask(staff, UNKNOWN)
    assert "Of this test nobody was." in page(staff)
    with database.read() as session:
        assert session.scalars(select(OutboxRow.kind)).all() == ["reply"]
        assert not session.scalars(select(ConversationRow.needs_human)).one()
    assert count(database, QuestionRow) == 0


def test_of_a_guest_who_needs_a_person_staff_are_told(
    running: Desk, staff: FlaskClient, database: Database
) -> None:
    api = create_app(running, SECRET).test_client()
    headers = {"Authorization": f"Bearer {running.ports.keys.create('1')}"}
    body = {"tenant": "1", "conversation": "web-1", "message": UNKNOWN}
    assert api.post("/api/v1/chat", json=body, headers=headers).status_code == HTTPStatus.OK
    with database.read() as session:
        kinds = session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id)).all()
        assert kinds == ["reply", "notice", "notice"]
        assert session.scalars(select(ConversationRow.needs_human)).one()


@pytest.mark.parametrize("path", ["/api/v1/chat", "/api/v1/chat/stream"])
def test_a_client_of_the_api_cannot_pass_a_guest_off_as_a_test(
    running: Desk, database: Database, path: str
) -> None:
    api = create_app(running, SECRET).test_client()
    headers = {"Authorization": f"Bearer {running.ports.keys.create('1')}"}
    body = {"tenant": "1", "conversation": "playground:1:x", "message": UNKNOWN}
    answer = api.post(path, json=body, headers=headers)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert count(database, InboundRow) == 0


def test_tests_are_no_common_questions(running: Desk, staff: FlaskClient) -> None:
    for _ in range(ASKED_BY):
        ask(staff, "When is breakfast?")
        staff.post(f"{URL}/new", data={"csrf_token": token(staff.get(URL))})
    assert running.ports.log.most_asked("1", 5) == []


def test_the_list_marks_a_test_which_is_news_to_nobody(staff: FlaskClient) -> None:
    ask(staff, "When is breakfast?")
    assert "7:30" in page(staff)
    listed = staff.get("/console/").text
    assert ">Test<" in listed
    assert ">New<" not in listed


def test_the_same_form_twice_is_one_message(staff: FlaskClient, database: Database) -> None:
    for _ in range(2):
        assert ask(staff, "When is breakfast?", id="of one page").status_code == HTTPStatus.SEE_OTHER
    assert count(database, InboundRow) == 1


def test_everybody_has_tests_of_their_own(app: Flask, staff: FlaskClient, users: Users) -> None:
    ask(staff, "When is breakfast?")
    users.add("1", "Dana", PASSWORD, Role.STAFF)
    dana = app.test_client()
    assert log_in(dana, "Dana").status_code == HTTPStatus.SEE_OTHER
    assert "When is breakfast?" not in page(dana)
    # Even with the name of Noa's test: the key holds whose it is.
    with staff.session_transaction() as noas:
        name = noas["test"]
    with dana.session_transaction() as danas:
        danas["test"] = name
    assert "When is breakfast?" not in page(dana)


def test_who_may_only_look_tries_nothing(app: Flask, users: Users, database: Database) -> None:
    users.add("1", "Vera", PASSWORD, Role.VIEWER)
    vera = app.test_client()
    assert log_in(vera, "Vera").status_code == HTTPStatus.SEE_OTHER
    assert vera.get(URL).status_code == HTTPStatus.FORBIDDEN
    form = {"csrf_token": token(vera.get("/console/")), "text": "Hello"}
    for path in (URL, f"{URL}/stream", f"{URL}/new", f"{URL}/calls"):
        assert vera.post(path, data=form).status_code == HTTPStatus.FORBIDDEN
    assert URL not in vera.get("/console/").text
    assert count(database, InboundRow) == 0


@pytest.mark.parametrize("text", ["", "  \0 ", "x" * 2_001])
def test_a_question_has_words_and_an_end(staff: FlaskClient, database: Database, text: str) -> None:
    answer = ask(staff, text)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "write 1 to 2,000 characters" in answer.text
    assert count(database, InboundRow) == 0


def test_a_stream_says_the_answer_and_then_that_it_is_whole(staff: FlaskClient) -> None:
    form = {"csrf_token": token(staff.get(URL)), "text": "When is breakfast?"}
    told = [json.loads(line) for line in staff.post(f"{URL}/stream", data=form).text.splitlines() if line]
    said = ""
    for one in told:
        said = one.get("instead", said + one.get("say", ""))
    assert "7:30" in said
    assert told[-1] == {"done": True}
    assert said in page(staff)


def test_while_the_desk_is_paused_the_page_says_why_nothing_is_answered(
    staff: FlaskClient, tenants: Tenants
) -> None:
    tenants.set_paused("1", True, Actor(ModeBy.CONSOLE, "Noa"))
    ask(staff, "When is breakfast?")
    assert "tests are not answered either until it is resumed" in page(staff)


class TestCalls:
    """A desk that hears and speaks."""

    @pytest.fixture
    def parts(self, parts: ConsoleParts) -> ConsoleParts:
        return replace(parts, phone=PhoneSetup(has_speech=True), stream_port=5050)

    def test_a_call_stands_in_the_same_test_as_what_is_written(
        self, staff: FlaskClient, database: Database
    ) -> None:
        ask(staff, "When is breakfast?")
        answer = send(staff, f"{URL}/calls")
        assert answer.status_code == HTTPStatus.CREATED
        told = answer.get_json()
        with database.read() as session:
            call = session.get_one(CallRow, told["call"])
            conversation = session.scalars(select(ConversationRow)).one()
        assert call.conversation_id == conversation.id
        assert call.caller.startswith("playground:")
        assert told["stream"] == f"http://localhost:5050/console/live?conversation={conversation.id}"
        assert len(told["token"]) >= 32
        assert "Phone call, " in page(staff)

    def test_nobody_is_told_of_a_call(self, staff: FlaskClient, database: Database) -> None:
        send(staff, f"{URL}/calls")
        assert count(database, OutboxRow) == 0

    def test_the_page_tells_its_script_where_to_call_and_its_browser_that_it_may(
        self, staff: FlaskClient
    ) -> None:
        answer = staff.get(URL)
        assert 'data-url="http://localhost:5050/ws/call"' in answer.text
        assert "Call the desk" in answer.text
        assert "ws://localhost:5050" in answer.headers["Content-Security-Policy"]
        assert "Calls are recorded here" not in answer.text

    def test_the_page_says_that_calls_are_recorded_where_they_are(
        self, staff: FlaskClient, tenants: Tenants
    ) -> None:
        tenants.update("1", replace(tenants.get("1").settings, record_calls=True))
        assert "Calls are recorded here, and so is this one." in page(staff)


def test_without_a_key_for_speech_there_is_no_call_and_the_page_says_why(
    staff: FlaskClient, database: Database
) -> None:
    shown = page(staff)
    assert "no key for speech" in shown
    assert "Call the desk" not in shown
    assert send(staff, f"{URL}/calls").status_code == HTTPStatus.CONFLICT
    assert count(database, CallRow) == 0


class Late:
    """Answers that save the message and come to no end in time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def stream(self, message: InboundMessage) -> ReplyStream:
        (saved,) = self._desk.ports.inbox.save(message.tenant_id, [message])
        stream = ReplyStream(saved.id)
        stream.fail("not in time")
        return stream


class TestLate:
    """A desk that does not run: what is asked waits."""

    @pytest.fixture
    def running(self, desk: Desk) -> Desk:
        return desk

    @pytest.fixture
    def parts(self, parts: ConsoleParts, desk: Desk) -> ConsoleParts:
        return replace(parts, answers=Late(desk))

    def test_an_answer_that_takes_too_long_is_waited_for_on_the_page(self, staff: FlaskClient) -> None:
        assert ask(staff, "When is breakfast?").status_code == HTTPStatus.SEE_OTHER
        shown = page(staff)
        assert "takes longer than usual. It will stand here." in shown
        assert "Look again" in shown

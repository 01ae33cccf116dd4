"""What the console shows to whom, and in which words."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.domain.cursors import ThreadCursor
from server.domain.messages import DeliveryState
from server.domain.staff import Role
from server.domain.views import Wanted
from server.errors import StoreUnavailable
from server.store.queries import ConsoleQueries
from server.store.seen import SeenMarks
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in
from tests.support.threads import ThreadBuilder

# A zero byte is what PostgreSQL alone refuses.
on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def test_pages_have_nothing_inline(staff: FlaskClient, database: Database, clock: FakeClock) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.reply("answer", turn={"timings_ms": {"model": 1.0}})
    for path in ("/console/", f"/console/conversations/{thread.id}"):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", staff.get(path).text)


def test_another_business_s_conversation_does_not_exist(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    other = ThreadBuilder(database, clock.now(), tenant_id="2", name="Stranger")
    other.guest_says("private words")
    answer = staff.get(f"/console/conversations/{other.id}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    missing = staff.get("/console/conversations/999999")
    assert (missing.status_code, missing.text) == (HTTPStatus.NOT_FOUND, answer.text)
    assert "Stranger" not in staff.get("/console/").text
    assert "Stranger" not in staff.get("/console/?q=private").text


@pytest.mark.parametrize(
    "path",
    ["conversations/x", "conversations/-1", f"conversations/{2**63}", "static/nothing", "login/x", "x" * 500],
)
def test_an_address_that_nothing_has_is_a_page_that_says_so(staff: FlaskClient, path: str) -> None:
    answer = staff.get(f"/console/{path}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "There is nothing at this address" in answer.text


@pytest.mark.parametrize("path", ["/console/?before=x", "/console/conversations/{id}?before=1"])
def test_a_cursor_that_no_page_made_is_refused(
    staff: FlaskClient, database: Database, clock: FakeClock, path: str
) -> None:
    thread = ThreadBuilder(database, clock.now())
    assert staff.get(path.format(id=thread.id)).status_code == HTTPStatus.BAD_REQUEST


def test_a_database_that_does_not_answer_gives_a_page_that_says_so(
    staff: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreUnavailable("down")

    monkeypatch.setattr(database, "read", fail)
    answer = staff.get("/console/")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "reload in a moment" in answer.text


def test_the_list_names_guests_and_marks_who_needs_a_person(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("Is there a pool?")
    thread.needs_a_person()
    thread.set(language="he")
    ThreadBuilder(database, thread.at, name="Tom").guest_says("Thanks")

    _, tom, maya = staff.get("/console/").text.split('<li class="card row"')
    assert "Tom" in tom
    assert "Needs a person" not in tom
    assert "Maya" in maya
    assert "Is there a pool?" in maya
    assert "Needs a person" in maya
    assert ">Hebrew<" in maya
    only = staff.get("/console/?needs_human=1").text
    assert "Maya" in only
    assert "Tom" not in only
    assert "Tom" in staff.get("/console/?q=than").text


@on_both_databases
def test_what_came_in_is_new_until_one_of_the_staff_has_opened_the_thread(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    def is_new() -> bool:
        return ">New<" in staff.get("/console/").text

    thread = ThreadBuilder(database, clock.now())
    page = f"/console/conversations/{thread.id}"
    thread.guest_says("one")
    assert is_new()
    staff.get(page, query_string={"before": str(ThreadCursor(2**40, 2**40))})
    assert is_new()
    staff.get(page)
    assert not is_new()
    thread.reply("an answer")
    assert not is_new()
    thread.guest_says("two")
    assert is_new()
    thread.phone_says("typed on the business's phone")
    assert not is_new()


def test_a_database_that_takes_no_mark_still_shows_its_threads(
    staff: FlaskClient, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("Is there a lift?")

    def refuse(*_arguments: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(SeenMarks, "move", refuse)
    assert "Is there a lift?" in staff.get(f"/console/conversations/{thread.id}").text


@on_both_databases
@pytest.mark.usefixtures("tenants")
def test_staff_do_not_move_the_mark_of_another_business(database: Database, clock: FakeClock) -> None:
    theirs = ThreadBuilder(database, clock.now(), tenant_id="2")
    message = theirs.guest_says("hello")
    SeenMarks(database).move("1", theirs.id, message)
    (found,) = ConsoleQueries(database).conversations("2", Wanted(), None).conversations
    assert found.new_message_id == message


@on_both_databases
def test_a_search_with_a_zero_byte_is_a_search_without_it(staff: FlaskClient) -> None:
    assert "Nothing found for" in staff.get("/console/?q=po%00ol").text


def test_empty_pages_say_what_to_do(staff: FlaskClient) -> None:
    assert "No conversations yet" in staff.get("/console/").text
    assert "Nothing found for" in staff.get("/console/?q=pool").text
    assert "Nobody is waiting" in staff.get("/console/?needs_human=1").text


def test_before_the_first_conversation_an_owner_is_led_to_the_numbers_and_others_to_an_owner(
    app: Flask, staff: FlaskClient, users: Users
) -> None:
    to_numbers = '<a class="button" href="/console/numbers">'
    assert to_numbers in staff.get("/console/").text
    users.add("1", "Sima", PASSWORD, Role.STAFF)
    sima = app.test_client()
    log_in(sima, "Sima")
    page = sima.get("/console/").text
    assert to_numbers not in page
    assert "An owner of the business does so" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.COMMITTED, "Waiting to be sent"),
        (DeliveryState.SENDING, "Being sent"),
        (DeliveryState.SENT, "Sent"),
        (DeliveryState.DELIVERED, "Delivered"),
        (DeliveryState.READ, "Read"),
        (DeliveryState.FAILED, "Not delivered"),
        (DeliveryState.CANCELLED, "Cancelled"),
    ],
)
def test_a_thread_says_in_words_where_each_message_has_got_to(
    staff: FlaskClient, database: Database, clock: FakeClock, state: DeliveryState, words: str
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.reply("answer", state=state, reason="refused 463" if state == "failed" else "")
    page = staff.get(f"/console/conversations/{thread.id}").text
    marks = re.findall(r'<span class="state (\w+)">.*?</svg> (.*?)</span>', page, re.DOTALL)
    assert marks == [(state.value, words)]
    assert ("refused 463" in page) is (state is DeliveryState.FAILED)


def test_a_thread_tells_how_an_answer_came_about(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now())
    question = thread.guest_says("When is check-in?")
    turn = {
        "source": "model",
        "handover": True,
        "citations": [{"document": "d1", "title": "Arrival times", "score": 0.9}],
        "timings_ms": {"first_token": 412.0},
        "analysis": {"intent": "question", "sentiment": "neutral", "open_request": False},
    }
    answer = thread.reply("From 15:00.", covers=[question], turn=turn)
    page = staff.get(f"/console/conversations/{thread.id}").text
    for part in ("The team was asked to help", "Why this answer, after 1.9 s"):
        assert part in page
    why = staff.get(f"/console/conversations/{thread.id}/answers/{answer}/why").text
    for part in ("Language model", "Arrival times", "First token", "412 ms", "Sentiment", "neutral"):
        assert part in why


def test_times_are_in_the_business_s_zone(staff: FlaskClient, database: Database, clock: FakeClock) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("hi", after_s=0)
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert '<time datetime="2026-11-21T09:30:00+00:00"' in page
    assert ">11:30</time>" in page


ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.mark.parametrize("text", [ATTACK, f"שלום {ATTACK}"])
def test_markup_from_outside_is_shown_and_never_run(
    staff: FlaskClient, database: Database, clock: FakeClock, text: str
) -> None:
    thread = ThreadBuilder(database, clock.now(), name=text, chat_key=text)
    thread.guest_says(text, quoted={"id": "X", "text": text})
    turn = {
        "reason": text,
        "source": text[:16],
        "citations": [{"document": text, "title": text, "score": 1.0}],
        "timings_ms": {text: 1.0},
        "analysis": {text: text},
    }
    thread.reply(text, state=DeliveryState.FAILED, reason=text, turn=turn)
    for path in ("/console/", f"/console/conversations/{thread.id}"):
        page = staff.get(path, query_string={"q": "alert"}).text
        assert "<script>" not in page
        assert "<img" not in page
        assert "&lt;script&gt;" in page
    assert "<script>" not in log_in(staff.application.test_client(), name=text, password="x").text


def test_hebrew_finds_its_own_direction_and_language(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.guest_says("הזמנה 12-AB")
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert '<p class="said" dir="auto" lang="he">הזמנה <bdi dir="ltr">12-AB</bdi></p>' in page

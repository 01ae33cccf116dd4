"""Staff look through what the desk knows, change it, and try what a guest would be answered."""

from __future__ import annotations

import html
import re
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from server.domain.knowledge import Document
from server.domain.modes import Actor, ModeBy
from server.domain.staff import Role
from server.store.documents import Documents
from server.store.models import InboundRow, OutboxRow, QuestionRow, TurnRow
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, token

on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

NOA = Actor(ModeBy.CONSOLE, "Noa")
POOL = Document("pool", "Swimming pool", "The pool is open from 8:00 to 20:00.", "en", source="faq.md")
FORM = {
    "title": "Swimming pool",
    "body": "The pool is closed this winter.",
    "language": "",
    "valid_from": "",
    "valid_until": "",
    "hours": "",
}


@pytest.fixture
def documents(database: Database, clock: FakeClock, tenants: Tenants) -> Documents:
    """Business 1 has a pool, business 2 a secret."""
    documents = Documents(database, clock)
    documents.add("1", POOL, NOA)
    documents.add("2", Document("cellar", "Cellar", "The wine is hidden there.", "en"), NOA)
    return documents


@pytest.fixture
def viewer(staff: FlaskClient, users: Users) -> FlaskClient:
    """The browser of one who may only look."""
    users.add("1", "Vera", PASSWORD, Role.VIEWER)
    client = staff.application.test_client()
    log_in(client, name="Vera")
    return client


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    """Send a form; the status, and the page that is shown then, as it reads."""
    data = {"csrf_token": token(client.get("/console/")), **form}
    answer = client.post(f"/console/{path}", data=data, follow_redirects=True)
    return answer.status_code, html.unescape(answer.text)


def mark(client: FlaskClient, document_id: str) -> str:
    match = re.search(r'name="seen" value="(\w+)"', client.get(f"/console/knowledge/{document_id}").text)
    assert match
    return match[1]


@on_both_databases
def test_the_list_shows_what_is_searched_for_and_whence_it_came(
    staff: FlaskClient, documents: Documents
) -> None:
    page = staff.get("/console/knowledge").text
    assert "Swimming pool" in page
    assert "faq.md" in page
    assert "1 document" in page
    assert "Cellar" not in page
    assert "Swimming pool" in staff.get("/console/knowledge?q=OPEN+faq").text
    assert "No document holds all these words" in staff.get("/console/knowledge?q=helipad%00").text


def test_a_business_without_documents_is_told_how_to_begin(staff: FlaskClient) -> None:
    assert "There are no documents yet" in staff.get("/console/knowledge").text


def test_pages_of_the_list_lead_on_and_back(staff: FlaskClient, documents: Documents) -> None:
    for number in range(60):
        documents.add("1", Document(f"room/{number:02}", f"Room {number}", "A bed.", "en"), NOA)
    first = staff.get("/console/knowledge").text
    (path,) = re.findall(r'href="([^"]*after=[^"]*)"', first)
    second = staff.get(html.unescape(path)).text
    assert "Room 0<" in first
    assert "Room 59<" in second
    assert "First page" in second
    assert staff.get("/console/knowledge/room/07").status_code == HTTPStatus.OK


@on_both_databases
def test_a_change_is_saved_and_counts_the_version_up(
    staff: FlaskClient, documents: Documents, database: Database, clock: FakeClock
) -> None:
    before = Tenants(database, clock).get("1").knowledge_version
    season = {"valid_from": "11-01", "valid_until": "03-31", "hours": "Sa off", "language": "en"}
    seen = mark(staff, "pool")
    status, page = post(staff, "knowledge/pool", **FORM | season | {"seen": seen})
    assert status == HTTPStatus.OK
    assert "Saved" in page
    kept = documents.get("1", "pool").document
    assert (kept.body, kept.valid_from, kept.valid_until, kept.hours, kept.source) == (
        FORM["body"],
        "11-01",
        "03-31",
        "Sa off",
        "faq.md",
    )
    assert Tenants(database, clock).get("1").knowledge_version == before + 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"title": " "}, "title: there is none; write it"),
        ({"body": ""}, "text: there is none; write it"),
        ({"title": "x" * 1_001}, "the title is longer than 1000 characters"),
        ({"body": "x" * 20_001}, "the body is longer than 20000 characters"),
        ({"valid_from": "1 June"}, "'1 June' is no day; write 2026-06-01"),
        ({"valid_from": "06-01"}, "needs its first and its last day"),
        ({"hours": "always, nearly"}, "cannot be read; write them like"),
        ({"language": "<b>"}, "choose one of the list"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    staff: FlaskClient, documents: Documents, wrong: dict[str, str], told: str
) -> None:
    seen = mark(staff, "pool")
    typed = {"title": "A new title", "body": "A new text"} | wrong
    status, page = post(staff, "knowledge/pool", **FORM | typed | {"seen": seen})
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert told in page
    for words in ("A new title", "A new text"):
        assert words in page or words not in typed.values()
    assert documents.get("1", "pool").document.body == POOL.body


def test_the_second_of_two_editors_sees_both_texts_and_may_insist(
    staff: FlaskClient, documents: Documents
) -> None:
    seen = mark(staff, "pool")
    post(staff, "knowledge/pool", **FORM | {"seen": seen})
    mine = FORM | {"body": "The pool is being painted."}
    status, page = post(staff, "knowledge/pool", **mine | {"seen": seen})
    assert status == HTTPStatus.CONFLICT
    assert "Somebody else has changed this document" in page
    assert FORM["body"] in page
    assert mine["body"] in page
    assert documents.get("1", "pool").document.body == FORM["body"]
    newer = re.search(r'name="seen" value="(\w+)"', page)
    assert newer
    post(staff, "knowledge/pool", **mine | {"seen": newer[1]})
    assert documents.get("1", "pool").document.body == mine["body"]


def test_what_was_typed_into_a_document_that_is_gone_can_be_added_again(
    staff: FlaskClient, documents: Documents
) -> None:
    seen = mark(staff, "pool")
    documents.remove("1", "pool", seen, NOA)
    status, page = post(staff, "knowledge/pool", **FORM | {"seen": seen})
    assert status == HTTPStatus.CONFLICT
    assert "has deleted this document" in page
    assert FORM["body"] in page
    post(staff, "documents/new", **FORM | {"id": "pool"})
    assert documents.get("1", "pool").document.body == FORM["body"]


@on_both_databases
def test_a_new_document_gets_an_id_of_its_title_and_the_next_one_a_number(
    staff: FlaskClient, documents: Documents
) -> None:
    sauna = FORM | {"title": "סאונה", "body": "הסאונה פתוחה בערב."}
    post(staff, "documents/new", **sauna)
    # Sent twice it is added once.
    post(staff, "documents/new", **sauna)
    status, page = post(staff, "documents/new", **sauna | {"body": "סגורה בשבת."})
    assert status == HTTPStatus.OK
    assert "Saved" in page
    kept = [document.id for document in documents.page("1", ["סאונה"]).documents]
    assert kept == ["סאונה", "סאונה-2"]
    assert documents.get("1", "סאונה").document.language == "he"


def test_an_id_that_is_taken_is_told_and_nothing_typed_is_lost(
    staff: FlaskClient, documents: Documents
) -> None:
    status, page = post(staff, "documents/new", **FORM | {"id": "pool"})
    assert status == HTTPStatus.CONFLICT
    assert "another document has this id" in page
    assert FORM["body"] in page
    assert documents.get("1", "pool").document.body == POOL.body


def test_a_document_is_deleted_after_a_second_look(staff: FlaskClient, documents: Documents) -> None:
    page = staff.get("/console/documents/delete/pool").text
    assert POOL.body in page
    assert documents.count("1") == 1
    seen = mark(staff, "pool")
    for _ in range(2):
        status, page = post(staff, "documents/delete/pool", seen=seen)
        assert status == HTTPStatus.OK
        assert "The document is deleted" in page
    assert documents.count("1") == 0


def test_what_was_changed_meanwhile_is_not_deleted(staff: FlaskClient, documents: Documents) -> None:
    seen = mark(staff, "pool")
    post(staff, "knowledge/pool", **FORM | {"seen": seen})
    status, page = post(staff, "documents/delete/pool", seen=seen)
    assert status == HTTPStatus.CONFLICT
    assert "It is not deleted yet" in page
    assert documents.count("1") == 1


@pytest.mark.parametrize("path", ["knowledge/cellar", "documents/delete/cellar"])
def test_another_business_s_document_does_not_exist(
    staff: FlaskClient, documents: Documents, path: str
) -> None:
    assert staff.get(f"/console/{path}").status_code == HTTPStatus.NOT_FOUND
    _, page = post(staff, path, **FORM | {"seen": documents.get("2", "cellar").mark})
    assert "wine" not in page
    assert documents.get("2", "cellar").document.body == "The wine is hidden there."


@on_both_databases
@pytest.mark.parametrize("document_id", ["nothing", "pool%00", "pool/", "x" * 500])
def test_a_document_that_there_is_not_is_not_found(
    staff: FlaskClient, documents: Documents, document_id: str
) -> None:
    assert staff.get(f"/console/knowledge/{document_id}").status_code == HTTPStatus.NOT_FOUND
    status, _ = post(staff, f"documents/delete/{document_id}", seen="x")
    assert status == HTTPStatus.OK
    assert documents.count("1") == 1


def test_a_viewer_reads_and_is_shown_no_form(viewer: FlaskClient, documents: Documents) -> None:
    page = viewer.get("/console/knowledge/pool").text
    assert POOL.body in page
    assert "<textarea" not in page
    assert "Add a document" not in viewer.get("/console/knowledge").text


@pytest.mark.parametrize(
    "path", ["knowledge/pool", "documents/new", "documents/delete/pool", "imports", "imports/x", "try"]
)
def test_a_viewer_may_change_nothing(viewer: FlaskClient, documents: Documents, path: str) -> None:
    data = {"csrf_token": token(viewer.get("/console/")), **FORM, "seen": documents.get("1", "pool").mark}
    assert viewer.post(f"/console/{path}", data=data).status_code == HTTPStatus.FORBIDDEN
    assert documents.get("1", "pool").document.body == POOL.body


def test_what_a_document_says_cannot_become_markup(staff: FlaskClient, documents: Documents) -> None:
    hostile = "<script>alert(1)</script>"
    documents.add("1", Document('a"b', hostile, hostile, "en", source=hostile), NOA)
    for path in ("knowledge", 'knowledge/a"b', 'documents/delete/a"b'):
        page = staff.get(f"/console/{path}").text
        assert "&lt;script&gt;" in page
        assert hostile not in page


def test_a_question_is_tried_and_shown_with_what_was_found(
    staff: FlaskClient, documents: Documents, database: Database
) -> None:
    _, page = post(staff, "try", question="When is the swimming pool open?", channel="whatsapp")
    assert POOL.body in page
    assert "Handed over to the team" in page
    assert re.search(r'<a href="/console/knowledge/pool">.*?</a> <span class="score">', page)
    with database.read() as session:
        for table in (InboundRow, OutboxRow, TurnRow, QuestionRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_question_that_nothing_answers_is_shown_as_one_for_the_team(
    staff: FlaskClient, documents: Documents
) -> None:
    _, page = post(staff, "try", question="Do you sell postage stamps in Reykjavik?", channel="chat")
    assert "yes: no document answers it" in page


@pytest.mark.parametrize("question", ["", "x" * 2_001])
def test_a_question_that_says_nothing_is_not_tried(staff: FlaskClient, question: str) -> None:
    status, page = post(staff, "try", question=question)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "write 1 to 2,000 characters" in page


def test_pages_have_no_script_and_no_inline_style(staff: FlaskClient, documents: Documents) -> None:
    paths = ("knowledge", "knowledge/pool", "documents/new", "documents/delete/pool", "imports", "try")
    for path in paths:
        page = staff.get(f"/console/{path}")
        assert page.status_code == HTTPStatus.OK
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text)

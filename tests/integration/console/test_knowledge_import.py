"""Staff give files, look at what they would change, and take them in."""

from __future__ import annotations

import html
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.console import ConsoleParts
from server.domain.knowledge import Document
from server.domain.modes import Actor, ModeBy
from server.knowledge.staged import Progress, Step
from server.store.documents import Documents
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, token

NOA = Actor(ModeBy.CONSOLE, "Noa")
POOL = Document("pool", "Pool", "The pool is open from 8:00 to 20:00.", "en", source="faq.md")
FILE = "# Pool\n\nThe pool is closed.\n\n# Sauna\n\nFrom 18:00.\n"


@pytest.fixture
def documents(database: Database, clock: FakeClock, tenants: Tenants) -> Documents:
    """Business 1 has a pool."""
    documents = Documents(database, clock)
    documents.add("1", POOL, NOA)
    return documents


def confirm(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    """Give the word; the status, and the page that is shown once that has come to its end."""
    data = {"csrf_token": token(client.get("/console/")), **form}
    answer = client.post(path, data=data, follow_redirects=True)
    while "Being taken in" in answer.text:
        answer = client.get(path)
    return answer.status_code, html.unescape(answer.text)


def upload(staff: FlaskClient, *files: tuple[str, bytes]) -> tuple[int, str, str]:
    """Give files; the status, the page and its address."""
    form = {
        "csrf_token": token(staff.get("/console/")),
        "files": [(BytesIO(content), name) for name, content in files],
    }
    answer = staff.post("/console/imports", data=form, follow_redirects=True)
    return answer.status_code, html.unescape(answer.text), answer.request.path


def test_nothing_changes_before_it_is_confirmed(staff: FlaskClient, documents: Documents) -> None:
    documents.add("1", Document("bar", "Bar", "Open late.", "en", source="faq.md"), NOA)
    _, page, path = upload(staff, ("faq.md", FILE.encode()))
    assert "New: 1" in page
    assert "Changed: 1" in page
    assert "Not in the files any more: 1" in page
    assert "From 18:00." in page
    assert documents.get("1", "pool").document.body == POOL.body
    _, page = confirm(staff, path, removes_missing="1")
    assert "Imported" in page
    kept = [document.id for document in documents.page("1", ()).documents]
    assert kept == ["pool", "sauna"]
    assert documents.get("1", "pool").document.body == "The pool is closed."


def test_what_is_missing_may_stay(staff: FlaskClient, documents: Documents) -> None:
    documents.add("1", Document("bar", "Bar", "Open late.", "en", source="faq.md"), NOA)
    _, _, path = upload(staff, ("faq.md", FILE.encode()))
    confirm(staff, path)
    assert [document.id for document in documents.page("1", ()).documents] == ["bar", "pool", "sauna"]


def test_a_word_that_is_given_twice_imports_once(
    staff: FlaskClient, documents: Documents, database: Database, clock: FakeClock
) -> None:
    _, _, path = upload(staff, ("faq.md", FILE.encode()))
    confirm(staff, path)
    before = Tenants(database, clock).get("1").knowledge_version
    documents.remove("1", "sauna", documents.get("1", "sauna").mark, NOA)
    confirm(staff, path)
    assert Tenants(database, clock).get("1").knowledge_version == before + 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("faq.exe", b"MZ", "give a file that ends in .jsonl"),
        ("faq.md", b"\xff\xfe", "is not UTF-8 text; save it as UTF-8"),
        ("faq.jsonl", b'{"id": 1}\n', "faq.jsonl, line 1"),
        ("faq.pdf", b"not a PDF", "faq.pdf"),
        ("x" * 300 + ".md", b"# A\n\nB", "the file's name is too long"),
        ("..", b"# A\n\nB", "has no name"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    staff: FlaskClient, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    status, page, _ = upload(staff, (name, content))
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert told in page
    assert str(tmp_path) not in page


def test_a_name_cannot_climb_out_of_its_folder(staff: FlaskClient, tmp_path: Path) -> None:
    _, page, _ = upload(staff, ("../../..\\up/faq.md", FILE.encode()))
    assert ">faq.md</bdi>" in page
    assert not list(tmp_path.rglob("*.md"))


def test_two_files_that_hold_the_same_id_are_refused(staff: FlaskClient) -> None:
    _, page, _ = upload(staff, ("a.md", b"# Pool\n\nA"), ("b.md", b"# Pool\n\nB"))
    assert "the id 'pool' is taken by a.md" in page


def test_files_may_be_larger_than_other_forms(staff: FlaskClient) -> None:
    staff.application.config["MAX_CONTENT_LENGTH"] = 2_000
    status, page, _ = upload(staff, ("faq.md", FILE.encode() + b" " * 5_000))
    assert status == HTTPStatus.OK
    assert "New: 2" in page
    form = {"csrf_token": token(staff.get("/console/")), "question": "x" * 5_000}
    assert staff.post("/console/try", data=form).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_no_file_is_no_import(staff: FlaskClient) -> None:
    status, page, _ = upload(staff)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "choose at least one" in page


def test_files_are_forgotten_after_an_hour(
    staff: FlaskClient, parts: ConsoleParts, clock: FakeClock, tmp_path: Path
) -> None:
    _, _, path = upload(staff, ("faq.md", FILE.encode()))
    clock.advance(3_601)
    answer = staff.get(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "forgotten after an hour" in answer.text
    parts.staged.forget()
    assert not [file for file in (tmp_path / "imports").rglob("*") if file.is_file()]


def test_another_business_s_files_do_not_exist(
    staff: FlaskClient, users: Users, documents: Documents
) -> None:
    _, _, path = upload(staff, ("faq.md", FILE.encode()))
    users.add("2", "Hila", PASSWORD)
    other = staff.application.test_client()
    log_in(other, name="Hila")
    assert other.get(path).status_code == HTTPStatus.NOT_FOUND
    status, _ = confirm(other, path)
    assert status == HTTPStatus.NOT_FOUND
    assert documents.count("2") == 0


def test_an_import_whose_process_died_can_be_confirmed_again(
    staff: FlaskClient, parts: ConsoleParts, documents: Documents, clock: FakeClock
) -> None:
    _, _, path = upload(staff, ("faq.md", FILE.encode()))
    running = Progress(Step.RUNNING, 1, 2)
    parts.staged.note("1", path.rpartition("/")[2], running)
    assert "1 of 2 texts" in staff.get(path).text
    clock.advance(600)
    confirm(staff, path)
    assert documents.get("1", "sauna")

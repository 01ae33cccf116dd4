"""Owners hand a guest's data out, and erase it once they have typed whose it is."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.domain.conversations import conversation_key
from server.store.leases import Leases
from server.store.models import ConversationRow, GuestRow
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.console import send
from tests.support.threads import ThreadBuilder


@pytest.fixture
def thread(database: Database, clock: FakeClock) -> ThreadBuilder:
    """Maya's."""
    thread = ThreadBuilder(database, clock.now(), name="Maya Rosen", phone="972541234567@s.whatsapp.net")
    thread.guest_says("Is there a pool?")
    return thread


@pytest.fixture
def path(thread: ThreadBuilder, database: Database) -> str:
    """The page of her data."""
    with database.read() as session:
        guest_id = session.get_one(ConversationRow, thread.id).guest_id
    return f"/console/guests/{guest_id}/data"


def guests(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(GuestRow)).all())


def test_the_thread_leads_to_the_page_of_the_guest_s_data(
    staff: FlaskClient, thread: ThreadBuilder, path: str
) -> None:
    assert f'href="{path}"' in staff.get(f"/console/conversations/{thread.id}").text
    page = staff.get(path).text
    assert "Maya Rosen" in page
    assert "+972541234567" in page


def test_the_export_is_saved_as_a_file(staff: FlaskClient, path: str) -> None:
    answer = send(staff, f"{path}/export")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert json.loads(answer.text)["messages_in"][0]["text"] == "Is there a pool?"


@pytest.mark.parametrize(
    "typed", ["Maya Rosen", " maya rosen ", "+972 54-123-4567", "972541234567", "00972541234567"]
)
def test_the_guest_is_erased_by_name_or_number(
    staff: FlaskClient, database: Database, path: str, typed: str
) -> None:
    assert send(staff, f"{path}/erase", name=typed).location == "/console/audit"
    assert guests(database) == 0
    assert staff.get(path).status_code == HTTPStatus.NOT_FOUND
    assert "A guest erased" in staff.get("/console/audit").text


def test_a_guest_without_a_name_is_called_in_the_reader_s_language_and_erased_by_that(
    staff: FlaskClient, database: Database, path: str
) -> None:
    with database.write() as session:
        guest = session.scalars(select(GuestRow)).one()
        guest.name = guest.phone = None
        called = f"אורח {guest.id}"
    send(staff, "/console/account/language", language="he")
    assert f"<bdi>{called}</bdi>" in staff.get(path).text
    assert called in staff.get("/console/").text
    assert send(staff, f"{path}/erase", name=called).location == "/console/audit"
    assert guests(database) == 0


@pytest.mark.parametrize("typed", ["", "Maya", "4567", "Tom", "+972541234568", "--"])
def test_another_name_erases_nobody(staff: FlaskClient, database: Database, path: str, typed: str) -> None:
    answer = send(staff, f"{path}/erase", name=typed)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Nothing was erased" in answer.text
    assert guests(database) == 1


def test_while_a_turn_runs_the_page_asks_to_try_again(
    staff: FlaskClient, database: Database, path: str, thread: ThreadBuilder, leases: Leases
) -> None:
    assert leases.claim(conversation_key(thread.id))
    answer = send(staff, f"{path}/erase", name="Maya Rosen")
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "try again" in answer.text
    assert guests(database) == 1

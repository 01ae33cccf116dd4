"""Owners add staff, change what they may do, and shut them out; nobody can shut out the last owner."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.domain.modes import OPERATOR
from server.domain.staff import Role
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, send


def shown_password(answer: TestResponse) -> str:
    found = re.search(r'<code class="secret" dir="ltr">([^<]+)</code>', answer.text)
    assert found, answer.text
    return found[1]


@pytest.fixture
def dan(app: Flask, users: Users) -> FlaskClient:
    """Dan's browser; he is of the staff of the same business."""
    users.add("1", "Dan", PASSWORD, Role.STAFF)
    client = app.test_client()
    assert log_in(client, "Dan").status_code == HTTPStatus.SEE_OTHER
    return client


def test_who_is_added_can_log_in_with_the_password_that_is_shown_once(
    staff: FlaskClient, app: Flask, users: Users
) -> None:
    added = send(staff, "/console/team", name="Lee", role="viewer")
    password = shown_password(added)
    assert added.headers["Cache-Control"] == "no-store"
    assert users.named("Lee").role is Role.VIEWER
    assert users.named("Lee").tenant_id == "1"
    assert log_in(app.test_client(), "Lee", password).status_code == HTTPStatus.SEE_OTHER
    page = staff.get("/console/team")
    assert "Lee" in page.text
    assert password not in page.text
    cookies = " ".join(str(cookie) for cookie in added.headers.getlist("Set-Cookie"))
    assert password not in cookies


@pytest.mark.parametrize("name", ["", "Noa", "x" * 129])
def test_a_name_that_does_not_do_is_told_beside_the_form(staff: FlaskClient, users: Users, name: str) -> None:
    answer = send(staff, "/console/team", name=name, role="viewer")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in answer.text
    assert "secret" not in answer.text
    assert len(users.all("1")) == 1


@pytest.mark.parametrize("role", ["", "king"])
def test_a_role_that_there_is_not_is_refused(staff: FlaskClient, users: Users, role: str) -> None:
    answer = send(staff, "/console/team", name="Lee", role=role)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert len(users.all("1")) == 1


def test_another_role_holds_from_the_next_page_on(staff: FlaskClient, dan: FlaskClient, users: Users) -> None:
    assert dan.get("/console/team").status_code == HTTPStatus.FORBIDDEN
    path = f"/console/team/{users.named('Dan').id}/role"
    assert send(staff, path, role="owner").location == "/console/team?done=role"
    assert dan.get("/console/team").status_code == HTTPStatus.OK
    send(staff, path, role="viewer")
    assert dan.get("/console/team").status_code == HTTPStatus.FORBIDDEN


def test_who_is_disabled_is_out_at_the_next_request_and_cannot_log_in(
    staff: FlaskClient, dan: FlaskClient, app: Flask, users: Users
) -> None:
    path = f"/console/team/{users.named('Dan').id}"
    assert dan.get("/console/").status_code == HTTPStatus.OK
    send(staff, f"{path}/disable")
    assert dan.get("/console/").status_code == HTTPStatus.FOUND
    assert log_in(app.test_client(), "Dan").status_code == HTTPStatus.FORBIDDEN
    assert "Disabled" in staff.get("/console/team").text
    send(staff, f"{path}/enable")
    assert log_in(app.test_client(), "Dan").status_code == HTTPStatus.SEE_OTHER


def test_all_sessions_of_somebody_are_ended(
    staff: FlaskClient, dan: FlaskClient, app: Flask, users: Users, clock: FakeClock
) -> None:
    clock.advance(0.2)
    send(staff, f"/console/team/{users.named('Dan').id}/sessions/end")
    assert dan.get("/console/").status_code == HTTPStatus.FOUND
    assert staff.get("/console/").status_code == HTTPStatus.OK
    # A login in the same second is a session of after.
    again = app.test_client()
    log_in(again, "Dan")
    assert again.get("/console/").status_code == HTTPStatus.OK


def test_a_reset_shows_a_new_password_once_and_ends_the_sessions(
    staff: FlaskClient, dan: FlaskClient, app: Flask, users: Users
) -> None:
    answer = send(staff, f"/console/team/{users.named('Dan').id}/password")
    assert dan.get("/console/").status_code == HTTPStatus.FOUND
    assert log_in(app.test_client(), "Dan").status_code == HTTPStatus.FORBIDDEN
    assert log_in(app.test_client(), "Dan", shown_password(answer)).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(("action", "fields"), [("disable", {}), ("role", {"role": "viewer"})])
def test_the_last_owner_can_neither_be_disabled_nor_lose_the_role(
    staff: FlaskClient, users: Users, action: str, fields: dict[str, str]
) -> None:
    noa = users.named("Noa")
    answer = send(staff, f"/console/team/{noa.id}/{action}", **fields)
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "last owner" in answer.text
    assert users.named("Noa") == noa
    dan = users.add("1", "Dan", PASSWORD)
    users.disable("1", dan.id, OPERATOR)
    assert send(staff, f"/console/team/{noa.id}/{action}", **fields).status_code == HTTPStatus.CONFLICT
    users.enable("1", dan.id, OPERATOR)
    assert send(staff, f"/console/team/{noa.id}/{action}", **fields).status_code == HTTPStatus.SEE_OTHER

"""Everybody changes their own password and the language of their pages."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.console.throttle import ATTEMPTS
from server.domain.staff import Role
from server.store.users import Users
from tests.support.console import PASSWORD, log_in, send

NEW = "an umbrella in the desert"


def change(client: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> int:
    fields = {"old": old, "new": new, "again": new if again is None else again}
    return send(client, "/console/account/password", **fields).status_code


def test_a_new_password_ends_all_other_sessions_and_not_this_one(
    staff: FlaskClient, app: Flask, users: Users
) -> None:
    other = app.test_client()
    log_in(other)
    assert change(staff) == HTTPStatus.SEE_OTHER
    assert staff.get("/console/").status_code == HTTPStatus.OK
    assert other.get("/console/").status_code == HTTPStatus.FOUND
    assert users.verify("Noa", NEW) is not None
    assert users.verify("Noa", PASSWORD) is None


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW, NEW),
        ("", NEW, NEW),
        (PASSWORD, "too short", "too short"),
        (PASSWORD, "x1" * 129, "x1" * 129),
        (PASSWORD, "password123", "password123"),
        (PASSWORD, "harbour house 1", "harbour house 1"),
        (PASSWORD, NEW, "something else"),
    ],
)
def test_a_password_that_does_not_do_is_refused_with_the_reason(
    staff: FlaskClient, users: Users, old: str, new: str, again: str
) -> None:
    assert change(staff, old, new, again) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert users.verify("Noa", PASSWORD) is not None


def test_a_session_that_was_left_open_is_no_place_to_try_passwords(staff: FlaskClient, users: Users) -> None:
    for _ in range(ATTEMPTS):
        assert change(staff, "wrong") == HTTPStatus.UNPROCESSABLE_ENTITY
    assert change(staff) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert users.verify("Noa", PASSWORD) is not None


def test_the_language_of_the_pages_is_one_s_own_choice(staff: FlaskClient) -> None:
    assert '<html lang="en" dir="ltr">' in staff.get("/console/account").text
    send(staff, "/console/account/language", language="he")
    assert '<html lang="he" dir="rtl">' in staff.get("/console/account").text
    send(staff, "/console/account/language", language="")
    page = staff.get("/console/account", headers={"Accept-Language": "he"})
    assert '<html lang="he" dir="rtl">' in page.text
    refused = send(staff, "/console/account/language", language="tlh")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("role", list(Role))
def test_everybody_has_an_account_page(app: Flask, users: Users, role: Role) -> None:
    users.add("1", "Dan", PASSWORD, role)
    dan = app.test_client()
    log_in(dan, "Dan")
    assert dan.get("/console/account").status_code == HTTPStatus.OK
    assert change(dan) == HTTPStatus.SEE_OTHER

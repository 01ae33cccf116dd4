"""With a second factor the password alone opens nothing."""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.console.login import CODE_WITHIN
from server.console.throttle import ATTEMPTS, WINDOW_S
from server.domain.modes import OPERATOR
from server.domain.totp import STEP_S, code_of, step_at
from server.store.audit import AuditLog
from server.store.session import Database
from server.store.users import User, Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, send, token


class Phone:
    """An authenticator app with the key of one account."""

    def __init__(self, key: str, clock: FakeClock) -> None:
        self._secret = b32decode(key.replace(" ", ""))
        self._clock = clock

    def code(self) -> str:
        """A code that was not shown before."""
        self._clock.advance(STEP_S)
        return code_of(self._secret, step_at(self._clock.now()))


def set_up(client: FlaskClient, clock: FakeClock) -> Phone:
    page = client.get("/console/account/second-factor")
    key = re.search(r'<code class="secret" dir="ltr">([A-Z2-7 ]+)</code>', page.text)
    assert key
    assert "<svg" in page.text
    phone = Phone(key[1], clock)
    assert (
        send(client, "/console/account/second-factor", code=phone.code()).status_code == HTTPStatus.SEE_OTHER
    )
    return phone


@pytest.fixture
def phone(staff: FlaskClient, clock: FakeClock) -> Phone:
    """Noa's, whose second factor is on."""
    return set_up(staff, clock)


def give(client: FlaskClient, code: str, wanted: str = "") -> TestResponse:
    page = client.get("/console/login/code")
    form = {"csrf_token": token(page), "code": code, "next": wanted}
    return client.post("/console/login/code", data=form)


def test_the_password_leads_to_the_code_and_the_code_to_the_page(
    phone: Phone, anonymous: FlaskClient
) -> None:
    wanted = "/console/account?x=1"
    assert log_in(anonymous, wanted=wanted).location == "/console/login/code?next=/console/account?x%3D1"
    assert anonymous.get("/console/").status_code == HTTPStatus.FOUND
    code = phone.code()
    assert give(anonymous, f"{code[:3]} {code[3:]}", wanted).location == wanted
    assert anonymous.get("/console/").status_code == HTTPStatus.OK


def test_a_code_opens_once(phone: Phone, app: Flask) -> None:
    first, second, code = app.test_client(), app.test_client(), phone.code()
    for client in (first, second):
        log_in(client)
    assert give(first, code).status_code == HTTPStatus.SEE_OTHER
    assert give(second, code).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("phone")
def test_without_the_password_there_is_nothing_to_give_a_code_to(anonymous: FlaskClient) -> None:
    assert anonymous.get("/console/login/code").location.startswith("/console/login")
    form = {"csrf_token": token(anonymous.get("/console/login")), "code": "123456"}
    assert anonymous.post("/console/login/code", data=form).location.startswith("/console/login?")


def test_a_login_that_waits_for_its_code_ends_after_a_while(
    phone: Phone, anonymous: FlaskClient, clock: FakeClock
) -> None:
    log_in(anonymous)
    page = anonymous.get("/console/login/code")
    clock.advance(CODE_WITHIN.total_seconds() + 1)
    form = {"csrf_token": token(page), "code": phone.code(), "next": ""}
    assert anonymous.post("/console/login/code", data=form).location.startswith("/console/login?")
    assert anonymous.get("/console/").status_code == HTTPStatus.FOUND


def test_codes_are_throttled_as_passwords_are_from_wherever_they_come(
    phone: Phone, app: Flask, clock: FakeClock
) -> None:
    for number in range(ATTEMPTS):
        client = app.test_client()
        # Each from an address of its own.
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        log_in(client)
        assert give(client, "000000").status_code == HTTPStatus.FORBIDDEN
    last = app.test_client()
    log_in(last)
    assert give(last, phone.code()).status_code == HTTPStatus.TOO_MANY_REQUESTS
    clock.advance(WINDOW_S)
    log_in(last)
    assert give(last, phone.code()).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    "change",
    [
        lambda users, noa: users.drop_second_factor("1", noa.id, OPERATOR),
        lambda users, noa: users.disable("1", noa.id, OPERATOR),
        lambda users, noa: users.set_password(noa, "another password", OPERATOR),
    ],
    ids=["second factor", "user", "password"],
)
def test_a_waiting_login_ends_with_what_it_rests_on(
    phone: Phone, anonymous: FlaskClient, users: Users, change: Callable[[Users, User], object]
) -> None:
    users.add("1", "Dan", PASSWORD)
    log_in(anonymous)
    page = anonymous.get("/console/login/code")
    change(users, users.named("Noa"))
    form = {"csrf_token": token(page), "code": phone.code(), "next": ""}
    assert anonymous.post("/console/login/code", data=form).location.startswith("/console/login?")
    assert anonymous.get("/console/").status_code == HTTPStatus.FOUND


def test_refused_codes_and_logins_are_in_the_audit_log(
    phone: Phone, anonymous: FlaskClient, database: Database
) -> None:
    log_in(anonymous)
    give(anonymous, "000000")
    give(anonymous, phone.code())
    entries = AuditLog(database).page("1").entries[:2]
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("console: Noa", "login"),
        ("console: Noa", "second_factor.refused"),
    ]
    # The password alone was no login.
    assert sum(entry.action == "login" for entry in AuditLog(database).page("1").entries) == 2


def test_the_key_is_the_same_until_it_is_on_and_wrong_codes_leave_it_off(
    staff: FlaskClient, users: Users, clock: FakeClock
) -> None:
    first = staff.get("/console/account/second-factor").text
    assert send(staff, "/console/account/second-factor", code="000000").status_code == (
        HTTPStatus.UNPROCESSABLE_ENTITY
    )
    key = re.search(r'<code class="secret" dir="ltr">([A-Z2-7 ]+)</code>', first)
    assert key
    assert key[1] in staff.get("/console/account/second-factor").text
    assert not users.named("Noa").has_second_factor
    code = Phone(key[1], clock).code()
    assert send(staff, "/console/account/second-factor", code=code).status_code == HTTPStatus.SEE_OTHER
    assert users.named("Noa").has_second_factor
    # Once it is on, nobody reads the key again.
    assert staff.get("/console/account/second-factor").location == "/console/account"


def test_it_is_switched_off_with_password_and_code_alone(
    phone: Phone, staff: FlaskClient, users: Users
) -> None:
    path = "/console/account/second-factor/off"
    for fields in ({"password": "wrong", "code": phone.code()}, {"password": PASSWORD, "code": "000000"}):
        assert send(staff, path, **fields).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert users.named("Noa").has_second_factor
    answer = send(staff, path, password=PASSWORD, code=phone.code())
    assert answer.location == "/console/account?done=second-factor-off"
    assert not users.named("Noa").has_second_factor


@pytest.mark.usefixtures("phone")
def test_an_owner_s_reset_is_the_way_back(app: Flask, users: Users) -> None:
    users.add("1", "Dan", PASSWORD)
    dan, lost = app.test_client(), users.named("Noa")
    log_in(dan, "Dan")
    answer = send(dan, f"/console/team/{lost.id}/password")
    password = re.search(r'<code class="secret" dir="ltr">([^<]+)</code>', answer.text)
    assert password
    noa = app.test_client()
    assert log_in(noa, "Noa", password[1]).location == "/console/"
    assert noa.get("/console/").status_code == HTTPStatus.OK

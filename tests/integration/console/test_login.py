"""Who gets in to the console, how long they stay, and what cannot be done to them."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.console import ConsoleParts, register_console
from server.console.access import PUBLIC_ENDPOINTS
from server.console.sessions import SESSION_LENGTH
from server.console.throttle import ATTEMPTS, WINDOW_S
from server.domain.modes import OPERATOR
from server.errors import SettingsError
from server.store.session import Database
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in, token
from tests.support.threads import ThreadBuilder

# A zero byte is what PostgreSQL alone refuses.
on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def test_a_console_that_could_not_sign_its_sessions_does_not_start(parts: ConsoleParts) -> None:
    with pytest.raises(SettingsError):
        register_console(Flask(__name__), parts)


@pytest.mark.usefixtures("users")
def test_a_login_leads_to_the_page_that_was_asked_for(
    anonymous: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    asked = anonymous.get(f"/console/conversations/{thread.id}?before=5.6")
    assert asked.location == f"/console/login?next=/console/conversations/{thread.id}?before%3D5.6"
    answer = log_in(anonymous, wanted=f"/console/conversations/{thread.id}?before=5.6")
    assert answer.location == f"/console/conversations/{thread.id}?before=5.6"
    assert "Maya" in anonymous.get(answer.location).text
    assert anonymous.get("/console/login").location == "/console/"


@pytest.mark.usefixtures("users")
def test_a_wrong_password_and_an_unknown_name_are_refused_alike(anonymous: FlaskClient) -> None:
    wrong = log_in(anonymous, "Noa", "wrong")
    unknown = log_in(anonymous, "Nobody", "wrong")
    assert wrong.status_code == unknown.status_code == HTTPStatus.FORBIDDEN
    assert "do not match" in wrong.text
    same = re.compile(r'value="[^"]*"')
    assert same.sub("", wrong.text) == same.sub("", unknown.text)
    assert anonymous.get("/console/").status_code == HTTPStatus.FOUND


@on_both_databases
@pytest.mark.usefixtures("users")
def test_a_name_with_a_zero_byte_is_only_a_wrong_name(anonymous: FlaskClient) -> None:
    assert log_in(anonymous, "No\0body", "x").status_code == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("users")
def test_too_many_attempts_have_to_wait_even_with_the_right_password(
    anonymous: FlaskClient, clock: FakeClock
) -> None:
    for _ in range(ATTEMPTS):
        assert log_in(anonymous, "noa", "wrong").status_code == HTTPStatus.FORBIDDEN
    refused = log_in(anonymous)
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.headers["Retry-After"] == str(int(WINDOW_S))
    assert "15 minutes" in refused.text
    clock.advance(WINDOW_S)
    assert log_in(anonymous).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/console/", "/\\evil.example"])
@pytest.mark.usefixtures("users")
def test_a_login_never_leads_elsewhere(anonymous: FlaskClient, target: str) -> None:
    assert log_in(anonymous, wanted=target).location == "/console/"
    assert anonymous.get("/console/login", query_string={"next": target}).location == "/console/"


def test_a_form_without_the_console_s_own_token_is_refused(staff: FlaskClient) -> None:
    other = staff.application.test_client()
    form = {"name": "Noa", "password": PASSWORD}
    assert other.post("/console/login", data=form).status_code == HTTPStatus.BAD_REQUEST
    refused = staff.post("/console/logout", data={"csrf_token": "made up"})
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert "try again" in refused.text
    assert staff.get("/console/").status_code == HTTPStatus.OK


def test_what_is_not_the_console_needs_no_token(anonymous: FlaskClient) -> None:
    assert anonymous.post("/webhook", json={}).text == "accepted"


def test_every_page_but_the_login_needs_a_session(app: Flask, anonymous: FlaskClient) -> None:
    closed = [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.rule.startswith("/console") and rule.endpoint not in PUBLIC_ENDPOINTS
    ]
    assert {rule.endpoint for _, rule in closed} >= {
        "console.list_conversations",
        "console.show_thread",
        "console.logout",
    }
    for method, rule in closed:
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        answer = anonymous.open(path, method=method)
        assert answer.location.startswith("/console/login"), f"{method} {path}"


def test_the_public_pages_are_the_login_and_its_style() -> None:
    assert {
        "console.login",
        "console.check_login",
        "console.ask_code",
        "console.check_code",
        "console.static",
    } == PUBLIC_ENDPOINTS


def test_logout_ends_the_session(staff: FlaskClient) -> None:
    answer = staff.post("/console/logout", data={"csrf_token": token(staff.get("/console/"))})
    assert answer.location == "/console/login"
    assert staff.get("/console/").status_code == HTTPStatus.FOUND


def test_a_session_ends_by_itself(staff: FlaskClient, clock: FakeClock) -> None:
    clock.advance(SESSION_LENGTH.total_seconds() - 1)
    assert staff.get("/console/").status_code == HTTPStatus.OK
    clock.advance(1)
    assert staff.get("/console/").status_code == HTTPStatus.FOUND


def test_a_new_password_ends_sessions_of_the_old_one(staff: FlaskClient, users: Users) -> None:
    users.set_password(users.named("Noa"), "another password", OPERATOR)
    assert staff.get("/console/").status_code == HTTPStatus.FOUND


@pytest.mark.usefixtures("users")
def test_a_login_keeps_nothing_of_the_session_before(anonymous: FlaskClient) -> None:
    with anonymous.session_transaction() as session:
        session["planted"] = "by somebody else"
    log_in(anonymous)
    with anonymous.session_transaction() as session:
        assert "planted" not in session


@pytest.mark.parametrize(("base_url", "is_secure"), [("http://desk", False), ("https://desk", True)])
@pytest.mark.usefixtures("users")
def test_the_cookie_is_closed_to_scripts_and_other_sites(
    anonymous: FlaskClient, base_url: str, is_secure: bool
) -> None:
    form = {
        "csrf_token": token(anonymous.get("/console/login", base_url=base_url)),
        "name": "Noa",
        "password": PASSWORD,
    }
    answer = anonymous.post(
        "/console/login", data=form, base_url=base_url, headers={"Referer": f"{base_url}/console/login"}
    )
    assert answer.status_code == HTTPStatus.SEE_OTHER
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) is is_secure


def test_every_answer_of_the_console_carries_the_security_headers(
    staff: FlaskClient, anonymous: FlaskClient
) -> None:
    style = anonymous.get("/console/static/console.css")
    style.close()
    answers = [
        staff.get("/console/"),
        staff.get("/console/no/such/page"),
        anonymous.get("/console/login"),
        anonymous.get("/console/"),
        anonymous.get("/console"),
        anonymous.post("/console/login"),
        anonymous.put("/console/login"),
        style,
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
    assert {answer.headers["Cache-Control"] for answer in answers[:-1]} == {"no-store"}
    assert "Content-Security-Policy" not in anonymous.post("/webhook").headers

"""What each role may do, proved on every route that there is: a new page is among them by itself."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.console.access import PUBLIC_ENDPOINTS, permission_of
from server.console.auth import OPEN_TO_ALL
from server.domain.staff import Permission, Role
from server.store.users import Users
from tests.support.console import PASSWORD, log_in, token
from tests.support.console_routes import Way, ways

# Of nobody: whoever may open the page learns that there is no such thing.
NOTHING = {
    "answer_id": 999,
    "call_id": "CA-none",
    "conversation_id": 999,
    "document_id": "none",
    "draft_id": 999,
    "guest_id": 999,
    "key_id": 999,
    "message_id": 999,
    "number": 1,
    "question_id": 999,
    "reply_id": 999,
    "token": "none",
    "user_id": 999,
}
MAY = {
    Role.VIEWER: {Permission.READ},
    Role.STAFF: {Permission.READ, Permission.ANSWER},
    Role.OWNER: {Permission.READ, Permission.ANSWER, Permission.MANAGE},
}
# What is not as usual: pages are read by all, and forms are sent by whoever answers guests.
ASKED_FOR = {
    r"(GET|POST) /console/(team|keys|audit|guests|settings|pause)\b.*": Permission.MANAGE,
    r"(GET|POST) /console/numbers/.*": Permission.MANAGE,
    r"POST /console/account/.*": Permission.READ,
    # Pages that are a form, or lead to one.
    r"GET /console/(documents|imports|playground|replies|try)\b.*": Permission.ANSWER,
    r"GET /console/questions/.*/answered": Permission.ANSWER,
}


@pytest.fixture
def every_way(app: Flask) -> list[Way]:
    """All ways into the console but the login."""
    found = [way for way in ways(app) if way.endpoint not in OPEN_TO_ALL]
    assert len(found) > 40
    return found


def asked_for(way: Way) -> Permission:
    """What the table above says."""
    for pattern, permission in ASKED_FOR.items():
        if re.fullmatch(pattern, way.name):
            return permission
    return Permission.READ if way.method == "GET" else Permission.ANSWER


def knock(app: Flask, client: FlaskClient, way: Way, csrf_token: str) -> TestResponse:
    answer = client.open(
        way.path(app, NOTHING),
        method=way.method,
        data={"csrf_token": csrf_token} if way.method != "GET" else None,
    )
    answer.close()
    return answer


def is_refused(answer: TestResponse) -> bool:
    return answer.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    app: Flask, users: Users, every_way: list[Way], role: Role
) -> None:
    users.add("1", "Dan", PASSWORD, role)
    dan = app.test_client()
    assert log_in(dan, "Dan").status_code == HTTPStatus.SEE_OTHER
    csrf_token = token(dan.get("/console/account"))
    wrong = []
    for way in every_way:
        answer = knock(app, dan, way, csrf_token)
        assert not (answer.location or "").startswith("/console/login"), way.name
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, f"{way.name}: {answer.text}"
        if is_refused(answer) is (asked_for(way) in MAY[role]):
            wrong.append(f"{way.name}: {answer.status_code}")
    assert wrong == [], f"for a role {role}; if that is meant, say so in ASKED_FOR"


def test_whoever_is_not_logged_in_is_sent_to_the_login_from_everywhere(
    app: Flask, anonymous: FlaskClient, every_way: list[Way]
) -> None:
    csrf_token = token(anonymous.get("/console/login"))
    for way in every_way:
        answer = knock(app, anonymous, way, csrf_token)
        assert answer.status_code == HTTPStatus.FOUND, way.name
        assert answer.location.startswith("/console/login"), way.name


def test_every_form_needs_the_session_s_own_token(
    app: Flask, staff: FlaskClient, anonymous: FlaskClient
) -> None:
    forms = [way for way in ways(app) if way.method != "GET"]
    assert {way.endpoint for way in forms} >= {"console.logout", "console.check_login", "console.check_code"}
    foreign = token(anonymous.get("/console/login"))
    for way in forms:
        client = anonymous if way.endpoint in PUBLIC_ENDPOINTS else staff
        for csrf_token in ("", "made up", *([foreign] if client is staff else [])):
            assert knock(app, client, way, csrf_token).status_code == HTTPStatus.BAD_REQUEST, way.name


def test_every_form_says_what_it_asks_for(app: Flask, every_way: list[Way]) -> None:
    silent = [way.name for way in every_way if way.method != "GET" and permission_of(way.view(app)) is None]
    assert silent == []


@pytest.mark.parametrize("role", list(Role))
def test_no_page_leads_anybody_to_what_they_may_not_open(app: Flask, users: Users, role: Role) -> None:
    users.add("1", "Dan", PASSWORD, role)
    dan = app.test_client()
    log_in(dan, "Dan")
    page = dan.get("/console/")
    head = page.text[page.text.index("<header") : page.text.index("</header>")]
    links = re.findall(r'href="(/console/[^"]*)"', head)
    assert "/console/account" in links
    assert ("/console/team" in links) is (role is Role.OWNER)
    for link in links:
        assert dan.get(link).status_code == HTTPStatus.OK, link

"""Each reader has the pages in their own language."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.store.users import Users
from tests.support.console import PASSWORD, log_in, send, token

IN_HEBREW = '<html lang="he" dir="rtl">'
IN_ENGLISH = '<html lang="en" dir="ltr">'


def _get(client: FlaskClient, path: str, browser: str) -> TestResponse:
    return client.get(path, headers={"Accept-Language": browser})


def _without_token(page: str) -> str:
    """*page* without what is made anew each time."""
    return re.sub(r'name="(?:csrf_token|id)" value="[^"]*"', "", page)


def test_pages_are_in_the_language_that_the_user_has_chosen_whatever_the_browser_asks(
    staff: FlaskClient,
) -> None:
    assert send(staff, "/console/account/language", language="he").status_code == HTTPStatus.SEE_OTHER
    page = _get(staff, "/console/questions", "en-GB,en;q=0.9").text
    assert IN_HEBREW in page
    assert "<h1>שאלות</h1>" in page


def test_without_a_choice_pages_are_in_the_browser_s_language(anonymous: FlaskClient) -> None:
    page = _get(anonymous, "/console/login", "he-IL,he;q=0.9,en;q=0.8").text
    assert IN_HEBREW in page
    assert "התחברות" in page
    assert IN_ENGLISH in _get(anonymous, "/console/login", "fr").text


def test_no_page_stays_in_the_language_of_who_read_it_before(staff: FlaskClient) -> None:
    for path in ("/console/", "/console/playground", "/console/team", "/console/knowledge"):
        first, in_hebrew, again = (_get(staff, path, browser).text for browser in ("en", "he", "en"))
        assert IN_HEBREW in in_hebrew
        assert ">Search<" not in in_hebrew
        assert "The desk answers" not in in_hebrew
        assert _without_token(again) == _without_token(first)


def test_an_error_page_is_in_the_reader_s_language(staff: FlaskClient) -> None:
    page = _get(staff, "/console/no-such-page", "he").text
    assert IN_HEBREW in page
    assert "Not Found" not in page


def test_a_name_is_no_word_of_the_console(app: Flask, users: Users) -> None:
    for name in ("Settings", "100% Noa"):
        users.add("1", name, PASSWORD)
        client = app.test_client()
        log_in(client, name)
        assert f"<bdi>{name}</bdi>" in _get(client, "/console/audit", "he").text


def test_what_a_store_refuses_is_told_in_the_reader_s_language(staff: FlaskClient) -> None:
    form = {"csrf_token": token(staff.get("/console/account")), "name": "Noa", "role": "staff"}
    page = staff.post("/console/team", data=form, headers={"Accept-Language": "he"})
    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "is taken" not in page.text
    assert "תפוס" in page.text


def test_what_is_wrong_with_a_field_is_told_in_the_reader_s_language(staff: FlaskClient) -> None:
    form = {"csrf_token": token(staff.get("/console/account")), "title": "", "body": "Free."}
    page = staff.post("/console/documents/new", data=form, headers={"Accept-Language": "he"})
    assert page.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "there is none" not in page.text
    assert "כותרת: חסר" in page.text

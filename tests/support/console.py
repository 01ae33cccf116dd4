"""Logs in to the console as a browser would."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a password of the test"


def token(page: TestResponse) -> str:
    match = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert match, "the page has no form"
    return match[1]


def log_in(
    client: FlaskClient, name: str = "Noa", password: str = PASSWORD, wanted: str = "", **options: str
) -> TestResponse:
    page = client.get("/console/login", query_string={"next": wanted}, **options)
    form = {"csrf_token": token(page), "name": name, "password": password, "next": wanted}
    return client.post("/console/login", data=form, **options)


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form as a page of *client*'s would: with the token of the session."""
    return client.post(path, data={"csrf_token": token(client.get("/console/account")), **fields})

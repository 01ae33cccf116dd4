"""Owners make keys, see each once, and revoke them by name."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient

from server.store.keys import ApiKeys
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.console import send


@pytest.fixture
def keys(database: Database, clock: FakeClock) -> ApiKeys:
    """As another process has them."""
    return ApiKeys(database, clock)


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(staff: FlaskClient, keys: ApiKeys) -> None:
    answer = send(staff, "/console/keys", name="website")
    shown = re.search(r'<code class="secret" dir="ltr">(fd_[^<]+)</code>', answer.text)
    assert shown
    assert keys.find_tenant(shown[1]) == "1"
    page = staff.get("/console/keys")
    assert "website" in page.text
    assert shown[1] not in page.text
    (listed,) = keys.all("1")
    assert send(staff, f"/console/keys/{listed.id}/revoke").status_code == HTTPStatus.SEE_OTHER
    assert keys.find_tenant(shown[1]) is None
    assert "Revoked" in staff.get("/console/keys").text


@pytest.mark.parametrize("name", ["", "  ", "n" * 65])
def test_a_key_has_a_name_that_it_is_known_by(staff: FlaskClient, keys: ApiKeys, name: str) -> None:
    assert send(staff, "/console/keys", name=name).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert keys.all("1") == []

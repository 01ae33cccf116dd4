"""How every page tells how many guests wait for a person, and what its script is given for it."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from server.console.live import MOST_COUNTED
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder


def attribute(page: str, name: str) -> str:
    """Of what the script is given, as the script reads it."""
    found = re.search(rf'data-{name}="([^"]*)"', page)
    assert found
    return unescape(found[1])


def title(page: str) -> str:
    found = re.search("<title>(.*)</title>", page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/console/", "/console/account", "/console/knowledge"])
def test_the_number_of_those_who_wait_is_in_the_title_and_beside_conversations(
    staff: FlaskClient, database: Database, clock: FakeClock, path: str
) -> None:
    calm = staff.get(path).text
    assert not title(calm).startswith("(")
    assert re.search(r'id="waiting" hidden', calm)
    for _ in range(2):
        ThreadBuilder(database, clock.now()).needs_a_person()
    ThreadBuilder(database, clock.now(), tenant_id="2").needs_a_person()
    page = staff.get(path).text
    assert title(page) == f"(2) {title(calm)}"
    assert not re.search(r'id="waiting" hidden', page)
    assert '<span class="count">2</span>' in page


def test_a_page_tells_its_script_who_waits_without_a_word_of_the_guest_s(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya Rosen")
    thread.guest_says("My private words")
    thread.needs_a_person()
    page = staff.get("/console/account").text
    assert json.loads(attribute(page, "needs")) == [[thread.id, thread.at.isoformat()]]
    reader = attribute(page, "reader")
    assert attribute(page, "stream") == f"/console/live?waiting={reader}"
    assert attribute(page, "thread") == "/console/conversations/0"
    assert "Maya" not in page
    assert "private" not in page


def test_more_than_anybody_counts_are_told_as_many(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    for _ in range(MOST_COUNTED + 1):
        ThreadBuilder(database, clock.now()).needs_a_person()
    assert title(staff.get("/console/account").text).startswith(f"({MOST_COUNTED}+) ")


def test_a_page_that_nobody_is_logged_in_to_tells_nothing(anonymous: FlaskClient) -> None:
    page = anonymous.get("/console/login").text
    assert "notify.js" not in page
    assert 'id="waiting"' not in page

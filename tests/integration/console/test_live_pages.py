"""What a page that is open already is given when it asks again, and what pages may run."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.console import register_console
from server.console.conversations import NEWEST_LINES
from server.store.leases import Leases
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.console_parts import console_parts
from tests.support.threads import ThreadBuilder

FRAGMENT = {"HX-Request": "true"}
SEEN = {**FRAGMENT, "X-Page-Visibility": "visible"}
UNSEEN = {**FRAGMENT, "X-Page-Visibility": "hidden"}
ROOT = Path(__file__).resolve().parents[3]
VENDOR = ROOT / "server/console/static/vendor"

# A zero byte is what PostgreSQL alone refuses.
on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def thread(database: Database, clock: FakeClock) -> ThreadBuilder:
    begun = ThreadBuilder(database, clock.now(), name="Maya")
    begun.guest_says("Is there a lift?")
    return begun


@pytest.mark.parametrize("path", ["/console/", "/console/conversations/{id}", "/console/?q=lift&new=1"])
def test_a_page_that_is_open_is_given_its_live_part_alone(
    staff: FlaskClient, thread: ThreadBuilder, path: str
) -> None:
    whole = staff.get(path.format(id=thread.id)).text
    thread.set(seen_inbound_id=0)
    part = staff.get(path.format(id=thread.id), headers=UNSEEN).text
    assert "Is there a lift?" in part
    assert "<html" not in part
    assert "<script" not in part
    assert without_tokens(part).strip() in without_tokens(whole)


def without_tokens(page: str) -> str:
    """A page without what differs each time it is made."""
    return re.sub(r'value="[\w.-]{16,}"', "", page)


def test_only_a_page_that_somebody_sees_marks_what_it_shows_as_seen(
    staff: FlaskClient, thread: ThreadBuilder
) -> None:
    def is_new() -> bool:
        return ">New<" in staff.get("/console/").text

    page = f"/console/conversations/{thread.id}"
    staff.get(page, headers=UNSEEN)
    staff.get(page, headers=FRAGMENT)
    assert is_new()
    staff.get(page, headers=SEEN)
    assert not is_new()


def test_a_thread_that_is_open_may_ask_for_its_newest_lines_alone(
    staff: FlaskClient, thread: ThreadBuilder
) -> None:
    for number in range(NEWEST_LINES):
        thread.guest_says(f"message {number}")
    page = f"/console/conversations/{thread.id}"
    newest = staff.get(page, headers={**SEEN, "X-Page-Part": "newest"}).text
    assert "message 0<" in newest
    assert "Is there a lift?" not in newest
    assert "Is there a lift?" in staff.get(page, headers={**SEEN, "X-Page-Part": "whole"}).text
    assert "Is there a lift?" in staff.get(page, headers={"X-Page-Part": "newest"}).text


def test_a_page_whose_session_is_over_is_loaded_again(anonymous: FlaskClient) -> None:
    answer = anonymous.get("/console/", headers=FRAGMENT)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (HTTPStatus.UNAUTHORIZED, "true")


@on_both_databases
def test_the_list_can_be_of_what_nobody_has_seen(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    seen = ThreadBuilder(database, clock.now(), name="Seen")
    seen.set(seen_inbound_id=seen.guest_says("one"))
    new = ThreadBuilder(database, clock.now(), name="Unread")
    new.guest_says("two")
    new.reply("an answer")
    ours = ThreadBuilder(database, clock.now(), name="Ours")
    ours.guest_says("three")
    ours.phone_says("typed on the business's phone")
    found = staff.get("/console/?new=1").text
    assert "Unread" in found
    assert "Seen" not in found
    assert "Ours" not in found
    new.set(seen_inbound_id=2**40)
    assert "Everything has been seen" in staff.get("/console/?new=1").text


def test_a_guest_who_types_is_told_until_they_stop(
    staff: FlaskClient, thread: ThreadBuilder, clock: FakeClock
) -> None:
    def told() -> list[bool]:
        pages = ("/console/", f"/console/conversations/{thread.id}")
        return [bool(re.search("Typing…|is typing…", staff.get(page).text)) for page in pages]

    thread.set(guest_typing_until=clock.now().replace(second=10))
    assert told() == [True, True]
    clock.advance(10)
    assert told() == [False, False]


@pytest.mark.parametrize(
    ("port", "host", "origin"),
    [
        (5050, "desk.example:5000", "http://desk.example:5050"),
        (5050, "127.0.0.1", "http://127.0.0.1:5050"),
        (5050, "[::1]:5000", "http://[::1]:5050"),
        (None, "desk.example", ""),
    ],
)
def test_a_page_listens_at_its_own_host_and_may_ask_nowhere_else(
    database: Database,
    clock: FakeClock,
    leases: Leases,
    tmp_path: Path,
    port: int | None,
    host: str,
    origin: str,
) -> None:
    app = Flask(__name__)
    app.secret_key = "a key of the test"
    parts = console_parts(database, clock, leases, tmp_path)
    register_console(app, replace(parts, stream_port=port))
    answer = app.test_client().get("/console/login", headers={"Host": host})
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert policy.endswith(f"connect-src 'self' {origin} {origin.replace('http', 'ws', 1)}".rstrip())
    assert "unsafe" not in policy


def test_the_page_tells_its_script_where_to_listen(staff: FlaskClient, thread: ThreadBuilder) -> None:
    assert 'data-stream="/console/live"' in staff.get("/console/").text
    page = staff.get(f"/console/conversations/{thread.id}").text
    assert f'data-stream="/console/live?conversation={thread.id}"' in page


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        ("htmx.min.js", "htmx.org/dist/htmx.min.js"),
        ("htmx.LICENSE", "htmx.org/LICENSE"),
        ("idiomorph.min.js", "idiomorph/dist/idiomorph.min.js"),
        ("idiomorph.LICENSE", "idiomorph/LICENSE"),
    ],
)
def test_scripts_of_others_are_those_of_the_packages_that_are_locked(copy: str, original: str) -> None:
    assert (VENDOR / copy).read_bytes() == (ROOT / "node_modules" / original).read_bytes()
    assert {path.name for path in VENDOR.iterdir()} == {
        "htmx.min.js",
        "htmx.LICENSE",
        "idiomorph.min.js",
        "idiomorph.LICENSE",
    }

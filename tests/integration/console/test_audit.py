"""The audit log tells who did what and when, to owners."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from server.domain.modes import Actor, ModeBy
from server.store.audit import add_audit
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.console import send
from tests.support.threads import ThreadBuilder


def test_what_was_done_is_told_in_words_with_who_and_what(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    thread = ThreadBuilder(database, clock.now(), name="Maya")
    thread.guest_says("A secret wish")
    thread.happens("takeover", actor="console: Noa", mode="human")
    send(staff, "/console/team", name="Dan", role="viewer")
    send(staff, "/console/keys", name="website")
    page = staff.get("/console/audit").text
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "Noa: Added to the team · user Dan · role: viewer" in told
    assert "Noa: API key made · key 1: website" in told
    assert f"Noa: Took over · conversation {thread.id}" in told
    assert "Noa: Logged in · user Noa" in told
    assert f'href="/console/conversations/{thread.id}"' in page
    assert "Maya" not in told
    assert "wish" not in told


def test_a_word_of_another_part_is_told_as_it_is(
    staff: FlaskClient, database: Database, clock: FakeClock
) -> None:
    with database.write() as session:
        add_audit(session, "1", Actor(ModeBy.API), "kettle.put_on", "kettle 1", clock.now(), cups=3)
    assert "Kettle: put on" in staff.get("/console/audit").text


def test_long_logs_have_pages(staff: FlaskClient, database: Database, clock: FakeClock) -> None:
    with database.write() as session:
        for number in range(60):
            add_audit(session, "1", Actor(ModeBy.API), "counted", f"number {number}.", clock.now())
    first = staff.get("/console/audit")
    older = re.search(r'href="(/console/audit\?before=[^"]+)"', first.text)
    assert older
    second = staff.get(older[1])
    assert "number 59." in first.text
    assert "number 59." not in second.text
    assert "number 0." in second.text

"""What staff did is told newest first, page by page, with who took which conversation over."""

from __future__ import annotations

import pytest

from server.domain.audit import AuditEntry
from server.domain.cursors import AuditCursor
from server.domain.modes import Actor, ModeBy
from server.store.audit import AuditLog, add_audit
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.threads import ThreadBuilder

pytestmark = pytest.mark.usefixtures("tenants")
DAN = Actor(ModeBy.CONSOLE, "Dan")


def note(database: Database, clock: FakeClock, action: str, tenant_id: str = "1") -> None:
    clock.advance(1)
    with database.write() as session:
        add_audit(session, tenant_id, DAN, action, "", clock.now())


def every_page(log: AuditLog, limit: int) -> list[AuditEntry]:
    page = log.page("1", limit=limit)
    entries = list(page.entries)
    while page.older is not None:
        page = log.page("1", AuditCursor.parse(page.older), limit)
        entries += page.entries
    return entries


def test_takeovers_stand_among_what_was_noted_in_their_time(database: Database, clock: FakeClock) -> None:
    note(database, clock, "first")
    thread = ThreadBuilder(database, clock.now())
    thread.happens("takeover", actor="console: Dan", mode="human", after_s=1)
    clock.advance(2)
    note(database, clock, "last")
    log = AuditLog(database)
    assert [entry.action for entry in log.page("1").entries] == ["last", "takeover", "first"]
    takeover = log.page("1").entries[1]
    assert (takeover.actor, takeover.subject) == ("console: Dan", f"conversation {thread.id}")


def test_what_nobody_did_is_not_in_it(database: Database, clock: FakeClock) -> None:
    thread = ThreadBuilder(database, clock.now())
    thread.happens("hand_back", actor="time", mode="ai")
    thread.happens("merge", actor="whatsapp", conversation=9)
    thread.happens("hand_back", actor="host_phone", mode="ai")
    assert [entry.actor for entry in AuditLog(database).page("1").entries] == ["host_phone"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_tell_everything_once(database: Database, clock: FakeClock, limit: int) -> None:
    thread = ThreadBuilder(database, clock.now())
    for number in range(5):
        note(database, clock, f"noted {number}")
        thread.at = clock.now()
        thread.happens("takeover", actor=f"console: {number}", mode="human", after_s=0.5)
    told = [(entry.action, entry.actor) for entry in every_page(AuditLog(database), limit)]
    assert told == [
        one
        for number in range(4, -1, -1)
        for one in (("takeover", f"console: {number}"), (f"noted {number}", "console: Dan"))
    ]


def test_another_business_has_a_log_of_its_own(database: Database, clock: FakeClock) -> None:
    note(database, clock, "theirs", "2")
    ThreadBuilder(database, clock.now(), tenant_id="2").happens("takeover", actor="api", mode="human")
    log = AuditLog(database)
    assert log.page("1").entries == []
    assert len(log.page("2").entries) == 2

"""Documents as staff look through them and change them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from server.domain.knowledge import Document
from server.domain.modes import Actor, ModeBy
from server.errors import Conflict, NotFound
from server.store.documents import Documents
from server.store.knowledge import Knowledge, Plan
from server.store.models import AuditRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock

NOA = Actor(ModeBy.CONSOLE, "Noa")
POOL = Document("pool", "Pool", "Open from 8 to 20.", "en", source="faq.md")
PETS = Document("pets", "Pets", "Small dogs are welcome.", "en", source="faq.md")
BREAKFAST = Document("breakfast", "ארוחת בוקר", "מוגשת בין 7:30 ל-10:30.", "he")


@pytest.fixture
def documents(database: Database, clock: FakeClock, tenants: Tenants) -> Documents:
    """Three documents of business 1."""
    Knowledge(database, clock).put_documents("1", [POOL, PETS, BREAKFAST])
    return Documents(database, clock)


def version(database: Database, clock: FakeClock) -> int:
    return Tenants(database, clock).get("1").knowledge_version


def found(documents: Documents, *words: str, tenant_id: str = "1") -> list[str]:
    return [document.id for document in documents.page(tenant_id, words).documents]


def noted(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.action, row.subject) for row in session.scalars(select(AuditRow).order_by(AuditRow.id))]


def test_documents_are_found_by_all_words_in_whatever_field(documents: Documents) -> None:
    assert found(documents) == ["breakfast", "pets", "pool"]
    assert found(documents, "DOGS") == ["pets"]
    assert found(documents, "faq", "open") == ["pool"]
    assert found(documents, "בוקר") == ["breakfast"]
    assert found(documents, "100%") == []
    assert found(documents, "dogs", tenant_id="2") == []


def test_a_page_ends_where_the_next_one_begins(documents: Documents) -> None:
    first = documents.page("1", (), limit=2)
    assert first.after == "pets"
    rest = documents.page("1", (), first.after, limit=2)
    assert [document.id for document in rest.documents] == ["pool"]
    assert rest.after is None


def test_a_change_counts_the_version_up_and_is_noted(
    documents: Documents, database: Database, clock: FakeClock
) -> None:
    before = version(database, clock)
    kept = documents.get("1", "pool")
    clock.advance(60)
    documents.change("1", replace(POOL, body="Closed."), kept.mark, NOA)
    assert version(database, clock) == before + 1
    now = documents.get("1", "pool")
    assert now.document.body == "Closed."
    assert now.document.changed_at == clock.now()
    assert noted(database) == [("document.changed", "document pool")]


def test_the_second_of_two_who_change_a_document_is_refused(documents: Documents) -> None:
    seen = documents.get("1", "pool").mark
    documents.change("1", replace(POOL, body="Closed."), seen, NOA)
    with pytest.raises(Conflict):
        documents.change("1", replace(POOL, body="Open."), seen, NOA)
    assert documents.get("1", "pool").document.body == "Closed."


def test_a_form_that_is_sent_twice_changes_once(
    documents: Documents, database: Database, clock: FakeClock
) -> None:
    before, seen = version(database, clock), documents.get("1", "pool").mark
    for _ in range(2):
        documents.change("1", replace(POOL, body="Closed."), seen, NOA)
    assert version(database, clock) == before + 1


def test_a_document_that_is_gone_cannot_be_changed(documents: Documents) -> None:
    seen = documents.get("1", "pool").mark
    documents.remove("1", "pool", seen, NOA)
    with pytest.raises(NotFound):
        documents.change("1", POOL, seen, NOA)
    with pytest.raises(NotFound):
        documents.get("1", "pool")


def test_what_was_changed_since_is_not_removed(documents: Documents) -> None:
    seen = documents.get("1", "pool").mark
    documents.change("1", replace(POOL, body="Closed."), seen, NOA)
    with pytest.raises(Conflict):
        documents.remove("1", "pool", seen, NOA)
    assert documents.get("1", "pool").document.body == "Closed."


def test_an_id_that_is_taken_is_refused_unless_it_says_the_same(
    documents: Documents, database: Database, clock: FakeClock
) -> None:
    before = version(database, clock)
    documents.add("1", POOL, NOA)
    assert version(database, clock) == before
    with pytest.raises(Conflict):
        documents.add("1", replace(POOL, body="Another pool."), NOA)


def test_others_documents_do_not_exist(documents: Documents) -> None:
    with pytest.raises(NotFound):
        documents.get("2", "pool")
    with pytest.raises(NotFound):
        documents.change("2", POOL, documents.get("1", "pool").mark, NOA)
    with pytest.raises(NotFound):
        documents.remove("2", "pool", documents.get("1", "pool").mark, NOA)
    assert documents.count("1") == 3
    assert documents.count("2") == 0


def test_a_plan_tells_what_an_import_would_change_and_changes_nothing(
    documents: Documents, database: Database, clock: FakeClock
) -> None:
    before = version(database, clock)
    sauna = Document("sauna", "Sauna", "From 18:00.", "en", source="faq.md")
    plan = Knowledge(database, clock).plan(
        "1", [replace(POOL, body="Closed."), sauna], whole_sources=["faq.md"]
    )
    assert plan == Plan(frozenset({"sauna"}), frozenset({"pool"}), frozenset({"pets"}))
    assert version(database, clock) == before


def test_an_import_is_noted_with_its_counts(documents: Documents, database: Database) -> None:
    changes = documents.take_in("1", [replace(POOL, body="Closed.")], ["faq.md"], NOA)
    assert (changes.changed, changes.removed) == (1, 1)
    assert noted(database) == [("knowledge.imported", "knowledge")]

"""Every knowledge store keeps the port's promises: in memory, on SQLite, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from server.domain.knowledge import Document
from server.domain.tenants import TenantSettings
from server.errors import NotFound
from server.ports.knowledge import Changes, KnowledgeStore
from server.store.knowledge import Knowledge
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.fakes.knowledge_store import FakeKnowledgeStore

POOL = Document("pool", "Pool", "Open from 8 to 20.", "en")
PETS = Document("pets", "Pets", "Small dogs are welcome.", "en")
BREAKFAST = Document("breakfast", "ארוחת בוקר", "מוגשת בין 7:30 ל-10:30.", "he")


@pytest.fixture
def database_store(database: Database, clock: FakeClock) -> KnowledgeStore:
    """On SQLite and on PostgreSQL."""
    return _with_tenants(database, clock)


@pytest.fixture(params=["fake", "sqlite_template", "postgres_template"])
def store(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[KnowledgeStore]:
    if request.param == "fake":
        yield FakeKnowledgeStore("1", "2")
        return
    with request.getfixturevalue(request.param).fresh() as url:
        database = Database(url)
        yield _with_tenants(database, clock)
        database.close()


def _with_tenants(database: Database, clock: FakeClock) -> KnowledgeStore:
    tenants = Tenants(database, clock)
    tenants.add("1", TenantSettings(name="Harbour House"))
    tenants.add("2", TenantSettings(name="Hill Inn"))
    return Knowledge(database, clock)


def test_documents_come_back_as_they_were_in_the_order_of_their_ids(store: KnowledgeStore) -> None:
    assert store.put_documents("1", [POOL, BREAKFAST, PETS]) == Changes(new=3)
    assert list(store.documents("1")) == [BREAKFAST, PETS, POOL]


def test_a_document_of_the_same_id_is_replaced(store: KnowledgeStore) -> None:
    store.put_documents("1", [POOL, PETS])
    closed = Document("pool", "Pool", "Closed this winter.", "en")
    assert store.put_documents("1", [closed]) == Changes(changed=1)
    assert list(store.documents("1")) == [PETS, closed]


def test_the_version_grows_with_a_change_and_only_then(store: KnowledgeStore) -> None:
    before = store.version("1")
    store.put_documents("1", [POOL])
    changed = store.version("1")
    assert changed > before
    assert store.put_documents("1", [POOL]) == Changes(unchanged=1)
    assert store.put_documents("1", []) == Changes()
    assert store.version("1") == changed


def test_of_two_documents_with_one_id_the_later_counts(store: KnowledgeStore) -> None:
    later = Document("pool", "Pool", "Closed.", "en")
    assert store.put_documents("1", [POOL, later]) == Changes(new=1)
    assert list(store.documents("1")) == [later]


def test_tenants_have_nothing_in_common(store: KnowledgeStore) -> None:
    store.put_documents("1", [POOL])
    before = store.version("2")
    store.put_documents("1", [PETS])
    assert list(store.documents("2")) == []
    assert store.version("2") == before


def test_an_unknown_tenant_is_refused_and_has_nothing(store: KnowledgeStore) -> None:
    with pytest.raises(NotFound):
        store.put_documents("no-such-tenant", [POOL])
    assert list(store.documents("no-such-tenant")) == []
    assert store.version("no-such-tenant") == 0


@pytest.mark.parametrize(
    "changed",
    [
        replace(POOL, valid_from="06-01"),
        replace(POOL, valid_until="2026-09-30"),
        replace(POOL, hours="Su-Fr 08:00-19:00"),
        replace(POOL, source="a.md"),
    ],
)
def test_a_document_changes_with_everything_that_is_said_of_it(
    store: KnowledgeStore, changed: Document
) -> None:
    store.put_documents("1", [POOL])
    assert store.put_documents("1", [changed]) == Changes(changed=1)
    assert list(store.documents("1")) == [changed]


def test_what_a_whole_source_no_longer_holds_is_removed_and_nothing_else(store: KnowledgeStore) -> None:
    pool, pets = replace(POOL, source="faq.md"), replace(PETS, source="faq.md")
    other = replace(BREAKFAST, source="rules.pdf")
    store.put_documents("1", [pool, pets, other])
    store.put_documents("2", [pets])
    before = store.version("1")
    changes = store.put_documents("1", [pool], whole_sources={"faq.md"})
    assert changes == Changes(unchanged=1, removed=1)
    assert list(store.documents("1")) == [other, pool]
    assert list(store.documents("2")) == [pets]
    assert store.version("1") == before + 1


def test_an_empty_whole_source_loses_all_its_documents(store: KnowledgeStore) -> None:
    store.put_documents("1", [replace(POOL, source="faq.md"), PETS])
    assert store.put_documents("1", [], whole_sources={"faq.md"}) == Changes(removed=1)
    assert list(store.documents("1")) == [PETS]


def test_new_changed_and_removed_together_are_one_version(store: KnowledgeStore) -> None:
    store.put_documents("1", [replace(POOL, source="a"), replace(PETS, source="a")])
    before = store.version("1")
    changes = store.put_documents(
        "1", [replace(POOL, source="a", body="Closed."), BREAKFAST], whole_sources={"a"}
    )
    assert changes == Changes(new=1, changed=1, removed=1)
    assert store.version("1") == before + 1


def test_an_id_that_moves_to_another_source_is_told(store: KnowledgeStore) -> None:
    store.put_documents("1", [POOL, replace(PETS, source="a.md")])
    moved = [replace(POOL, source="b.md"), replace(PETS, source="b.md")]
    changes = store.put_documents("1", moved, whole_sources={"b.md"})
    assert changes == Changes(changed=2, taken_over=("pets",))


def test_documents_are_removed_by_id_all_or_none(store: KnowledgeStore) -> None:
    store.put_documents("1", [POOL, PETS, BREAKFAST])
    before = store.version("1")
    with pytest.raises(NotFound, match="no document 'spa'"):
        store.remove_documents("1", ["pool", "spa"])
    with pytest.raises(NotFound):
        store.remove_documents("no-such-tenant", ["pool"])
    assert store.version("1") == before
    store.remove_documents("1", ["pool", "pets", "pool"])
    assert list(store.documents("1")) == [BREAKFAST]
    assert store.version("1") == before + 1


def test_a_reader_never_sees_half_an_import(database_store: KnowledgeStore) -> None:
    old = [Document(f"old-{n}", "Old", "Text.", "en", source="a.md") for n in range(40)]
    new = [Document(f"new-{n}", "New", "Text.", "en", source="a.md") for n in range(40)]
    database_store.put_documents("1", old)
    with ThreadPoolExecutor(1) as pool:
        importing = pool.submit(database_store.put_documents, "1", new, whole_sources={"a.md"})
        seen = {len(database_store.documents("1")) for _ in iter(importing.done, True)}
        importing.result()
    titles = {document.title for document in database_store.documents("1")}
    assert seen <= {40}
    assert titles == {"New"}


def test_a_document_is_newer_when_it_says_something_else_not_when_its_file_has_another_name(
    database_store: KnowledgeStore, clock: FakeClock
) -> None:
    def changed_at() -> datetime | None:
        return database_store.documents("1")[0].changed_at

    database_store.put_documents("1", [replace(POOL, source="a.md")])
    first = changed_at()
    clock.advance(60)
    database_store.put_documents("1", [replace(POOL, source="b.md")])
    assert database_store.documents("1")[0].source == "b.md"
    assert changed_at() == first
    database_store.put_documents("1", [replace(POOL, source="b.md", body="The pool is closed.")])
    assert changed_at() == clock.now()


def test_vectors_come_back_exactly_by_model_and_hash(store: KnowledgeStore) -> None:
    first = np.array([0.1, -2.5, 3e-7], dtype=np.float32)
    store.put_vectors("model-1", {"a": first, "b": first * 2})
    found = store.vectors("model-1", ["a", "c"])
    assert set(found) == {"a"}
    assert found["a"].dtype == np.float32
    assert np.array_equal(found["a"], first)
    assert store.vectors("model-2", ["a"]) == {}
    assert store.vectors("model-1", []) == {}


def test_a_kept_vector_stays_as_it_is(store: KnowledgeStore) -> None:
    first = np.ones(3, dtype=np.float32)
    store.put_vectors("model-1", {"a": first})
    store.put_vectors("model-1", {"a": first * 9, "b": first})
    found = store.vectors("model-1", ["a", "b"])
    assert np.array_equal(found["a"], first)
    assert np.array_equal(found["b"], first)


def test_thousands_of_vectors_fit_in_one_call(store: KnowledgeStore) -> None:
    vectors = {f"hash-{n}": np.full(4, n, dtype=np.float32) for n in range(2500)}
    store.put_vectors("model-1", vectors)
    found = store.vectors("model-1", list(vectors))
    assert len(found) == 2500
    assert found["hash-2499"][0] == 2499


def test_two_imports_at_once_both_count(database_store: KnowledgeStore) -> None:
    before = database_store.version("1")
    imports = [[Document(f"topic-{n}", "Topic", "Text.", "en")] for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        changes = list(pool.map(lambda documents: database_store.put_documents("1", documents), imports))
    assert changes == [Changes(new=1)] * 6
    assert database_store.version("1") == before + 6
    assert len(database_store.documents("1")) == 6

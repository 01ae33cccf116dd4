"""Which sidecar a number's calls go to, read from a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from server.store.numbers import NumberDirectory
from server.store.session import Database
from tests.support.databases import PostgresTemplate

LEASE_S = 8.0


@pytest.fixture
def database(postgres_template: PostgresTemplate) -> Iterator[Database]:
    with postgres_template.fresh() as url:
        opened = Database(url)
        with opened.write() as session:
            session.execute(
                text(
                    "INSERT INTO tenants (id, settings, knowledge_version, created_at) "
                    "SELECT id, '{}', 0, now() FROM unnest(ARRAY['1', '2', '3']) AS id"
                )
            )
        yield opened
        opened.close()


@pytest.fixture
def directory(database: Database) -> NumberDirectory:
    return NumberDirectory(database, LEASE_S)


def a_number(database: Database, tenant_id: str, owner: str | None, until: str = "1 minute") -> None:
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO whatsapp_numbers (tenant_id, is_wanted, owner, url, held_until, token) "
                "VALUES (:tenant, true, :owner, 'http://' || :owner, "
                "clock_timestamp() + CAST(:until AS interval), 1)"
            ),
            {"tenant": tenant_id, "owner": owner, "until": until},
        )


def a_sidecar(database: Database, name: str, ago: str = "0") -> None:
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO whatsapp_sidecars (name, url, seen_at) "
                "VALUES (:name, 'http://' || :name, clock_timestamp() - CAST(:ago AS interval))"
            ),
            {"name": name, "ago": ago},
        )


def test_a_number_is_found_where_it_is_held(database: Database, directory: NumberDirectory) -> None:
    a_number(database, "1", "a")
    a_number(database, "2", "b")
    assert (directory.holder("1"), directory.holder("2")) == ("http://a", "http://b")


def test_nobody_holds_a_number_that_is_free_unknown_or_past_its_lease(
    database: Database, directory: NumberDirectory
) -> None:
    a_number(database, "1", None)
    a_number(database, "2", "a", until="-1 second")
    assert [directory.holder(tenant_id) for tenant_id in ("1", "2", "3")] == [None, None, None]


def test_the_sidecar_with_the_fewest_numbers_comes_first(
    database: Database, directory: NumberDirectory
) -> None:
    for name in ("a", "b", "c"):
        a_sidecar(database, name)
    a_number(database, "1", "a")
    a_number(database, "2", "a")
    a_number(database, "3", "c")
    assert directory.sidecars() == ["http://b", "http://c", "http://a"]


def test_a_sidecar_that_has_been_silent_is_not_named(database: Database, directory: NumberDirectory) -> None:
    a_sidecar(database, "dead", ago="17 seconds")
    a_sidecar(database, "alive", ago="9 seconds")
    assert directory.sidecars() == ["http://alive"]

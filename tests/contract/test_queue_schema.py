"""procrastinate's tables are made once, and its migrations run that a database has not seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from server.store.migrate import is_current, migrate
from server.store.session import Database
from tests.support.databases import PostgresTemplate

# By 03.04.00_50 of procrastinate 3.10.
MADE_BY_THE_LAST = "procrastinate_trigger_status_events_update_v1"


@pytest.fixture
def database(postgres_template: PostgresTemplate) -> Iterator[Database]:
    with postgres_template.fresh() as url:
        opened = Database(url)
        yield opened
        opened.close()


def note(database: Database, version: str) -> None:
    with database.write() as session:
        session.execute(text(f"COMMENT ON TABLE procrastinate_jobs IS '{version}'"))


def test_a_migrated_database_has_them_and_may_be_migrated_again(database: Database) -> None:
    assert is_current(database)
    migrate(database)
    assert is_current(database)


def test_a_database_without_them_is_not_current(database: Database) -> None:
    with database.write() as session:
        session.execute(text("ALTER TABLE procrastinate_jobs RENAME TO elsewhere"))
    assert not is_current(database)


def test_a_migration_that_came_since_is_run(database: Database) -> None:
    # What the last one makes is taken away, as if it had not been there yet.
    with database.write() as session:
        session.execute(text(f"DROP TRIGGER {MADE_BY_THE_LAST} ON procrastinate_jobs"))
    note(database, "03.04.00_01_pre_add_retry_failed_job_procedure.sql")
    assert not is_current(database)
    migrate(database)
    assert is_current(database)
    with database.read() as session:
        found = session.execute(
            text("SELECT count(*) FROM pg_trigger WHERE tgname = :name"), {"name": MADE_BY_THE_LAST}
        ).scalar_one()
    assert found == 1


def test_tables_of_a_later_version_are_taken_as_they_are(database: Database) -> None:
    note(database, "99.00.00_01_pre_of_another_time.sql")
    assert is_current(database)
    migrate(database)
    assert is_current(database)

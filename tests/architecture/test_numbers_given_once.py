"""On SQLite too a number is given once, and the migration to it keeps all else, as a whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Inspector, event, inspect, text

from server.adapters.media_folder import MediaFolder
from server.domain.tenants import TenantSettings
from server.store.migrate import find_revision, migrate
from server.store.models import ApiKeyRow, Base, CannedReplyRow, UserRow
from server.store.session import Database
from server.store.tenants import Tenants
from tests.fakes.clock import FakeClock
from tests.support.databases import SqliteTemplate, go_back
from tests.support.full_guest import FullGuest

BEFORE, AFTER = "0014", "0015"
NUMBERED = {table.name for table in Base.metadata.sorted_tables if table.autoincrement_column is not None}
# Above all that the full guest has.
NAMED = 4711
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sqlite_template: SqliteTemplate) -> Path:
    """A SQLite file of before, with a row in every table that numbers its rows."""
    folder, clock = tmp_path_factory.mktemp("filled"), FakeClock()
    with sqlite_template.fresh() as url, closing(Database(url)) as database:
        Tenants(database, clock).add("1", TenantSettings(name="Harbour House"))
        FullGuest(database, clock, MediaFolder(folder / "media", 0))
        tenant = {"tenant_id": "1"}
        with database.write() as session:
            session.add(ApiKeyRow(**tenant, key_hash="hash", created_at=NOW))
            session.add(UserRow(**tenant, name="dan", password_hash="hash", created_at=NOW))
            session.add(CannedReplyRow(**tenant, title="Parking", text="Behind the house", updated_at=NOW))
        go_back(database, BEFORE)
        return Path(database.url.database or "")


@pytest.fixture
def old(filled: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of it."""
    path = tmp_path / "old.db"
    shutil.copy(filled, path)
    with closing(Database(f"sqlite:///{path}")) as database:
        yield database


@pytest.fixture
def new(old: Database) -> Database:
    """The same, migrated."""
    migrate(old, AFTER)
    return old


def all_rows(database: Database) -> Mapping[str, Sequence[Any]]:
    """What the tables hold but for the database's version."""
    with database.read() as session:
        connection = session.connection()
        return {
            table: connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY rowid").all()  # noqa: S608 - our own
            for table in inspect(connection).get_table_names()
            if table != "alembic_version"
        }


def definitions(database: Database) -> Mapping[str, str]:
    """Tables and indices as SQLite keeps them."""
    with database.read() as session:
        found = session.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {name: sql for name, sql in found if name != "sqlite_sequence"}


def counters(database: Database) -> Mapping[str, int]:
    """The highest number that each table has given."""
    with database.read() as session:
        found = session.execute(text("SELECT name, seq FROM sqlite_sequence"))
        return {name: number for name, number in found if name in NUMBERED}


def test_there_is_something_in_every_table_that_numbers_its_rows(old: Database) -> None:
    rows = all_rows(old)
    assert {table for table in NUMBERED if not rows[table]} == set()


def test_every_row_is_kept(old: Database) -> None:
    before = all_rows(old)
    migrate(old, AFTER)
    assert all_rows(old) == before


def test_every_table_and_index_is_kept_but_for_how_rows_are_numbered(old: Database) -> None:
    before = definitions(old)
    migrate(old, AFTER)
    after = definitions(old)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == NUMBERED
    for table in NUMBERED:
        without_key = re.sub(rf"CONSTRAINT pk_{table} PRIMARY KEY \(id\),\s*", "", before[table])
        assert after[table].replace(" PRIMARY KEY AUTOINCREMENT", "") == without_key


def test_going_back_makes_the_tables_of_before(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    with sqlite_template.fresh() as url, closing(Database(url)) as database:
        go_back(database, BEFORE)
        gone_back = definitions(database)
    with closing(Database(f"sqlite:///{tmp_path / 'never_went.db'}")) as database:
        migrate(database, BEFORE)
        assert definitions(database) == gone_back


def test_going_back_keeps_every_row(new: Database) -> None:
    before = all_rows(new)
    go_back(new, BEFORE)
    assert all_rows(new) == before


def test_rows_still_have_to_refer_to_rows_that_are_there(new: Database) -> None:
    with new.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]


def shape(inspector: Inspector, table: str) -> Mapping[str, Any]:
    """All of a table but types, which `test_migrations` compares, and defaults."""
    return {
        "columns": {column["name"]: column["nullable"] for column in inspector.get_columns(table)},
        "primary key": inspector.get_pk_constraint(table),
        "foreign keys": {
            (key["name"], *key["constrained_columns"], key["referred_table"], *key["referred_columns"])
            for key in inspector.get_foreign_keys(table)
        },
        "unique": {(key["name"], *key["column_names"]) for key in inspector.get_unique_constraints(table)},
        "checks": inspector.get_check_constraints(table),
    }


def defaults(inspector: Inspector, table: str) -> set[tuple[str, str]]:
    return {
        (column["name"], column["default"])
        for column in inspector.get_columns(table)
        if column["default"] is not None
    }


def test_a_migrated_file_is_what_the_models_make(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    with (
        sqlite_template.fresh() as url,
        closing(Database(url)) as migrated,
        closing(Database(f"sqlite:///{tmp_path / 'made.db'}")) as made,
    ):
        Base.metadata.create_all(made.engine)
        found, described = inspect(migrated.engine), inspect(made.engine)
        tables = set(described.get_table_names())
        assert set(found.get_table_names()) == tables | {"alembic_version"}
        assert {table: shape(found, table) for table in tables} == {
            table: shape(described, table) for table in tables
        }
        # A column that was added to rows that were there has one, whatever the model says.
        assert {
            table for table in tables if not defaults(described, table) <= defaults(found, table)
        } == set()
        ours, theirs = definitions(migrated), definitions(made)
        assert {name: ours.get(name) for name in theirs if name not in tables} == {
            name: sql for name, sql in theirs.items() if name not in tables
        }
        for every in (ours, theirs):
            assert {name for name, sql in every.items() if "AUTOINCREMENT" in sql} == NUMBERED


def test_counting_goes_on_above_every_row(new: Database) -> None:
    rows = all_rows(new)
    assert counters(new) == {table: max(row.id for row in rows[table]) for table in NUMBERED}


AUDITED = (
    "INSERT INTO audit_events (tenant_id, actor, action, subject, details, at)"
    " VALUES ('1', '', '{action}', '{subject} ' || :number, {details}, '2026-11-22 10:00:00.000000')"
)


def audited(subject: str, action: str = "", details: str = "'{}'") -> str:
    return AUDITED.format(subject=subject, action=action, details=details)


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("guests", audited("guest")),
        ("guests", "UPDATE guests SET merge_into = :number"),
        ("conversations", audited("conversation")),
        ("conversations", "INSERT INTO leases (key, token) VALUES ('conversation:' || :number, 1)"),
        ("conversations", "INSERT INTO leases (key, token) VALUES ('outbox:conversation:' || :number, 1)"),
        ("conversations", "UPDATE spend SET conversation_id = :number WHERE conversation_id > 0"),
        (
            "conversations",
            "UPDATE conversation_events SET kind = 'merge', details = json_object('conversation', :number)",
        ),
        ("inbound_messages", "UPDATE conversations SET seen_inbound_id = :number"),
        ("inbound_messages", "UPDATE drafts SET inbound_id = :number"),
        ("drafts", audited("", "draft.sent", "json_object('draft', :number)")),
        ("questions", audited("question")),
        ("canned_replies", audited("reply")),
        ("api_keys", audited("key")),
        ("users", "UPDATE conversations SET assigned_to = :number"),
        ("users", audited("", "conversation.assigned", "json_object('user', :number)")),
    ],
)
def test_a_number_that_is_named_somewhere_is_not_given_again(
    old: Database, table: str, statement: str
) -> None:
    with old.write() as session:
        session.execute(text(statement), {"number": NAMED})
    migrate(old, AFTER)
    assert counters(old)[table] == NAMED


def test_names_that_only_look_like_numbers_are_not_counted(old: Database) -> None:
    with old.write() as session:
        for subject in ("document", "guest house", "user"):
            session.execute(text(audited(subject)), {"number": NAMED})
    migrate(old, AFTER)
    assert NAMED not in counters(old).values()


def migrate_until_killed(url: str, statement: str) -> None:
    """Die by kill -9 before the first statement that begins with *statement* is run."""
    database = Database(url)

    @event.listens_for(database.engine, "before_cursor_execute")
    def look_out(_connection: object, _cursor: object, told: str, *_rest: object) -> None:
        if told.startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)

    migrate(database, AFTER)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO guests",
        "INSERT INTO inbound_messages",
        "DROP TABLE former_conversations",
        "CREATE INDEX ix_conversations_needing",
        "INSERT INTO sqlite_sequence",
        "UPDATE alembic_version",
    ],
)
def test_a_migration_that_is_killed_leaves_all_as_it_was(old: Database, statement: str) -> None:
    before = definitions(old), all_rows(old)
    url = old.url.render_as_string()
    process = multiprocessing.get_context("spawn").Process(target=migrate_until_killed, args=(url, statement))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert find_revision(old) == BEFORE
    assert (definitions(old), all_rows(old)) == before
    migrate(old, AFTER)
    assert all_rows(old) == before[1]


def test_tables_that_frontdesk_did_not_make_so_are_left_as_they_are(old: Database) -> None:
    with old.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE canned_replies RENAME COLUMN id TO number")
    before = definitions(old)
    with pytest.raises(RuntimeError, match="not as Frontdesk makes it"):
        migrate(old, AFTER)
    assert (find_revision(old), definitions(old)) == (BEFORE, before)

"""The migrations make exactly the tables that the models describe."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from server.store.migrate import is_current, migrate
from server.store.models import Base, ConversationRow
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.databases import go_back
from tests.support.threads import ThreadBuilder


def test_a_migrated_database_is_what_the_models_describe(database: Database) -> None:
    def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
        # procrastinate describes its own tables; their indices go with them. Search has indices where the
        # database can have them, and none where models make the tables.
        return name is None or not name.startswith(("procrastinate_", "search_"))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, Base.metadata) == []


def test_tables_of_a_later_version_are_taken_as_they_are(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert is_current(database)


def test_migrating_twice_is_harmless(database: Database) -> None:
    migrate(database)
    assert is_current(database)


@pytest.mark.usefixtures("tenants")
def test_what_came_in_before_staffs_marks_were_kept_counts_as_seen(
    database: Database, clock: FakeClock
) -> None:
    thread, silent = ThreadBuilder(database, clock.now()), ThreadBuilder(database, clock.now())
    message = thread.guest_says("hello")
    go_back(database, "0008")
    migrate(database)
    with database.read() as session:
        rows = session.execute(select(ConversationRow.id, ConversationRow.seen_inbound_id))
        seen = {row.id: row.seen_inbound_id for row in rows}
    assert seen == {thread.id: message, silent.id: 0}


def test_the_numbers_in_the_files_names_are_the_revisions_in_their_order() -> None:
    folder = Path(__file__).resolve().parents[2] / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    newest_first = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    numbers = sorted(file.name.partition("_")[0] for file in (folder / "versions").glob("[0-9]*.py"))
    assert numbers == newest_first[::-1]


_INDICES = text("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'search_%' ORDER BY indexname")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_has_an_index_of_what_was_written(database: Database) -> None:
    with database.read() as session:
        found = session.scalars(_INDICES).all()
    assert [index.partition(" USING ")[2] for index in found] == ["gin (tenant_id, text gin_trgm_ops)"] * 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whoever_may_not_add_extensions_migrates_without_that_index(database: Database) -> None:
    go_back(database, "0012")
    password = secrets.token_hex(8)
    with database.write() as session:
        name = f"no_extensions_{secrets.token_hex(4)}"
        session.execute(text("DROP EXTENSION pg_trgm"))
        session.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'"))
        for table in session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all():
            session.execute(text(f"ALTER TABLE {table} OWNER TO {name}"))
        session.execute(text(f"GRANT ALL ON SCHEMA public TO {name}"))
    theirs = Database(
        database.url.set(username=name, password=password).render_as_string(hide_password=False)
    )
    try:
        migrate(theirs)
        assert is_current(theirs)
        with theirs.read() as session:
            assert session.scalars(_INDICES).all() == []
    finally:
        theirs.close()
        with database.write() as session:
            session.execute(text(f"REASSIGN OWNED BY {name} TO CURRENT_USER"))
            session.execute(text(f"DROP OWNED BY {name}"))
            session.execute(text(f"DROP ROLE {name}"))


@pytest.mark.usefixtures("tenants")
def test_what_waited_for_a_person_before_the_time_was_kept_waits_since_its_last_message(
    database: Database, clock: FakeClock
) -> None:
    waiting, other = ThreadBuilder(database, clock.now()), ThreadBuilder(database, clock.now())
    waiting.needs_a_person()
    waiting.set(last_message_at=clock.now())
    go_back(database, "0013")
    migrate(database)
    with database.read() as session:
        rows = session.execute(select(ConversationRow.id, ConversationRow.needs_human_since))
        assert {row.id: row.needs_human_since for row in rows} == {waiting.id: clock.now(), other.id: None}


@pytest.mark.usefixtures("tenants")
def test_who_waits_in_danger_before_its_time_was_kept_still_does(
    database: Database, clock: FakeClock
) -> None:
    in_danger, safe_again, other = (ThreadBuilder(database, clock.now()) for _ in range(3))
    for thread in (in_danger, safe_again, other):
        thread.needs_a_person()
        thread.guest_says("Help!")
        thread.reply("Help comes", turn={"reason": "not_known" if thread is other else "emergency_fire"})
    safe_again.guest_says("Is there a helipad?")
    safe_again.needs_a_person()
    go_back(database, "0015")
    migrate(database)
    with database.read() as session:
        rows = session.execute(select(ConversationRow.id, ConversationRow.is_urgent))
        urgent = {row.id for row in rows if row.is_urgent}
    assert urgent == {in_danger.id}

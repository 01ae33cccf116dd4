"""Brings a database's tables up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from server.store import queue_schema
from server.store.session import Database

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# ``0008_continued_calls.py``: each revision's file begins with its number.
_REVISION_FILES = "[0-9]*.py"
# Any number will do, so long as nothing else in the database uses it.
_ADVISORY_LOCK = 7_215_301


def migrate(database: Database, revision: str = "head") -> None:
    """Run the missing migrations up to *revision*. On PostgreSQL two at once wait for one another."""
    # Every process asks whether its tables are current; only who migrates needs what this loads.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if not database.is_sqlite:
            queue_schema.bring_up_to_date(connection)
        connection.commit()


def is_current(database: Database) -> bool:
    """Whether no migration is missing. Tables that a later version has migrated are taken as they are.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with database.read() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return False
        found = set(session.execute(text("SELECT version_num FROM alembic_version")).scalars())
        if not database.is_sqlite and not queue_schema.is_current(session.connection()):
            return False
    known = _revisions()
    return bool(found) and (found == {known[-1]} or not found <= set(known))


def find_revision(database: Database) -> str | None:
    """The migration that the database is at; None if it has no tables."""
    with database.read() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def is_known(revision: str) -> bool:
    """Whether this version of Frontdesk has the migration."""
    return revision in _revisions()


def _revisions() -> list[str]:
    """All that this version has, in their order, the newest last."""
    files = (_MIGRATIONS / "versions").glob(_REVISION_FILES)
    return sorted(file.name.partition("_")[0] for file in files)

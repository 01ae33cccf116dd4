"""procrastinate's own tables, kept up to date beside ours.

It leaves to its users which of its migrations a database has seen; we note the last one on its table.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables, or run the migrations that came since; in the connection's transaction."""
    newest = _migrations()[-1]
    found = _find_version(connection)
    if found is None:
        _execute(connection, _folder() / "schema.sql")
    else:
        for path in _migrations():
            if path.name > found:
                _execute(connection, path)
    if found is None or newest.name > found:
        # Not a value that could be bound: the name is a file's of the package.
        connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{newest.name}'")


def is_current(connection: Connection) -> bool:
    """Whether no migration is missing. Tables that a later version has migrated are taken as they are."""
    found = _find_version(connection)
    return found is not None and found >= _migrations()[-1].name


def _find_version(connection: Connection) -> str | None:
    """The last migration that the database has seen; None if the tables are missing.

    Tables that somebody else made carry no note: they are taken as they are.
    """
    row = connection.execute(
        text(
            "SELECT obj_description(oid, 'pg_class') FROM pg_class"
            " WHERE oid = to_regclass('procrastinate_jobs')"
        )
    ).first()
    if row is None:
        return None
    return row[0] or _migrations()[-1].name


def _migrations() -> list[Path]:
    return sorted((_folder() / "migrations").glob("*.sql"))


def _folder() -> Path:
    # Found, not imported: the web process has no other use for the package.
    spec = find_spec("procrastinate")
    if spec is None or spec.origin is None:
        raise RuntimeError("procrastinate is not installed: run `make setup`")
    return Path(spec.origin).parent / "sql"


def _execute(connection: Connection, script: Path) -> None:
    # By the driver's own cursor: to SQLAlchemy a percent sign would be a parameter.
    cursor = connection.connection.cursor()
    cursor.execute(script.read_text(encoding="utf-8"))
    cursor.close()

"""Backs up and restores a whole installation."""

from __future__ import annotations

import fcntl
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect, text

from server.backup import data_files, postgres_tables, sqlite_files
from server.backup.archive import Manifest, Progress, pack, unpack
from server.errors import CommandError
from server.store.migrate import find_revision, is_known, migrate
from server.store.models import Base
from server.store.session import Database


def back_up(database: Database, data_dir: Path, target: Path, progress: Progress) -> None:
    """Write everything to *target*; the installation may be running.

    Raises:
        CommandError: there is nothing to back up, or the archive cannot be written.
    """
    revision = find_revision(database)
    if revision is None:
        raise CommandError("there is nothing to back up: the database has no tables")
    if not target.parent.is_dir():
        raise CommandError(f"there is no folder {target.parent}")
    with TemporaryDirectory(prefix=".frontdesk-backup-", dir=target.parent) as name:
        folder = Path(name)
        # The sidecar's journal first: what it hands on in between, the database's copy knows already. In
        # the other order a message could be in neither.
        data_files.dump(data_dir, _file_of(database), folder)
        progress("data files")
        columns = _dump_database(database, folder, progress)
        manifest = Manifest(database=_kind(database), revision=revision, columns=columns)
        pack(folder, manifest, target, progress)


def restore(
    database: Database, data_dir: Path, source: Path, *, replace: bool, progress: Progress
) -> Manifest:
    """Put back what *source* holds. Nothing of the installation may be running.

    Args:
        replace: give up what is there.

    Raises:
        CommandError: the archive does not fit, or there is something that would be lost.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".frontdesk-restore-", dir=data_dir) as name:
        folder = Path(name)
        manifest = unpack(source, folder, progress)
        _check_fits(manifest, database, source)
        _check_stopped(data_dir)
        if not replace:
            _check_empty(database, data_dir)
        _load_database(manifest, database, folder, progress)
        data_files.load(folder, data_dir)
        progress("data files")
    migrate(database)
    return manifest


def _dump_database(database: Database, folder: Path, progress: Progress) -> dict[str, list[str]]:
    path = _file_of(database)
    if path is not None:
        sqlite_files.dump(path, folder)
        progress("database")
        return {}
    tables = [table.name for table in Base.metadata.sorted_tables]
    return postgres_tables.dump(_dsn(database), tables, folder, progress)


def _load_database(manifest: Manifest, database: Database, folder: Path, progress: Progress) -> None:
    path = _file_of(database)
    if path is not None:
        database.close()
        sqlite_files.load(folder, path)
        progress("database")
        return
    if find_revision(database) is None:
        migrate(database, manifest.revision)
    if find_revision(database) != manifest.revision:
        raise CommandError("the archive is older than the tables: restore into a database without any")
    postgres_tables.load(_dsn(database), manifest.columns, folder, progress)


def _check_fits(manifest: Manifest, database: Database, source: Path) -> None:
    if manifest.database != _kind(database):
        raise CommandError(
            f"{source} holds a {manifest.database} database, and DATABASE_URL names a {_kind(database)} one"
        )
    if not is_known(manifest.revision):
        raise CommandError(f"{source} was made by a later version of Frontdesk: update first")


def _check_empty(database: Database, data_dir: Path) -> None:
    if data_files.has_link(data_dir) or _has_tenants(database):
        raise CommandError("there is an installation already: --replace gives it up for the archive's")


def _has_tenants(database: Database) -> bool:
    with database.read() as session:
        if not inspect(session.connection()).has_table("tenants"):
            return False
        return session.execute(text("SELECT 1 FROM tenants LIMIT 1")).first() is not None


def _check_stopped(data_dir: Path) -> None:
    """On SQLite every process that takes turns holds a lock on a file of its own."""
    owners = data_dir / "owners"
    for path in owners.iterdir() if owners.is_dir() else ():
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError("Frontdesk is running here: stop it first") from None


def _kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


def _file_of(database: Database) -> Path | None:
    """SQLite's file; None on PostgreSQL."""
    return Path(database.url.database or "") if database.is_sqlite else None


def _dsn(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)

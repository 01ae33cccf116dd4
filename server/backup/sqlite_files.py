"""A SQLite database into one file and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# In steps, so that writers get their turn in between.
_PAGES = 2_000
_FILE = "database.sqlite"


def dump(database: Path, folder: Path) -> None:
    """Copy *database*, which may be in use, as it is at one moment."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / _FILE)) as copy:
        source.backup(copy, pages=_PAGES)
        # The copy stands alone: no second file beside it.
        copy.execute("PRAGMA journal_mode=DELETE")


def load(folder: Path, database: Path) -> None:
    """Put the dumped database in the place of *database*, which nobody may have open."""
    database.parent.mkdir(parents=True, exist_ok=True)
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    (folder / _FILE).replace(database)

"""The state that every lab begins with: the tables, and the demo business in them.

To embed its documents takes a processor ten seconds. Where ``LAB_ARCHIVES`` names a folder, as it does for
the test suite, that is done once for each kind of database and kept there as a backup, which all other labs
restore, whatever process they are of.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from server.adapters.system_clock import SystemClock
from server.backup import installation
from server.demo.seed import is_seeded
from server.store.migrate import find_revision
from server.store.session import Database
from server.store.tenants import Tenants

FOLDER = "LAB_ARCHIVES"


def bring_about(settings: Mapping[str, str], frontdesk: Callable[..., str]) -> None:
    """Fill the database of an installation with *settings*, whose command line is *frontdesk*.

    A database with a business in it is only brought up to date.
    """
    folder = os.environ.get(FOLDER)
    data_dir = Path(settings["DATA_DIR"])
    url = settings.get("DATABASE_URL", f"sqlite:///{data_dir / 'frontdesk.db'}")
    with closing(Database(url)) as database:
        if folder is None or _has_business(database):
            _seed(frontdesk)
            return
        archive = Path(folder) / f"{'sqlite' if database.is_sqlite else 'postgresql'}.tar.gz"
        with _locked(archive.with_suffix(".lock")):
            if not archive.exists():
                _seed(frontdesk)
                installation.back_up(database, data_dir, archive, _silent)
                return
        installation.restore(database, data_dir, archive, replace=False, progress=_silent)


def _has_business(database: Database) -> bool:
    return find_revision(database) is not None and is_seeded(Tenants(database, SystemClock()))


def _seed(frontdesk: Callable[..., str]) -> None:
    frontdesk("migrate")
    frontdesk("seed")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Against other processes too."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _silent(_what: str) -> None:
    """Nobody looks on."""

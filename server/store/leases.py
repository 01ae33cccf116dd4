"""Leases: one owner at a time works on a key, and a fencing token tells an owner that has lost it.

PostgreSQL compares times of its own clock. SQLite is on one machine, where a file lock tells for certain
whether an owner is alive, so that a jump of the clock neither frees nor freezes anything.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import bindparam, func, null, select, update
from sqlalchemy.orm import Session

from server.domain.conversations import Lease
from server.errors import LeaseLost
from server.store.models import LeaseRow, table_of
from server.store.session import Database

LEASE_S = 8.0
# Three misses fit into a lease.
_RENEWALS = 4


class Ownership(Protocol):
    """Who this process is, and which other owners are gone."""

    @property
    def name(self) -> str:
        """This process's name as an owner."""
        ...

    def is_gone(self, session: Session, row: LeaseRow) -> bool:
        """Whether the row's owner cannot come back to its work."""
        ...

    def held_among(self, session: Session, rows: Sequence[LeaseRow]) -> set[str]:
        """The keys of those of *rows* whose owner may come back to its work."""
        ...

    def close(self) -> None:
        """This process will not come back to its work."""
        ...


class FileOwnership:
    """An owner lives as long as its process holds a lock on a file of its name.

    Args:
        folder: shared by all processes that use the same SQLite file.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._remove_gone()
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        # Kept open: the lock goes with the process, however it ends.
        self._file = os.open(folder / self.name, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def close(self) -> None:
        """Be gone: what this owner still holds is free."""
        (self._folder / self.name).unlink(missing_ok=True)
        os.close(self._file)

    def is_gone(self, session: Session, row: LeaseRow) -> bool:  # noqa: ARG002
        """Whether nobody holds the lock of the row's owner."""
        return row.owner is None or not self._is_alive(row.owner)

    def held_among(self, session: Session, rows: Sequence[LeaseRow]) -> set[str]:  # noqa: ARG002
        """The keys of those of *rows* whose owner holds the lock of its file."""
        alive = {owner for owner in {row.owner for row in rows} if owner and self._is_alive(owner)}
        return {row.key for row in rows if row.owner in alive}

    def _is_alive(self, owner: str) -> bool:
        return owner == self.name or _is_locked(self._folder / owner)

    def _remove_gone(self) -> None:
        for path in self._folder.iterdir():
            if not _is_locked(path):
                path.unlink(missing_ok=True)


class TimedOwnership:
    """An owner is gone when it has not renewed its lease in time, by the database's clock."""

    def __init__(self) -> None:
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"

    def close(self) -> None:
        """Leases that are still held run out by themselves."""

    def is_gone(self, session: Session, row: LeaseRow) -> bool:
        """Whether the lease has run out."""
        return row.key not in self.held_among(session, [row])

    def held_among(self, session: Session, rows: Sequence[LeaseRow]) -> set[str]:
        """The keys of those of *rows* that have not run out."""
        now = session.execute(select(func.clock_timestamp())).scalar_one()
        return {row.key for row in rows if row.owner and row.held_until and row.held_until >= now}


_LEASE = table_of(LeaseRow)
_HELD = (
    _LEASE.c.key == bindparam("lease_key"),
    _LEASE.c.owner == bindparam("lease_owner"),
    _LEASE.c.token == bindparam("lease_token"),
)
_CHECK = select(_LEASE.c.key).where(*_HELD).with_for_update()
_RELEASE = update(_LEASE).where(*_HELD).values(owner=None, held_until=None)


class Leases:
    """The ``LeaseStore`` port, and the fence that guarded writes stand behind.

    Args:
        lease_s: how long a lease is held without being renewed, where time decides.
    """

    def __init__(self, database: Database, ownership: Ownership, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._ownership = ownership
        self._lease_s = lease_s
        until = null() if database.is_sqlite else func.clock_timestamp() + timedelta(seconds=lease_s)
        taken = {"owner": ownership.name, "token": _LEASE.c.token + 1, "held_until": until}
        # Every turn claims two leases: these statements are compiled once.
        this_one = _LEASE.c.key == bindparam("lease_key")
        self._take = update(_LEASE).where(this_one).values(taken).returning(_LEASE.c.token)
        self._take_free = (
            database.insert(_LEASE)
            .values(key=bindparam("lease_key"), owner=ownership.name, token=1, held_until=until)
            .on_conflict_do_update(index_elements=[_LEASE.c.key], set_=taken, where=_LEASE.c.owner.is_(None))
            .returning(_LEASE.c.token)
        )
        self._renew = update(_LEASE).where(*_HELD).values(held_until=until).returning(_LEASE.c.key)

    @property
    def renew_every_s(self) -> float:
        """How often a lease must be renewed to be kept safely."""
        return self._lease_s / _RENEWALS

    def claim(self, key: str) -> Lease | None:
        """Take *key* if it is free or its owner is gone."""
        names = {"lease_key": key}
        with self._database.write() as session:
            connection = session.connection()
            token = connection.execute(self._take_free, names).scalar_one_or_none()
            if token is None and self._is_orphan(session, key):
                token = connection.execute(self._take, names).scalar_one()
            return None if token is None else Lease(key, self._ownership.name, token)

    def renew(self, lease: Lease) -> None:
        """Hold on to *lease* for as long again."""
        with self._database.write_urgently() as session:
            if session.connection().execute(self._renew, _names(lease)).first() is None:
                raise _lost(lease)

    def release(self, lease: Lease) -> None:
        """Give *lease* back; its token stays, so that the next one is greater."""
        with self._database.write() as session:
            session.connection().execute(_RELEASE, _names(lease))

    def held_among(self, keys: Collection[str]) -> set[str]:
        """Of *keys*, those that somebody is at work on."""
        if not keys:
            return set()
        with self._database.read() as session:
            owned = select(LeaseRow).where(LeaseRow.key.in_(keys), LeaseRow.owner.is_not(None))
            return self._ownership.held_among(session, session.scalars(owned).all())

    def close(self) -> None:
        """This process takes no more leases."""
        self._ownership.close()

    def _is_orphan(self, session: Session, key: str) -> bool:
        # Locked: of two who find the owner gone, the second waits and finds a new owner.
        row = session.get(LeaseRow, key, with_for_update=True)
        return row is not None and self._ownership.is_gone(session, row)


def check_lease(session: Session, lease: Lease) -> None:
    """Let the transaction go on only while *lease* holds; nobody can take it before the commit.

    Raises:
        LeaseLost: another owner has claimed the key since.
    """
    if session.connection().execute(_CHECK, _names(lease)).first() is None:
        raise _lost(lease)


def _names(lease: Lease) -> dict[str, object]:
    return {"lease_key": lease.key, "lease_owner": lease.owner, "lease_token": lease.token}


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"the lease of {lease.key} has gone to somebody else")


def make_ownership(database: Database, data_dir: Path) -> Ownership:
    """The way this database tells the living from the dead."""
    return FileOwnership(data_dir / "owners") if database.is_sqlite else TimedOwnership()


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False

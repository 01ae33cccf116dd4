"""Rate limits in the database: one row a provider key, locked for as long as a taking is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Float, bindparam, cast, extract, func, select, update

from server.domain.pacing import Buckets, Seconds, Want
from server.ports.clock import Clock
from server.store.models import RateBucketRow, table_of
from server.store.session import Database

_ROW = table_of(RateBucketRow)
_THIS = _ROW.c.key == bindparam("bucket_key")
_SAVE = (
    update(_ROW)
    .where(_THIS)
    .values(requests_at=bindparam("requests_full"), tokens_at=bindparam("tokens_full"))
)


class RateBucketRows:
    """The ``RateBuckets`` port.

    Time is the database's on PostgreSQL; on SQLite, whose processes share a machine, it is the machine's
    stopwatch, so that a clock that is set back keeps nobody waiting. It begins anew with the machine: what
    stood in a row then counts as `LONGEST_S` at most.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # SQLite locks the whole file when a transaction that writes begins, and knows no FOR UPDATE.
        now = bindparam("machine_now") if database.is_sqlite else _database_now()
        self._find = select(_ROW.c.requests_at, _ROW.c.tokens_at, now).where(_THIS).with_for_update()
        self._add = (
            database.insert(_ROW)
            .values(key=bindparam("bucket_key"), requests_at=0.0, tokens_at=0.0)
            .on_conflict_do_nothing()
        )

    def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        """Make each taking that can be made."""
        with self._locked(key) as row:
            row.buckets, waits = row.buckets.take_all(wants, used, row.now)
        return waits

    def hold(self, key: str, until: Seconds) -> None:
        """Keep the buckets so far from full at least."""
        with self._locked(key) as row:
            row.buckets = row.buckets.hold(until, row.now)

    @contextmanager
    def _locked(self, key: str) -> Iterator[_Locked]:
        """The row, for nobody else until the block ends; then what has become of it is saved."""
        names = {"bucket_key": key, "machine_now": self._clock.monotonic()}
        # A model is about to be asked, and a guest waits for it: this goes before turns' other work.
        with self._database.write_urgently() as session:
            connection = session.connection()
            found = connection.execute(self._find, names).first()
            if found is None:
                connection.execute(self._add, names)
                found = connection.execute(self._find, names).one()
            row = _Locked(Buckets(found[0], found[1]), found[2])
            yield row
            full = {"requests_full": row.buckets.requests_at, "tokens_full": row.buckets.tokens_at}
            connection.execute(_SAVE, names | full)


@dataclass(slots=True)
class _Locked:
    """What stood in the row, to be changed; ``now`` is the time by which it counts."""

    buckets: Buckets
    now: float


def _database_now() -> ColumnElement[float]:
    return cast(extract("epoch", func.clock_timestamp()), Float(53))

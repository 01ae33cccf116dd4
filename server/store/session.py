"""The database engine and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import StoreUnavailable
from server.observability.metrics import DATABASE_ERRORS
from server.store.precedence import Places

SQLITE_BUSY_TIMEOUT_S = 10
POSTGRES_CONNECT_TIMEOUT_S = 5
POSTGRES_STATEMENT_TIMEOUT_MS = 10_000
# A server that has vanished without a word is noticed after so long; libpq's names.
POSTGRES_LIVENESS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
POOL_TIMEOUT_S = 10
# More would only wait for the interpreter, and keep the webhook waiting for it too.
BACKGROUND_TRANSACTIONS = 2

# A write transaction takes SQLite's lock at once: one taken half-way could fail half-way.
_BEGIN = "frontdesk_begin"
_SYNCHRONOUS = "frontdesk_synchronous"


class Database:
    """One database, SQLite or PostgreSQL, and the only way to open a transaction on it.

    Few of a process's transactions run at a time, but for the urgent ones (`write_urgently`,
    `write_durably`). On SQLite the writers queue at a place of our own: SQLite's lock would make them poll.
    """

    def __init__(self, url: str, pool_size: int = 20) -> None:
        self.url = normalise_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite(self.url, pool_size) if self.is_sqlite else _postgres(self.url, pool_size)
        self._background = Places(BACKGROUND_TRANSACTIONS)
        self._writer = Places(1)
        self._joined = threading.local()

    @property
    def engine(self) -> Engine:
        """For migrations and for statements that differ by dialect."""
        return self._engine

    def insert(self, table: type[DeclarativeBase] | Table) -> PostgresInsert | SqliteInsert:
        """An INSERT that knows ON CONFLICT, in this database's dialect."""
        return sqlite_insert(table) if self.is_sqlite else postgres_insert(table)

    def read(self) -> AbstractContextManager[Session]:
        """A transaction that changes nothing.

        Raises:
            StoreUnavailable: the database cannot be reached or did not answer in time.
        """
        return self._joined_transaction() or self._reading()

    def write(self) -> AbstractContextManager[Session]:
        """A transaction, committed when the block ends and rolled back when it raises.

        On SQLite a commit survives the death of the process, and may be lost with the power.

        Raises:
            StoreUnavailable: the database cannot be reached or did not answer in time; nothing is kept.
        """
        return self._joined_transaction() or self._writing_in_background()

    def write_urgently(self) -> AbstractContextManager[Session]:
        """As `write`, before all other transactions of this process."""
        return self._joined_transaction() or self._writing("NORMAL", urgent=True)

    def write_durably(self) -> AbstractContextManager[Session]:
        """As `write_urgently`, and on the disk itself when the block ends."""
        return self._joined_transaction() or self._writing("FULL", urgent=True)

    @contextmanager
    def joining(self, session: Session) -> Iterator[None]:
        """For the block this thread's transactions are part of *session*'s: saved with it, or not at all."""
        self._joined.session = session
        try:
            yield
        finally:
            self._joined.session = None

    @contextmanager
    def pressing(self) -> Iterator[None]:
        """While the block runs somebody waits for this process: background transactions are put off."""
        with self._background.pressed():
            yield

    def close(self) -> None:
        """Close all pooled connections."""
        self._engine.dispose()

    def _joined_transaction(self) -> AbstractContextManager[Session] | None:
        # Whoever holds the writer's place must not wait for another one: so it is asked before any.
        session: Session | None = getattr(self._joined, "session", None)
        return None if session is None else nullcontext(session)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with (
            _store_errors(),
            self._background.taken(),
            Session(self._engine, expire_on_commit=False) as session,
        ):
            yield session

    @contextmanager
    def _writing_in_background(self) -> Iterator[Session]:
        with self._background.taken(), self._writing("NORMAL") as session:
            yield session

    @contextmanager
    def _writing(self, synchronous: str, *, urgent: bool = False) -> Iterator[Session]:
        if not self.is_sqlite:
            with _store_errors(), Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
            return
        with _store_errors(), self._writer.taken(urgent=urgent), self._engine.connect() as connection:
            if connection.info.get(_SYNCHRONOUS) != synchronous:
                # Set outside any transaction, where SQLite heeds it, and on the driver's own connection, so
                # that SQLAlchemy does not begin one for it.
                connection.connection.cursor().execute(f"PRAGMA synchronous={synchronous}")
                connection.info[_SYNCHRONOUS] = synchronous
            connection.info[_BEGIN] = "BEGIN IMMEDIATE"
            try:
                with Session(connection, expire_on_commit=False) as session, session.begin():
                    yield session
            finally:
                connection.info[_BEGIN] = "BEGIN"


def normalise_url(url: str) -> URL:
    """Read a database URL; plain ``postgres://`` and ``postgresql://`` mean psycopg2.

    SQLAlchemy 2.1 would read a bare ``postgresql://`` as psycopg 3.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg2")
    return parsed


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, TimeoutError) as error:
        DATABASE_ERRORS.inc()
        raise StoreUnavailable("the database does not answer; nothing was saved, send again") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            DATABASE_ERRORS.inc()
            raise StoreUnavailable("the database connection was lost; send again") from error
        raise


def _sqlite(url: URL, pool_size: int) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # Parameters are guests' words; they must not get into a log by way of an error.
        hide_parameters=True,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: ours begin with BEGIN or BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: object) -> None:
        connection.exec_driver_sql(connection.info.get(_BEGIN, "BEGIN"))  # type: ignore[attr-defined]

    return engine


def _postgres(url: URL, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # Parameters are guests' words; they must not get into a log by way of an error.
        hide_parameters=True,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={
            **POSTGRES_LIVENESS,
            "connect_timeout": POSTGRES_CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={POSTGRES_STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        },
    )

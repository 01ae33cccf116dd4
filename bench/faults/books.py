"""What the installation's database says, read past all wires and without a lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

_CONNECT_TIMEOUT_S = 3
_QUERY_TIMEOUT_MS = 5000


class InboundEntry(NamedTuple):
    """A guest's message in the inbox. ``id`` grows with the order of arrival."""

    id: int
    conversation: int
    message_id: str
    text: str
    is_handled: bool
    covered_by: int | None
    unanswered_because: str


class OutboundEntry(NamedTuple):
    """A message to a guest. Times are seconds since 1970, None for what has not happened."""

    id: int
    conversation: int
    message_id: str
    text: str
    kind: str
    state: str
    committed_at: float | None
    sent_at: float | None
    delivered_at: float | None


class BooksClosed(Exception):
    """The database does not answer at the moment."""


class Books:
    """The inbox and the outbox.

    Args:
        database: a URL of PostgreSQL, or the path of a SQLite file.
    """

    def __init__(self, database: str | Path) -> None:
        self._engine = _engine(database)
        epoch = (
            "(julianday({0}) - 2440587.5) * 86400"
            if isinstance(database, Path)
            else "extract(epoch from {0})"
        )
        self._times = ", ".join(epoch.format(name) for name in ("committed_at", "sent_at", "delivered_at"))

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def outbox(self, states: Sequence[str] = ()) -> list[OutboundEntry]:
        """What goes or went to guests, in order; with *states* only what is in one of them.

        Raises:
            BooksClosed: the database does not answer.
        """
        names = ", ".join(f"'{state}'" for state in states)
        rows = self._all(
            "SELECT id, conversation_id, message_id, text, kind, state, "  # noqa: S608 - words of our own
            f"{self._times} FROM outbox_messages WHERE channel = 'whatsapp' AND conversation_id IS NOT NULL "
            f"{f'AND state IN ({names})' if states else ''} ORDER BY id"
        )
        return [OutboundEntry._make([*row[:6], *map(_seconds, row[6:])]) for row in rows]

    def inbox(self) -> list[InboundEntry]:
        """What came in from guests, in order.

        Raises:
            BooksClosed: the database does not answer.
        """
        rows = self._all(
            "SELECT id, conversation_id, provider_id, text, handled_at IS NOT NULL, covered_by, "
            "unanswered_because FROM inbound_messages WHERE channel = 'whatsapp' AND NOT from_me ORDER BY id"
        )
        values = map(list, rows)
        return [InboundEntry._make([*one[:4], bool(one[4]), *one[5:]]) for one in values]

    def waiting(self) -> int:
        """How many messages of the inbox and the outbox still wait.

        Raises:
            BooksClosed: the database does not answer.
        """
        [row] = self._all(
            "SELECT (SELECT count(*) FROM inbound_messages WHERE handled_at IS NULL) + "
            "(SELECT count(*) FROM outbox_messages WHERE state IN ('committed', 'sending') "
            "AND conversation_id IS NOT NULL)"
        )
        return int(row[0])

    def _all(self, sql: str) -> Sequence[Row[Any]]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(text(sql)).all()
        except DBAPIError as error:
            self._engine.dispose()
            raise BooksClosed(str(error.orig)) from error


def _seconds(at: Any) -> float | None:
    return None if at is None else float(at)


def _engine(database: str | Path) -> Engine:
    if isinstance(database, Path):
        url = f"sqlite:///file:{database}?mode=ro&uri=true"
        return create_engine(url, poolclass=NullPool, connect_args={"timeout": _QUERY_TIMEOUT_MS / 1000})
    return create_engine(
        database.replace("postgresql://", "postgresql+psycopg2://", 1),
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={_QUERY_TIMEOUT_MS}",
        },
    )

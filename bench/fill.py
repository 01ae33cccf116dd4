"""Makes a database big: conversations and history, written by SQL as the desk would have left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    String,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)

from bench.messages import TENANT
from bench.scratch import open_engine
from server.store.models import Base, ConversationRow, GuestRow, InboundRow, OutboxRow

# Old enough for nobody to wait for an answer.
_AGE = timedelta(days=30)
_QUESTION = "Is there parking near the house, and what does it cost for two nights?"
_ANSWER = "Yes. Parking behind the house is free for guests, one car for each room."

# A column's value in the row of that number: the same in all rows, or made from the number.
Value = object | Callable[[ColumnElement[int]], ColumnElement[Any]]


def fill_conversations(url: str, count: int) -> None:
    """Add conversations of one answered message each until there are *count*."""
    with _filling(url) as connection:
        missing = count - _count(connection, ConversationRow)
        if missing > 0:
            guests = _Rows(connection, GuestRow, missing)
            guests.add(
                {
                    "tenant_id": TENANT,
                    "lid": _name_above(guests.before, "7000000", "@lid"),
                    "phone": _name_above(guests.before, "44790", "@s.whatsapp.net"),
                    "name": "Guest",
                    "created_at": _then(),
                }
            )
            conversations = _Rows(connection, ConversationRow, missing)
            conversations.add(
                {
                    "tenant_id": TENANT,
                    "guest_id": lambda n: n + guests.before,
                    "mode": "ai",
                    "mode_by": "",
                    "offered": [],
                    "last_message_at": _then(),
                    "created_at": _then(),
                }
            )
            _exchanges(
                connection,
                missing,
                guest=lambda n: n + guests.before,
                conversation=lambda n: n + conversations.before,
            )


def fill_history(url: str, messages: int) -> None:
    """Bring each conversation that a guest has written in up to *messages* messages, half of them replies."""
    written = select(InboundRow.conversation_id).where(InboundRow.provider_id.not_like("filled-%"))
    with _filling(url) as connection:
        pairs = connection.execute(
            select(ConversationRow.id, ConversationRow.guest_id).where(ConversationRow.id.in_(written))
        ).all()
        for conversation_id, guest_id in pairs:
            known = connection.execute(
                select(func.count())
                .select_from(InboundRow)
                .where(InboundRow.conversation_id == conversation_id)
            ).scalar_one()
            missing = messages // 2 - known
            if missing > 0:
                _exchanges(connection, missing, guest=guest_id, conversation=conversation_id)


@contextmanager
def _filling(url: str) -> Iterator[Connection]:
    """A transaction, and then statistics of what it has added, as autovacuum would make them by and by."""
    with open_engine(url) as engine:
        with engine.begin() as connection:
            yield connection
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))


def _exchanges(connection: Connection, count: int, *, guest: Value, conversation: Value) -> None:
    """*count* answered messages, each with its reply."""
    replies = _Rows(connection, OutboxRow, count)
    replies.add(
        {
            "tenant_id": TENANT,
            "conversation_id": conversation,
            "lane": lambda n: literal("filled:") + cast(n, String),
            "channel": "whatsapp",
            "kind": "reply",
            "to_address": "7000000@lid",
            "text": _ANSWER,
            "message_id": lambda n: literal("filled-") + cast(n + replies.before, String),
            "state": "read",
            "reason": "",
            "attempts": 1,
            "due_at": _then(),
            "committed_at": _then(),
            "sent_at": _then(),
        }
    )
    _Rows(connection, InboundRow, count).add(
        {
            "tenant_id": TENANT,
            "conversation_id": conversation,
            "guest_id": guest,
            "channel": "whatsapp",
            "from_me": False,
            "provider_id": lambda n: literal("filled-") + cast(n + replies.before, String),
            "sequence": 0,
            "reply_to": "7000000@lid",
            "kind": "text",
            "text": _QUESTION,
            "details": {},
            "sent_at": _then(),
            "received_at": _then(),
            "attempts": 0,
            "due_at": _then(),
            "handled_at": _then(),
            "covered_by": lambda n: n + replies.before,
            "unanswered_because": "",
        }
    )


class _Rows:
    """New rows of a table, numbered from 1 on top of the ids that it has."""

    def __init__(self, connection: Connection, table: type[Base], count: int) -> None:
        self._connection = connection
        self._table = Base.metadata.tables[table.__tablename__]
        self._count = count
        self.before = connection.execute(select(func.coalesce(func.max(self._table.c.id), 0))).scalar_one()

    def add(self, values: Mapping[str, Value]) -> None:
        numbers = _numbers(self._count)
        row = {"id": lambda n: n + self.before, **values}
        cells = [self._cell(self._table.c[name], value, numbers) for name, value in row.items()]
        self._connection.execute(insert(self._table).from_select(list(row), select(*cells)))
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{self._table.name}', 'id'), :last)"),
                {"last": self.before + self._count},
            )

    def _cell(self, column: Column[Any], value: Value, numbers: CTE) -> ColumnElement[Any]:
        if callable(value):
            made: ColumnElement[Any] = value(numbers.c.n)
            return made
        bound = literal(value, column.type)
        # PostgreSQL takes a bare literal of a SELECT for text; on SQLite the cast would make it a number.
        return cast(bound, column.type) if self._connection.dialect.name == "postgresql" else bound


def _numbers(count: int) -> CTE:
    """1 to *count*, as column ``n``."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < count))


def _count(connection: Connection, table: type[Base]) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _name_above(before: int, prefix: str, suffix: str) -> Callable[[ColumnElement[int]], ColumnElement[str]]:
    """WhatsApp's names that no guest has whose row's id is at most *before*."""
    return lambda number: literal(prefix) + cast(number + before, String) + literal(suffix)


def _then() -> datetime:
    return datetime.now(UTC) - _AGE

"""SQLite gives the number of a row once, as PostgreSQL does

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Each after those that it refers to.
_TABLES = (
    "api_keys",
    "users",
    "audit_events",
    "canned_replies",
    "model_calls",
    "guests",
    "conversations",
    "turns",
    "outbox_messages",
    "inbound_messages",
    "conversation_events",
    "calls",
    "recordings",
    "conversation_notes",
    "conversation_labels",
    "drafts",
    "questions",
)
# They have names for keys, and are made anew only because they refer to tables that are.
_WITHOUT_NUMBERS = frozenset({"turns", "calls", "recordings", "conversation_labels"})

_PLAIN = "id INTEGER NOT NULL"
_COUNTED = "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT"


def upgrade() -> None:
    """New numbers are above all that were given, as far as rows tell."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    _make_anew(connection, _with_counter)
    for table in _TABLES:
        if table not in _WITHOUT_NUMBERS:
            _count_on(connection, table)


def downgrade() -> None:
    """The highest numbers are given again once their rows are gone."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _make_anew(connection, _without_counter)


def _make_anew(connection: sa.Connection, rewritten: Callable[[str, str], str]) -> None:
    """Put a table with another definition in the place of each, with its rows and indices.

    Foreign keys hold all the while: those of a table follow the one it refers to when that is renamed, and
    what refers to others is copied after them and dropped before them.
    """
    definitions = {table: rewritten(table, _definition(connection, table)) for table in _TABLES}
    indices = [index for table in _TABLES for index in _indices(connection, table)]
    for table in _TABLES:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO former_{table}")
    for table in _TABLES:
        connection.exec_driver_sql(definitions[table])
        connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM former_{table}")  # noqa: S608 - our own names
    for table in reversed(_TABLES):
        connection.exec_driver_sql(f"DROP TABLE former_{table}")
    for index in indices:
        connection.exec_driver_sql(index)


def _definition(connection: sa.Connection, table: str) -> str:
    found = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    )
    return str(found.scalar_one())


def _indices(connection: sa.Connection, table: str) -> list[str]:
    """Those that are no part of the table's definition."""
    found = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master"
        " WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
        (table,),
    )
    return [str(definition) for definition in found.scalars()]


def _with_counter(table: str, definition: str) -> str:
    if table in _WITHOUT_NUMBERS:
        return definition
    without_key = _replace(rf"CONSTRAINT pk_{table} PRIMARY KEY \(id\),\s*", "", definition)
    return _replace(rf"\b{_PLAIN}", _COUNTED, without_key)


def _without_counter(table: str, definition: str) -> str:
    if table in _WITHOUT_NUMBERS:
        return definition
    plain = _replace(rf"\b{_COUNTED}", _PLAIN, definition)
    return _replace("CONSTRAINT ", f"CONSTRAINT pk_{table} PRIMARY KEY (id), \n\tCONSTRAINT ", plain)


def _replace(pattern: str, replacement: str, definition: str) -> str:
    """Once, at the first place.

    Raises:
        RuntimeError: there is none.
    """
    replaced, times = re.subn(pattern, replacement, definition, count=1)
    if times == 0:
        raise RuntimeError(f"this table is not as Frontdesk makes it: {definition}")
    return replaced


def _count_on(connection: sa.Connection, table: str) -> None:
    numbers = " UNION ALL ".join((f"SELECT id AS number FROM {table}", *_named(table)))  # noqa: S608 - our own names
    highest = connection.exec_driver_sql(f"SELECT COALESCE(MAX(number), 0) FROM ({numbers})").scalar_one()  # noqa: S608
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, highest))


def _named(table: str) -> tuple[str, ...]:
    """Where else numbers of *table* stand, those of rows that are gone among them."""
    return {
        "api_keys": (_follows("key ", "audit_events", "subject"),),
        "users": (
            "SELECT assigned_to FROM conversations",
            "SELECT json_extract(details, '$.user') FROM audit_events WHERE action = 'conversation.assigned'",
        ),
        "canned_replies": (_follows("reply ", "audit_events", "subject"),),
        "guests": (
            "SELECT merge_into FROM guests",
            _follows("guest ", "audit_events", "subject"),
        ),
        "conversations": (
            "SELECT conversation_id FROM spend",
            "SELECT json_extract(details, '$.conversation') FROM conversation_events WHERE kind = 'merge'",
            _follows("conversation ", "audit_events", "subject"),
            # Who has held a conversation is kept for good.
            _follows("conversation:", "leases", '"key"'),
            _follows("outbox:conversation:", "leases", '"key"'),
        ),
        "inbound_messages": (
            "SELECT seen_inbound_id FROM conversations",
            "SELECT inbound_id FROM drafts",
        ),
        "drafts": ("SELECT json_extract(details, '$.draft') FROM audit_events WHERE action LIKE 'draft.%'",),
        "questions": (_follows("question ", "audit_events", "subject"),),
    }.get(table, ())


def _follows(words: str, table: str, column: str) -> str:
    """The numbers that stand after *words* at the beginning of *column*."""
    number = f"CAST(substr({column}, {len(words) + 1}) AS INTEGER)"
    return f"SELECT {number} FROM {table} WHERE {column} GLOB '{words}[0-9]*'"  # noqa: S608 - our own names

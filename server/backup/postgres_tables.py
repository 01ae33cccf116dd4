"""A PostgreSQL database into a file a table and back, without any tool of PostgreSQL's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from server.backup.archive import Progress

CONNECT_TIMEOUT_S = 5
_FOLDER = "tables"
# The highest number that was given, by table and column. Archives of earlier versions have none.
_GIVEN = "given.json"


def dump(dsn: str, tables: Sequence[str], folder: Path, progress: Progress) -> dict[str, list[str]]:
    """Copy *tables*, which may be in use, as they are at one moment; returns their columns."""
    (folder / _FOLDER).mkdir()
    columns: dict[str, list[str]] = {}
    given: dict[str, int] = {}
    with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in tables:
            columns[table] = _columns(connection, table)
            statement = sql.SQL("COPY {} ({}) TO STDOUT").format(*_names(table, columns[table]))
            with (folder / _FOLDER / table).open("wb") as file, connection.cursor().copy(statement) as copy:
                for block in copy:
                    file.write(block)
            for column, sequence in _sequences(connection, table, columns[table]):
                given[f"{table}.{column}"] = _last_given(connection, sequence)
            progress(table)
    (folder / _GIVEN).write_text(json.dumps(given), encoding="ascii")
    return columns


def load(dsn: str, columns: Mapping[str, Sequence[str]], folder: Path, progress: Progress) -> None:
    """Fill the dumped tables, emptied first, in one transaction."""
    path = folder / _GIVEN
    given = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        tables = sql.SQL(", ").join(sql.Identifier(table) for table in columns)
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
        for table, names in columns.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(*_names(table, names))
            with (folder / _FOLDER / table).open("rb") as file, connection.cursor().copy(statement) as copy:
                while block := file.read(1 << 16):
                    copy.write(block)
            _go_on_counting(connection, table, names, given)
            progress(table)


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [table],
    )
    return [row[0] for row in rows]


def _sequences(
    connection: psycopg.Connection, table: str, columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The columns that are numbered, and what numbers them."""
    for column in columns:
        row = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column]).fetchone()
        if row is not None and row[0] is not None:
            yield column, row[0]


def _last_given(connection: psycopg.Connection, sequence: str) -> int:
    row = connection.execute("SELECT pg_sequence_last_value(%s::regclass)", [sequence]).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _go_on_counting(
    connection: psycopg.Connection, table: str, columns: Sequence[str], given: Mapping[str, int]
) -> None:
    """New rows must not get the numbers of those that were loaded, nor of those that were gone by then."""
    for column, sequence in _sequences(connection, table, columns):
        connection.execute(
            sql.SQL("SELECT setval(%s, greatest(max({0}), %s) + 1, false) FROM {1}").format(
                sql.Identifier(column), sql.Identifier(table)
            ),
            [sequence, given.get(f"{table}.{column}", 0)],
        )


def _names(table: str, columns: Sequence[str]) -> tuple[sql.Composable, sql.Composable]:
    return sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(column) for column in columns)

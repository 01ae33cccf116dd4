"""The floor of an ACK: a bare Flask route that saves the same message with the same durability.

Nothing but what cannot be left out: parse JSON, one INSERT with the driver itself on a kept connection,
commit. The table has the columns, the key and the indexes of the product's own. It is served in two places,
under the same gunicorn settings:

* ``bench.floor:beside_product()``: in the product's own process, so that it shares its threads, its
  interpreter lock and whatever turns run there;
* ``bench.floor:alone()``: in a process of its own, which shares the machine only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg2
from flask import Flask, request
from sqlalchemy import (
    Column,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    create_engine,
    make_url,
)

from server.store.models import InboundRow
from server.store.session import normalise_url

PATH = "/bench/floor"
DATABASE = "BENCH_FLOOR_DATABASE"
_TABLE = "bench_floor_messages"
_SQLITE_TIMEOUT_S = 10
_CONNECT_TIMEOUT_S = 5

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
Values = tuple[object, ...]


class Insert(Protocol):
    """Saves one row, on the disk itself when it returns."""

    def __call__(self, values: Values) -> None: ...


def beside_product() -> Flask:
    """The product's application; one more path of its server goes to the floor."""
    from server.wsgi import make_app

    product = make_app()
    floor = alone()
    served: Wsgi = product.wsgi_app

    def either(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        app = floor if environ["PATH_INFO"] == PATH else served
        return app(environ, start_response)

    product.wsgi_app = either  # type: ignore[method-assign]
    return product


def alone() -> Flask:
    """The floor by itself."""
    app = Flask(__name__, static_folder=None)
    insert = make_insert(os.environ[DATABASE])

    @app.post(PATH)
    def incoming() -> dict[str, int]:
        body = request.get_json()
        insert(_values(body["tenantId"], body["payload"]["messages"][0]))
        return {"accepted": 1}

    return app


def make_table(url: str) -> None:
    """Make the floor's table in the database at *url*."""
    columns = [Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in _columns()]
    table = Table(_TABLE, MetaData(), *columns)
    table.append_constraint(
        UniqueConstraint("tenant_id", "channel", "guest_id", "from_me", "provider_id", name="uq_bench_floor")
    )
    Index("ix_bench_floor_conversation", table.c.conversation_id, table.c.id)
    waiting = table.c.handled_at.is_(None)
    Index("ix_bench_floor_waiting", table.c.due_at, sqlite_where=waiting, postgresql_where=waiting)
    engine = create_engine(normalise_url(url))
    table.create(engine)
    engine.dispose()


def make_insert(url: str) -> Insert:
    """An INSERT with the database's own driver; each thread keeps a connection."""
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    return _sqlite_insert(url) if is_sqlite else _postgres_insert(url)


def _sqlite_insert(url: str) -> Insert:
    kept = threading.local()
    statement = _statement("?")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            str(make_url(url).database), timeout=_SQLITE_TIMEOUT_S, isolation_level=None
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def insert(values: Values) -> None:
        if not hasattr(kept, "connection"):
            kept.connection = connect()
        kept.connection.execute("BEGIN IMMEDIATE")
        kept.connection.execute(statement, values)
        kept.connection.execute("COMMIT")

    return insert


def _postgres_insert(url: str) -> Insert:
    kept = threading.local()
    statement = _statement("%s")
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def insert(values: Values) -> None:
        if not hasattr(kept, "connection"):
            kept.connection = psycopg2.connect(address, connect_timeout=_CONNECT_TIMEOUT_S)
        with kept.connection, kept.connection.cursor() as cursor:
            cursor.execute(statement, values)

    return insert


def _statement(mark: str) -> str:
    names = [column.name for column in _columns() if column.name != "id"]
    marks = ", ".join(mark for _ in names)
    return f"INSERT INTO {_TABLE} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608


def _values(tenant_id: str, message: dict[str, Any]) -> Values:
    """The row in the order of the columns, as the product saves it."""
    now = datetime.now(UTC).isoformat(" ")
    key = message["key"]
    guest = int(key["remoteJid"].partition("@")[0])
    row = {
        "tenant_id": tenant_id,
        "conversation_id": guest,
        "guest_id": guest,
        "channel": "whatsapp",
        "from_me": key["fromMe"],
        "provider_id": key["id"],
        "sequence": message["journal"]["sequence"],
        "reply_to": key["remoteJid"],
        "kind": "text",
        "text": message["message"]["conversation"],
        "details": json.dumps({}),
        "sent_at": now,
        "received_at": now,
        "attempts": 0,
        "due_at": now,
        "unanswered_because": "",
    }
    return tuple(row.get(column.name) for column in _columns() if column.name != "id")


def _columns() -> Iterable[Column[Any]]:
    return InboundRow.__table__.columns  # type: ignore[return-value]

"""Scratch databases, and a desk of one web process on them, with nothing behind it but a sink."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests
from sqlalchemy import Engine, create_engine, func, make_url, select, text
from sqlalchemy import table as table_clause

from bench.floor import DATABASE, make_table
from bench.messages import QUESTIONS, TENANT
from server.store.session import normalise_url
from simulators.lab import Lab, Service
from simulators.ports import free_port
from simulators.postgres import postgres_server
from simulators.whatsapp_client import WhatsAppSimulator

DATABASES = ("sqlite", "postgres")
_CONNECT_TIMEOUT_S = 1.0
_WARM_UP_TIMEOUT_S = 30.0
# The gunicorn settings of the product (server/gunicorn_config.py), for the floor by itself.
_GUNICORN = ("--worker-class", "gthread", "--workers", "1", "--threads", "64", "--keep-alive", "75")


@contextmanager
def scratch_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database that keeps what it commits; PostgreSQL's is dropped at the end."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'desk.db'}"
        return
    with postgres_server(fsync="on") as server:
        name = f"frontdesk_bench_{secrets.token_hex(4)}"
        _administer(server, f"CREATE DATABASE {name}")
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def postgres_pid(url: str) -> int:
    """The process id of the PostgreSQL server that serves *url* from this machine."""
    with open_engine(url) as engine, engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        return psutil.Process(backend).ppid()


@contextmanager
def open_engine(url: str) -> Iterator[Engine]:
    """An engine on *url* for what benches themselves read and write, closed at the end of the block."""
    engine = create_engine(normalise_url(url))
    try:
        yield engine
    finally:
        engine.dispose()


def _administer(server: str, statement: str) -> None:
    with open_engine(server) as engine, engine.connect() as connection:
        # Databases are not made and dropped in a transaction.
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))


class ScratchWeb:
    """A web process that answers webhooks and takes turns, a sink in the sidecar's place, and the floors.

    Args:
        database: the URL of an empty database.
        settings: more settings of the web process.
    """

    def __init__(self, folder: Path, database: str, settings: Mapping[str, str]) -> None:
        sink_port = free_port()
        # The floor on SQLite has a file of its own: it must not wait for the locks of turns' transactions.
        self.floor_database = (
            f"sqlite:///{folder / 'floor.db'}" if database.startswith("sqlite") else database
        )
        more = {
            "DATABASE_URL": database,
            "WHATSAPP_URL": f"http://127.0.0.1:{sink_port}",
            DATABASE: self.floor_database,
            **settings,
        }
        self.lab = Lab(folder, WhatsAppSimulator(socket_url="", control_url="", root_key=""), more)
        self.database = database
        self.floor_port = free_port()
        self.web = self._gunicorn(
            "web", self.lab.web_url, "--config", "server/gunicorn_config.py", "bench.floor:beside_product()"
        )
        self.floor = self._gunicorn(
            "floor",
            f"http://127.0.0.1:{self.floor_port}",
            *_GUNICORN,
            "--no-control-socket",
            "--bind",
            f"127.0.0.1:{self.floor_port}",
            "bench.floor:alone()",
        )
        self.sink = Service(
            "sink",
            [sys.executable, "-m", "bench.sink", str(sink_port)],
            self.lab.environment,
            folder / "sink.log",
            lambda: _listens(sink_port),
        )

    @property
    def port(self) -> int:
        """Where the web process listens."""
        return int(self.lab.web_url.rpartition(":")[2])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Migrated, seeded and started; killed at the end, since nothing of it is to be kept."""
        self.lab.prepare()
        make_table(self.floor_database)
        services = (self.sink, self.web, self.floor)
        try:
            for service in services:
                service.start()
            self._warm_up()
            yield
        finally:
            for service in reversed(services):
                service.kill()

    def processes(self) -> dict[str, int]:
        """A name for each process whose load is of interest."""
        found = {"web": self.web.pid}
        if not self.database.startswith("sqlite"):
            found["postgres"] = postgres_pid(self.database)
        return found

    def count(self, table: str) -> int:
        """How many rows *table* of the desk has."""
        with open_engine(self.database) as engine, engine.connect() as connection:
            found = connection.execute(select(func.count()).select_from(table_clause(table))).scalar_one()
        return int(found)

    def chat_key(self) -> str:
        """A key for the chat API."""
        return self.lab.frontdesk("keys", "create", "--tenant", TENANT).split()[-1]

    def _warm_up(self) -> None:
        """One question, answered: the embedding model is loaded and the documents are indexed."""
        answer = requests.post(
            f"{self.lab.web_url}/api/v1/chat",
            json={"tenant": TENANT, "conversation": "warm-up", "message": QUESTIONS[0]},
            headers={"Authorization": f"Bearer {self.chat_key()}"},
            timeout=_WARM_UP_TIMEOUT_S,
        )
        answer.raise_for_status()

    def _gunicorn(self, name: str, url: str, *arguments: str) -> Service:
        return Service(
            name,
            ["gunicorn", *arguments],
            self.lab.environment,
            self.lab.folder / f"{name}.log",
            lambda: _listens(int(url.rpartition(":")[2])),
        )


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), _CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True

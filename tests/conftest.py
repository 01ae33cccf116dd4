"""Fixtures for all tests: real databases and a clock that is turned by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from structlog.dev import ConsoleRenderer, plain_traceback

from server.domain.tenants import TenantSettings
from server.store.leases import Leases, make_ownership
from server.store.session import Database
from server.store.tenants import Tenants
from simulators import first_state
from simulators.postgres import postgres_server
from tests.fakes.clock import FakeClock
from tests.support.databases import PostgresTemplate, SqliteTemplate

# No test is about how fast this machine is. What a change is judged by is the same for all of them; new
# examples are tried everywhere else.
settings.register_profile("frontdesk", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("frontdesk")

# Faults that are logged, many on purpose: the default shows the variables of a hundred frames, in colour.
ConsoleRenderer.get_active().exception_formatter = plain_traceback


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this pytest worker shares with the others of the run."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session", autouse=True)
def lab_archives(run_folder: Path) -> None:
    """One folder for all labs of the run, those of benches and of other pytest workers included.

    Where the tests in JavaScript follow, ``scripts/test`` has named one for these too.
    """
    os.environ.setdefault(first_state.FOLDER, str(run_folder))


@pytest.fixture(scope="session", autouse=True)
def compiled_pages(run_folder: Path) -> None:
    """The pages of all applications that tests make are compiled once."""
    folder = run_folder / "compiled-pages"
    folder.mkdir(exist_ok=True)
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(folder))}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """A migrated SQLite file to copy."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[PostgresTemplate]:
    """A migrated database on a real PostgreSQL to copy."""
    with postgres_server() as url, closing(PostgresTemplate(url)) as template:
        yield template


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh migrated database; each test runs on both kinds."""
    name = "sqlite_template" if request.param == "sqlite" else "postgres_template"
    with request.getfixturevalue(name).fresh() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database, open."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until a test turns it."""
    return FakeClock()


@pytest.fixture
def leases(database: Database, tmp_path: Path) -> Iterator[Leases]:
    """Leases of this process."""
    opened = Leases(database, make_ownership(database, tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def tenants(database: Database, clock: FakeClock) -> Tenants:
    """Two businesses, ``1`` and ``2``."""
    store = Tenants(database, clock)
    store.add("1", TenantSettings(name="Harbour House"))
    store.add("2", TenantSettings(name="Hill Inn"))
    return store

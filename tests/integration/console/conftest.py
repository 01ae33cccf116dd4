"""The console by itself, with one member of staff."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from server.adapters.aes_seal import AesSeal
from server.adapters.media_folder import MediaFolder
from server.console import ConsoleParts, register_console
from server.conversation.enclosures import Enclosures
from server.inbox.takeover import Takeover
from server.store.leases import Leases
from server.store.modes import Modes
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.fakes.work_queue import FakeQueue
from tests.support.console import PASSWORD, log_in
from tests.support.console_parts import console_parts


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """SQLite's, unless a test asks: what differs by database is in the tests of queries and users."""
    kind = getattr(request, "param", "sqlite")
    with request.getfixturevalue(f"{kind}_template").fresh() as url:
        yield url


@pytest.fixture
def takeover(database: Database, clock: FakeClock, leases: Leases) -> Takeover:
    """Takeovers of a desk that does not run, and that wait for nobody."""
    return Takeover(Modes(database, clock), leases, FakeQueue(), longest_wait_s=0)


@pytest.fixture
def media() -> FakeMedia:
    """What guests have sent."""
    return FakeMedia()


@pytest.fixture
def shelf() -> FakeShelf:
    """Recordings of calls."""
    return FakeShelf()


@pytest.fixture
def enclosures(media: FakeMedia, clock: FakeClock, tmp_path: Path) -> Enclosures:
    """It, as far as staff look at it."""
    return Enclosures(media, MediaFolder(tmp_path / "media", 0), clock, timedelta(days=30))


@pytest.fixture
def seal() -> AesSeal:
    """Under a key of the test."""
    return AesSeal(bytes(32))


@pytest.fixture
def parts(
    database: Database,
    clock: FakeClock,
    leases: Leases,
    tmp_path: Path,
    takeover: Takeover,
    enclosures: Enclosures,
    shelf: FakeShelf,
    seal: AesSeal,
) -> ConsoleParts:
    """What the console of the test is made of."""
    return console_parts(
        database,
        clock,
        leases,
        tmp_path,
        takeover=takeover,
        enclosures=enclosures,
        recordings=shelf,
        seal=seal,
    )


@pytest.fixture
def app(parts: ConsoleParts) -> Flask:
    """The console, and beside it a webhook."""
    app = Flask(__name__)
    app.secret_key = "a key of the test"
    register_console(app, parts)

    @app.post("/webhook")
    def webhook() -> str:
        return "accepted"

    return app


@pytest.fixture
def users(database: Database, clock: FakeClock, tenants: Tenants) -> Users:
    """Noa of business 1. What a check costs stands in the hash itself, and here it is little."""
    assert tenants.get("1")
    users = Users(database, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users.add("1", "Noa", PASSWORD)
    return users


@pytest.fixture
def anonymous(app: Flask) -> FlaskClient:
    """A browser that nobody has logged in."""
    return app.test_client()


@pytest.fixture
def staff(app: Flask, users: Users) -> FlaskClient:
    """Noa's browser, logged in."""
    assert users.verify("Noa", PASSWORD)
    client = app.test_client()
    assert log_in(client).status_code == HTTPStatus.SEE_OTHER
    return client

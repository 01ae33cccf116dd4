"""A desk on a real database, with senders that keep what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from server.adapters.media_folder import MediaFolder
from server.adapters.recordings_folder import RecordingsFolder
from server.adapters.system_clock import SystemClock
from server.app import create_app
from server.desk import Desk
from server.domain.messages import Channel
from server.ports.ai import Embedder, LanguageModel, ModelSet
from server.ports.bundle import Ports
from server.ports.media import MediaSource
from server.ports.speech import Transcriber
from server.settings import Settings
from server.store.alerts import Alerts
from server.store.call_log import CallQueries
from server.store.calls import Calls
from server.store.drafts import Drafts
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.leases import Leases, make_ownership
from server.store.modes import Modes
from server.store.morning_reports import MorningReports
from server.store.outbox import Outbox
from server.store.performance import Performance
from server.store.queries import ConsoleQueries
from server.store.recordings import Recordings
from server.store.reminders import Reminders
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from tests.fakes.accounts import FakeBudgetNotices, FakeLedger
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.media import FakeMedia
from tests.fakes.senders import FakeLines, FakePresence, FakeSender

SECRET = "the-internal-secret"

MakeDesk = Callable[..., Desk]


@pytest.fixture
def sender() -> FakeSender:
    """What guests and staff get on WhatsApp."""
    return FakeSender()


@pytest.fixture
def presence() -> FakePresence:
    """What guests see while an answer is written."""
    return FakePresence()


@pytest.fixture
def make_desk(
    database: Database, tmp_path: Path, sender: FakeSender, presence: FakePresence
) -> Iterator[MakeDesk]:
    """Makes a desk, with a model, media and ears or without; it is stopped at the end if it was started."""
    made: list[Desk] = []

    def make(
        model: LanguageModel | None = None,
        embedder: Embedder | None = None,
        media: MediaSource | None = None,
        transcriber: Transcriber | None = None,
    ) -> Desk:
        clock = SystemClock()
        leases = Leases(database, make_ownership(database, tmp_path))
        inbox, replies = Inbox(database, clock), Replies(database, clock, "http://desk.example")
        ports = Ports(
            clock=clock,
            tenants=Tenants(database, clock),
            inbox=inbox,
            replies=replies,
            turns=Turns(database, leases, inbox, replies),
            outbox=Outbox(database, clock),
            identities=Identities(database, clock),
            modes=Modes(database, clock),
            drafts=Drafts(database, clock, Modes(database, clock)),
            log=ConsoleQueries(database),
            leases=leases,
            keys=ApiKeys(database, clock),
            knowledge=Knowledge(database, clock),
            embedder=embedder or FakeEmbedder(),
            calls=Calls(database, clock, "http://desk.example"),
            call_log=CallQueries(database),
            recordings=Recordings(database, clock),
            recording_shelf=RecordingsFolder(tmp_path / "recordings", bytes(32), least_free_bytes=0),
            speech=None,
            transcriber=transcriber,
            media=media or FakeMedia(),
            shelf=MediaFolder(tmp_path / "media", least_free_bytes=0),
            models=None if model is None else ModelSet("fake", model, model, {}),
            ledger=FakeLedger(),
            budget_notices=FakeBudgetNotices(),
            senders={Channel.WHATSAPP: sender},
            presence=presence,
            alerts=Alerts(database, clock, "http://desk.example"),
            morning_reports=MorningReports(database, clock, "http://desk.example"),
            reminders=Reminders(database, clock, "http://desk.example"),
            lines=FakeLines(),
            check_store=lambda: None,
            performance=Performance(database),
            close=leases.close,
        )
        made.append(Desk(Settings(data_dir=tmp_path, turn_wait_min_s=0, turn_wait_max_s=0), ports))
        return made[-1]

    yield make
    for desk in made:
        desk.stop()


@pytest.fixture
def desk(make_desk: MakeDesk, tenants: Tenants) -> Desk:
    """A desk without a model that has not been started: what comes in waits."""
    return make_desk()


@pytest.fixture
def app(desk: Desk) -> Flask:
    """The web application around the desk."""
    return create_app(desk, SECRET)

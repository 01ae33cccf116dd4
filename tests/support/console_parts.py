"""All that the console is made of, for tests of which each is about a little of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

from server.adapters.aes_seal import AesSeal
from server.adapters.media_folder import MediaFolder
from server.console import ConsoleParts
from server.conversation.enclosures import Enclosures
from server.conversation.engine import Engine, EngineOptions
from server.conversation.rehearsal import Rehearsals
from server.domain.numbers import PhoneSetup
from server.inbox.erasing import Eraser
from server.inbox.suggest import Suggestions
from server.inbox.takeover import Takeover
from server.knowledge.answer import EmbeddedAnswers
from server.knowledge.retrieve import Retriever
from server.knowledge.staged import StagedImports
from server.ports.clock import Clock
from server.store.drafts import Drafts
from server.store.guest_data import GuestData
from server.store.knowledge import Knowledge
from server.store.leases import Leases
from server.store.modes import Modes
from server.store.session import Database
from tests.fakes.answering import FakeAnswering
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.media import FakeMedia
from tests.fakes.recordings import FakeShelf
from tests.fakes.senders import FakeLinkMemory, FakeNumbers
from tests.fakes.suggesting import FakeEars, FakeEngine
from tests.fakes.work_queue import FakeQueue


def console_parts(
    database: Database, clock: Clock, leases: Leases, folder: Path, **named: Any
) -> ConsoleParts:
    """*named* are those that a test looks at; the others are real where they can be, and else fakes.

    Args:
        folder: for files.
    """
    media, shelf = MediaFolder(folder / "media", 0), named.get("recordings", FakeShelf())
    parts: dict[str, Any] = {
        # The desk does not run here: what staff write waits.
        "takeover": Takeover(Modes(database, clock), leases, FakeQueue(), longest_wait_s=0),
        "suggestions": suggestions(database, clock),
        "enclosures": Enclosures(FakeMedia(), media, clock, timedelta(days=30)),
        "recordings": shelf,
        "eraser": Eraser(GuestData(database, clock), leases, media, shelf, FakeLinkMemory()),
        "seal": AesSeal(bytes(32)),
        "embedder": FakeEmbedder(),
        "rehearsals": Rehearsals(_engine_over(database, clock), clock, _at_once, patience_s=5),
        "staged": StagedImports(folder / "imports", clock),
        "answers": FakeAnswering(),
        "numbers": FakeNumbers(),
        "phone": PhoneSetup(),
        "lanes": FakeQueue(),
    }
    return ConsoleParts(database=database, clock=clock, **(parts | named))


def suggestions(database: Database, clock: Clock, engine: FakeEngine | None = None) -> Suggestions:
    """Drafts on demand, made by an engine that always says the same unless a test has its own."""
    drafts = Drafts(database, clock, Modes(database, clock))
    return Suggestions(
        drafts,
        engine or FakeEngine(),
        FakeEars(),
        FakeQueue(),
        _at_once,
        history_lines=4,
        longest_s=5,
    )


def _engine_over(database: Database, clock: Clock) -> Engine:
    """Answers from what the database holds, without a model."""
    retriever = Retriever(Knowledge(database, clock), FakeEmbedder())
    options = EngineOptions(first_token_s=1, total_s=1)
    return Engine(EmbeddedAnswers(retriever), retriever, None, clock, options)


def _at_once(work: Any) -> Future[Any]:
    """Run *work* to its end in the calling thread."""
    done: Future[Any] = Future()
    done.set_result(asyncio.run(work))
    return done

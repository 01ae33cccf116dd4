"""What the console is made of."""

from __future__ import annotations

from dataclasses import dataclass

from server.console.playground import Answering
from server.conversation.enclosures import Enclosures
from server.conversation.rehearsal import Rehearsals
from server.domain.numbers import PhoneSetup
from server.inbox.erasing import Eraser
from server.inbox.suggest import Suggestions
from server.inbox.takeover import Takeover
from server.knowledge.staged import StagedImports
from server.ports.ai import Embedder
from server.ports.clock import Clock
from server.ports.messaging import NumberKeeper
from server.ports.queue import WorkQueue
from server.ports.recordings import RecordingShelf
from server.ports.seal import SecretSeal
from server.store.session import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """What pages ask, and what they have done by others."""

    database: Database
    clock: Clock
    takeover: Takeover
    suggestions: Suggestions
    enclosures: Enclosures
    recordings: RecordingShelf
    eraser: Eraser
    # For second factors of staff.
    seal: SecretSeal
    # Of the realtime process, where browsers ask for the stream; None: it has the console's own address.
    stream_port: int | None = None
    embedder: Embedder
    rehearsals: Rehearsals
    staged: StagedImports
    # Answers what staff ask as guests.
    answers: Answering
    numbers: NumberKeeper
    phone: PhoneSetup
    # Lanes of the outbox that have something to send.
    lanes: WorkQueue

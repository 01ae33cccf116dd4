"""Races of staff against the desk: a guest writes, and at a random moment after that staff take over.

A real desk on a real database; only WhatsApp and the embedding model are stand-ins, which take as long as the
seed says. Used by ``frontdesk bench takeover`` and, with fewer races, by the tests.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from server.desk import Desk
from server.domain.conversations import Mode
from server.domain.knowledge import Document
from server.domain.messages import Channel, GuestAddress, InboundMessage, MessageKind, OutboundMessage
from server.domain.modes import Actor, ModeBy
from server.domain.tenants import TenantSettings
from server.knowledge.ingest import import_documents
from server.ports.messaging import PresenceState
from server.settings import Settings
from server.store.models import InboundRow, OutboxRow
from server.store.session import Database
from server.wiring import real_ports
from simulators.lab import wait_until

TENANT = "1"
AT_ONCE = 8
# Takeovers come within so long after the message at first, and then as it suits this machine: after one that
# came too late within less, after any other within more. A quarter of them come too late in the long run.
FIRST_WINDOW_S = 0.1
TOO_LATE = 0.86
IN_TIME = 1.05
LONGEST_THOUGHT_S = 0.02
LONGEST_SEND_S = 0.02
SETTLE_S = 60.0

_API = Actor(ModeBy.API)
_DIMENSIONS = 8
_STAFF_WORDS = "One moment, Noa here."


class Met(StrEnum):
    """Where the takeover met the desk's reply."""

    BEFORE_COMMIT = "before the commit"
    COMMITTED = "committed, cancelled"
    SENDING = "being sent, waited for"
    SENT = "sent before"


@dataclass(frozen=True, slots=True)
class Plan:
    """One takeover to come. ``fraction`` of the window passes before it."""

    guest: str
    fraction: float
    by_message: bool


@dataclass(frozen=True, slots=True)
class Race:
    """One takeover. Times are monotonic seconds; ``by_message``: staff took over by writing."""

    guest: str
    by_message: bool
    called_at: float
    returned_at: float


@dataclass(frozen=True, slots=True)
class Send:
    """One message on the wire."""

    to: str
    is_staffs: bool
    began_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run of races went. ``after`` counts messages of the desk that left after a takeover."""

    races: int
    after: int
    staff_lost: int
    met: dict[Met, int]


class SlowWire:
    """Keeps the ``ChannelSender`` and ``PresenceSender`` ports; notes when each message left, and to whom."""

    def __init__(self, seed: int) -> None:
        self.sends: list[Send] = []
        self.reached: set[str] = set()
        self._delays = _Delays(seed, LONGEST_SEND_S)

    def send(self, message: OutboundMessage) -> None:
        """Take as long as a network would."""
        began_at = time.monotonic()
        self._delays.pass_one()
        is_staffs = message.text == _STAFF_WORDS
        self.sends.append(Send(message.to, is_staffs, began_at, time.monotonic()))
        self.reached.add(message.to)

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        """Nobody looks."""


class Moments:
    """When takeovers come, so that they meet the desk at all of its work, on fast machines and slow ones."""

    def __init__(self) -> None:
        self._window_s = FIRST_WINDOW_S
        self._lock = threading.Lock()

    def delay_s(self, fraction: float) -> float:
        """How long after a guest's message to take over."""
        return fraction * self._window_s

    def note(self, *, is_too_late: bool) -> None:
        """A reply had left before the takeover, or had not."""
        with self._lock:
            self._window_s *= TOO_LATE if is_too_late else IN_TIME


class SlowEmbedder:
    """Keeps the ``Embedder`` port: every text means the same, and a question takes its time."""

    name = "races"

    def __init__(self, seed: int) -> None:
        self._delays = _Delays(seed, LONGEST_THOUGHT_S)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector for all."""
        return np.full((len(texts), _DIMENSIONS), _DIMENSIONS**-0.5, dtype=np.float32)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same vector, later."""
        self._delays.pass_one()
        return self.passages(texts)


class _Delays:
    """Random waits; which thread gets which is left to chance."""

    def __init__(self, seed: int, longest_s: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 - guards no secret
        self._lock = threading.Lock()
        self._longest_s = longest_s

    def pass_one(self) -> None:
        with self._lock:
            delay_s = self._random.uniform(0, self._longest_s)
        time.sleep(delay_s)


def run_races(database: Database, folder: Path, races: int, seed: int) -> Verdict:
    """Run *races* takeovers, `AT_ONCE` at the same time, on a migrated database without tenants."""
    rng = random.Random(seed)  # noqa: S311 - guards no secret
    plans = [
        Plan(f"9725{number:08}@s.whatsapp.net", rng.random(), rng.random() < 0.5) for number in range(races)
    ]
    moments = Moments()
    with _desk(database, folder, seed) as (desk, wire), ThreadPoolExecutor(AT_ONCE) as threads:
        run = list(threads.map(lambda plan: _race(desk, wire, moments, plan), plans))
        wait_until(lambda: _is_settled(database), SETTLE_S, "the desk to settle")
        return _judge(database, run, wire.sends)


@contextmanager
def _desk(database: Database, folder: Path, seed: int) -> Iterator[tuple[Desk, SlowWire]]:
    settings = Settings(data_dir=folder, turn_wait_min_s=0, turn_wait_max_s=0)
    wire, embedder = SlowWire(seed + 1), SlowEmbedder(seed + 2)
    ports = replace(
        real_ports(settings, database),
        senders={Channel.WHATSAPP: wire},
        presence=wire,
        embedder=embedder,
        models=None,
    )
    ports.tenants.add(TENANT, TenantSettings(name="Harbour House"))
    document = Document("breakfast", "Breakfast", "Breakfast is served from 7:30 to 10:30.", "en")
    import_documents(ports.knowledge, embedder, ports.tenants.get(TENANT), [document])
    desk = Desk(settings, ports)
    desk.start()
    try:
        yield desk, wire
    finally:
        desk.stop()


def _race(desk: Desk, wire: SlowWire, moments: Moments, plan: Plan) -> Race:
    conversation_id = _say(desk, plan.guest, "first")
    time.sleep(moments.delay_s(plan.fraction))
    moments.note(is_too_late=plan.guest in wire.reached)
    called_at = time.monotonic()
    if plan.by_message:
        desk.takeover.write(TENANT, conversation_id, _STAFF_WORDS, _API)
    else:
        desk.takeover.set_mode(TENANT, conversation_id, Mode.HUMAN, _API)
    returned_at = time.monotonic()
    # The desk must not answer this one, whatever it was doing.
    _say(desk, plan.guest, "second")
    return Race(plan.guest, plan.by_message, called_at, returned_at)


def _say(desk: Desk, guest: str, provider_id: str) -> int:
    message = InboundMessage(
        tenant_id=TENANT,
        channel=Channel.WHATSAPP,
        address=GuestAddress(reply_to=guest, phone=guest),
        provider_id=provider_id,
        kind=MessageKind.TEXT,
        text="When is breakfast served?",
        sent_at=desk.ports.clock.now(),
    )
    return desk.receiver.receive(TENANT, [message])[0].conversation_id


def _is_settled(database: Database) -> bool:
    with database.read() as session:
        waiting = session.scalars(select(InboundRow.id).where(InboundRow.handled_at.is_(None)).limit(1))
        if waiting.first() is not None:
            return False
        leaving = select(OutboxRow.id).where(OutboxRow.state.in_(["committed", "sending"])).limit(1)
        return session.scalars(leaving).first() is None


def _judge(database: Database, races: Sequence[Race], sends: Sequence[Send]) -> Verdict:
    with database.read() as session:
        replied = set(session.scalars(select(OutboxRow.to_address).where(OutboxRow.kind == "reply")))
    desks = {guest: [s for s in sends if s.to == guest and not s.is_staffs] for guest in replied}
    staffs = {send.to: send for send in sends if send.is_staffs}
    after = staff_lost = 0
    met = dict.fromkeys(Met, 0)
    for race in races:
        own = desks.get(race.guest, [])
        # Who took over by writing was promised that the desk's words stand before theirs, and none behind.
        end = race.returned_at
        if race.by_message:
            staff_lost += race.guest not in staffs
            end = staffs[race.guest].began_at if race.guest in staffs else end
        after += sum(send.ended_at > end for send in own)
        met[_met(race, own, race.guest in replied)] += 1
    return Verdict(len(races), after, staff_lost, met)


def _met(race: Race, own: Sequence[Send], is_replied: bool) -> Met:
    if not own:
        return Met.COMMITTED if is_replied else Met.BEFORE_COMMIT
    return Met.SENT if own[-1].ended_at <= race.called_at else Met.SENDING

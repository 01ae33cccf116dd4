"""The running desk of one process: queues, turns, deliveries and the sweep on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import structlog

from server.adapters.event_loop import EventLoopThread, InProcessQueue
from server.conversation.engine import Engine
from server.conversation.quiet import WaitBounds
from server.conversation.turn import TurnTaker
from server.errors import StoreUnavailable
from server.inbox.answer import Answers
from server.inbox.drain import Drain
from server.inbox.merge import Merger
from server.inbox.receive import Receiver
from server.inbox.sweep import AT_ONCE, Sweep, waker
from server.inbox.takeover import Takeover
from server.knowledge.answer import EmbeddedAnswers, Thresholds
from server.knowledge.retrieve import Retriever
from server.outbox.alerts import LineWatch
from server.outbox.deliver import Deliverer
from server.outbox.presence import Presence
from server.ports.bundle import Ports
from server.ports.queue import TurnQueue, WorkSource
from server.settings import Settings

# Turns that run at a stop get so long to end; what is left is found by the next process.
DRAIN_S = 10.0
CLOSE_S = 2.0
MERGES_AT_ONCE = 4
# Beyond the model's own limit: retrieval, commit, and a turn of the same conversation before this one.
CHAT_MARGIN_S = 12.0

log = structlog.get_logger(__name__)


class Desk:
    """Puts the parts together and runs them. Start it after a fork, never before.

    Args:
        source: where a worker gets its conversations from.
    """

    def __init__(self, settings: Settings, ports: Ports, source: WorkSource | None = None) -> None:
        self.ports = ports
        # Sends that hang must leave turns the threads that their database calls need.
        self._loop = EventLoopThread(worker_threads=2 * settings.turn_concurrency)
        deliverer = Deliverer(ports.leases, ports.outbox, ports.senders, ports.clock)
        self.lanes = InProcessQueue(self._loop, deliverer.run, settings.turn_concurrency)
        self.line_watch = LineWatch(ports.alerts, self.lanes, ports.clock, settings.whatsapp_alert_after_s)
        self._engine = make_engine(settings, ports)
        taker = TurnTaker(
            self._engine,
            ports.inbox,
            ports.replies,
            Presence(ports.presence),
            self.lanes,
            ports.clock,
            WaitBounds(settings.turn_wait_min_s, max(settings.turn_wait_min_s, settings.turn_wait_max_s)),
        )
        drain = Drain(ports.leases, ports.inbox, taker, ports.clock, settings.ai_context_messages)
        self._conversations: TurnQueue = ports.conversations or InProcessQueue(
            self._loop, drain.run, settings.turn_concurrency
        )
        self._take_turns = drain.run
        self._source = source
        merger = Merger(ports.leases, ports.identities, self._conversations)
        merges = InProcessQueue(self._loop, merger.run, MERGES_AT_ONCE)
        self._sweep = Sweep(
            waker(ports.inbox.due_conversations, self._conversations),
            waker(ports.outbox.due_lanes, self.lanes),
            waker(ports.identities.due_merges, merges),
            lambda: ports.modes.hand_back_due(AT_ONCE),
            self.line_watch.look,
        )
        # What runs for as long as the desk does.
        self._running: list[Future[None]] = []
        self.takeover = Takeover(ports.modes, ports.leases, self.lanes)
        self.receiver = Receiver(ports.inbox, self._conversations)
        self.answers = Answers(
            ports.inbox, ports.replies, drain, self._submit, settings.ai_total_s + CHAT_MARGIN_S
        )

    @property
    def is_running(self) -> bool:
        """Whether turns are being taken."""
        return self._loop.is_running

    def start(self) -> None:
        """Take up work, what a process before has left included."""
        self._loop.start()
        self._running.append(self._loop.submit(self._sweep.run()))
        if self._source is not None:
            self._running.append(self._loop.submit(self._source.run(self._take_turns)))
        self._loop.submit(asyncio.to_thread(self._warm))
        if self.ports.model is not None:
            self._loop.submit(self.ports.model.warm())

    def stop(self) -> None:
        """Start nothing new, let running turns end, close what is open."""
        self._conversations.close()
        for running in self._running:
            running.cancel()
        self._loop.drain(DRAIN_S)
        # What those turns have committed has begun to leave: it may end, and nothing more begins.
        self.lanes.close()
        self._loop.drain(CLOSE_S)
        if self.ports.model is not None and self.is_running:
            self._loop.submit(self.ports.model.aclose()).result(timeout=CLOSE_S)
        self._loop.stop()
        self.ports.close()

    def _warm(self) -> None:
        """Load what answering takes, so that the first guest does not wait for it."""
        try:
            for tenant in self.ports.tenants.all():
                self._engine.prepare(tenant)
        except StoreUnavailable:
            # The first question finds out by itself.
            log.warning("desk.not_warmed")

    def _submit(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return self._loop.submit(work)


def make_engine(settings: Settings, ports: Ports) -> Engine:
    """What answers a turn: the embedded answers, with the model in front of them where there is one."""
    retriever = Retriever(ports.knowledge, ports.embedder)
    return Engine(
        EmbeddedAnswers(retriever, Thresholds(settings.answer_threshold, settings.offer_threshold)),
        retriever,
        ports.model,
        ports.clock,
        first_token_s=settings.ai_timeout_s,
        total_s=settings.ai_total_s,
    )

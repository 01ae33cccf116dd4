"""The running desk of one process: queues, turns, deliveries and the sweep on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from server.adapters.event_loop import EventLoopThread, InProcessQueue, MakeLoop
from server.conversation.answer_cache import AnswerCache
from server.conversation.enclosures import Enclosures
from server.conversation.engine import Engine, EngineOptions, Models
from server.conversation.precompute import precompute
from server.conversation.prompts import Prompts
from server.conversation.quiet import WaitBounds
from server.conversation.rehearsal import Rehearsals
from server.conversation.turn import TurnTaker
from server.conversation.voice_notes import VoiceNotes
from server.domain.conversations import Turn
from server.domain.model_calls import ModelCall
from server.domain.spending import Crossing, business_day
from server.inbox.answer import Answers
from server.inbox.drain import Drain
from server.inbox.merge import Merger
from server.inbox.receive import Receiver
from server.inbox.reminders import Reminders
from server.inbox.streams import Streams
from server.inbox.suggest import Suggestions
from server.inbox.sweep import AT_ONCE, Sweep, every, hourly, waker
from server.inbox.takeover import Takeover
from server.knowledge.answer import EmbeddedAnswers, Thresholds
from server.knowledge.query_vectors import REMEMBERED, QueryVectors
from server.knowledge.retrieve import Retriever
from server.knowledge.staged import StagedImports
from server.llm.budget import BudgetGuard, nobody_told, tell_staff
from server.observability.process import LoopLag, ProcessFigures
from server.observability.record import record_model_call
from server.observability.watch import Gauged, Watch
from server.outbox.alerts import LineWatch
from server.outbox.deliver import Deliverer
from server.outbox.presence import Presence
from server.ports.accounts import ModelLedger
from server.ports.ai import LanguageModel
from server.ports.bundle import Ports
from server.ports.queue import TurnQueue, WorkSource
from server.settings import Optimisation, Settings
from server.voice.asking import Asking
from server.voice.continuing import Continuing
from server.voice.recorder import RecordedCalls

# Turns that run at a stop get so long to end; what is left is found by the next process.
DRAIN_S = 10.0
CLOSE_S = 2.0
MERGES_AT_ONCE = 4
# As often it is looked whether a morning report is due.
REPORTS_EVERY_S = 60.0
# Beyond the model's own limit: retrieval, commit, and a turn of the same conversation before this one.
CHAT_MARGIN_S = 12.0
PROMPTS_KEPT_S = 300

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Desk:
    """Puts the parts together and runs them. Start it after a fork, never before.

    Args:
        source: where a worker gets its conversations from.
        make_loop: makes the event loop that everything runs on.
        role: what the process is called in figures: ``web``, ``worker`` or ``realtime``.
    """

    def __init__(
        self,
        settings: Settings,
        ports: Ports,
        source: WorkSource | None = None,
        make_loop: MakeLoop = asyncio.new_event_loop,
        role: str = "web",
    ) -> None:
        self.ports = ports
        self.settings = settings
        # Sends that hang must leave turns the threads that their database calls need.
        self._loop = EventLoopThread(worker_threads=2 * settings.turn_concurrency, make_loop=make_loop)
        deliverer = Deliverer(ports.leases, ports.outbox, ports.senders, ports.clock)
        self.lanes = InProcessQueue(self._loop, deliverer.run, settings.turn_concurrency)
        self.line_watch = LineWatch(ports.alerts, self.lanes, ports.clock, settings.whatsapp_alert_after_s)
        self.engine = make_engine(settings, ports, tell_staff(ports.budget_notices, self.lanes))
        self._lag = LoopLag(ports.clock)
        self.watch = Watch(
            settings.data_dir,
            ports.clock,
            ProcessFigures(role, self._lag),
            settings.alert_reply_s,
            ports.report,
            Gauged(pools=ports.pools, queues={"lanes": lambda: self.lanes.depth}),
        )
        # What guests sent beside words, also for staff who look at it.
        self.enclosures = Enclosures(
            ports.media, ports.shelf, ports.clock, timedelta(days=settings.media_kept_days)
        )
        self.recorded = RecordedCalls(
            ports.recordings,
            ports.recording_shelf,
            ports.clock,
            timedelta(days=settings.recordings_kept_days),
        )
        # Files whose import nobody has confirmed yet.
        self.staged = StagedImports(settings.data_dir / "imports", ports.clock)
        streams = Streams()
        ears = VoiceNotes(self.enclosures, ports.transcriber, ports.inbox)
        taker = TurnTaker(
            self.engine,
            ports.inbox,
            ports.turns,
            Presence(ports.presence),
            self.lanes,
            streams,
            ears,
            ports.clock,
            WaitBounds(settings.turn_wait_min_s, max(settings.turn_wait_min_s, settings.turn_wait_max_s)),
            slow_after_s=settings.alert_reply_s,
        )
        drain = Drain(
            ports.leases, ports.inbox, ports.turns, taker, ports.clock, settings.ai_context_messages
        )
        self._conversations: TurnQueue = ports.conversations or InProcessQueue(
            self._loop, drain.run, settings.turn_concurrency
        )
        self._take_turns = drain.run
        self._source = source
        merger = Merger(ports.leases, ports.identities, self._conversations)
        merges = InProcessQueue(self._loop, merger.run, MERGES_AT_ONCE)
        continuing = Continuing(ports.calls, self.lanes.put)
        self._sweep = Sweep(
            waker(ports.turns.due_conversations, self._conversations),
            waker(ports.outbox.due_lanes, self.lanes),
            waker(ports.identities.due_merges, merges),
            lambda: ports.modes.hand_back_due(AT_ONCE),
            self.line_watch.look,
            Reminders(ports.reminders, self.lanes, ports.clock).look,
            lambda: continuing.look(AT_ONCE),
            every(REPORTS_EVERY_S, waker(ports.morning_reports.put_due, self.lanes), ports.clock),
            hourly(self.enclosures.forget, ports.clock),
            hourly(self.recorded.forget, ports.clock),
            hourly(self.staged.forget, ports.clock),
        )
        # What runs for as long as the desk does.
        self._running: list[Future[None]] = []
        self.asking = Asking(self.engine, ports.calls, self.lanes, ports.clock)
        self.takeover = Takeover(ports.modes, ports.leases, self.lanes)
        self.suggestions = Suggestions(
            ports.drafts,
            self.engine,
            ears,
            self.lanes,
            self.submit,
            settings.ai_context_messages,
            settings.ai_total_s + CHAT_MARGIN_S,
        )
        self.receiver = Receiver(ports.inbox, self._conversations)
        self._foresees = settings.uses(Optimisation.PARALLEL_CONTEXT)
        # Without a cache nothing would come of it.
        self._precomputed = settings.precomputed_questions if settings.keeps_answers else 0
        self._warms = settings.uses(Optimisation.WARM_UP)
        # What staff want to know beforehand.
        self.rehearsals = Rehearsals(
            self.engine, ports.clock, self.submit, settings.ai_total_s + CHAT_MARGIN_S
        )
        self.answers = Answers(
            ports.inbox,
            ports.replies,
            drain,
            streams,
            self.submit,
            self._foresee,
            settings.ai_total_s + CHAT_MARGIN_S,
        )

    @property
    def is_running(self) -> bool:
        """Whether turns are being taken."""
        return self._loop.is_running

    def start(self) -> None:
        """Take up work, what a process before has left included."""
        self._loop.start()
        self._running.append(self._loop.submit(self._sweep.run()))
        self._running.append(self._loop.submit(self._lag.run()))
        self.watch.start()
        if self._source is not None:
            self._running.append(self._loop.submit(self._source.run(self._take_turns)))
        if self._warms:
            self._running.append(self._loop.submit(self._warm_up()))

    def account(self, turn: Turn, call: ModelCall) -> None:
        """A call to a model that was made for *turn* has ended."""
        _account(self.ports.ledger, turn, call)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run *work* on the desk's event loop; from any thread."""
        return self._loop.submit(work)

    def stop(self) -> None:
        """Start nothing new, let running turns end, close what is open."""
        self.watch.stop()
        self._conversations.close()
        for running in self._running:
            running.cancel()
        self._loop.drain(DRAIN_S)
        # What those turns have committed has begun to leave: it may end, and nothing more begins.
        self.lanes.close()
        self._loop.drain(CLOSE_S)
        for model in self._models if self.is_running else ():
            self._loop.submit(model.aclose()).result(timeout=CLOSE_S)
        if self.is_running and self.ports.transcriber is not None:
            self._loop.submit(self.ports.transcriber.aclose()).result(timeout=CLOSE_S)
        self._loop.stop()
        self.ports.close()

    async def _warm_up(self) -> None:
        """Load what answering takes and answer what is asked most, so that the first guest does not wait."""
        try:
            await asyncio.gather(asyncio.to_thread(self._prepare), *(model.warm() for model in self._models))
            if self._models and self._precomputed:
                for tenant in await asyncio.to_thread(self.ports.tenants.all):
                    asked = await asyncio.to_thread(self.ports.log.most_asked, tenant.id, self._precomputed)
                    await precompute(self.engine, tenant, asked, self.ports.clock.now())
        except Exception as error:  # noqa: BLE001 - the first question finds out by itself
            log.warning("desk.not_warmed", error=type(error).__name__)

    def _prepare(self) -> None:
        for tenant in self.ports.tenants.all():
            self.engine.prepare(tenant)

    @property
    def _models(self) -> Sequence[LanguageModel]:
        models = self.ports.models
        return [] if models is None else [models.usual, models.cheap]

    def _foresee(self, tenant_id: str, text: str) -> None:
        if self._foresees:
            self._loop.submit(asyncio.to_thread(self.engine.foresee, tenant_id, text))


def make_engine(settings: Settings, ports: Ports, tell: Callable[[Crossing], None] = nobody_told) -> Engine:
    """What answers a turn: the embedded answers, with the model in front of them where there is one.

    Args:
        tell: hears that a budget nears its end.
    """
    remembered = REMEMBERED if settings.uses(Optimisation.EMBEDDING_CACHE) else 0
    retriever = Retriever(ports.knowledge, ports.embedder, QueryVectors(ports.embedder, remembered))
    return Engine(
        EmbeddedAnswers(retriever, Thresholds(settings.answer_threshold, settings.offer_threshold)),
        retriever,
        _models(ports, tell),
        ports.clock,
        EngineOptions(
            first_token_s=settings.ai_timeout_s,
            total_s=settings.ai_total_s,
            exits_early=settings.uses(Optimisation.EARLY_EXITS),
        ),
        _answer_cache(settings),
        Prompts(PROMPTS_KEPT_S if settings.uses(Optimisation.PROMPT_CACHE) else 0),
    )


def _models(ports: Ports, tell: Callable[[Crossing], None]) -> Models | None:
    if ports.models is None:
        return None

    return Models(ports.models, BudgetGuard(ports.ledger, tell), partial(_account, ports.ledger))


def _account(ledger: ModelLedger, turn: Turn, call: ModelCall) -> None:
    """A call that was made for *turn* has ended: the business pays for it."""
    record_model_call(call)
    day = business_day(turn.tenant, call.started_at)
    ledger.note(turn.tenant.id, turn.conversation_id, turn.id, day, call)


def _answer_cache(settings: Settings) -> AnswerCache | None:
    if not settings.keeps_answers:
        return None
    return AnswerCache(settings.answer_cache_s, settings.answer_cache_size, settings.redis)

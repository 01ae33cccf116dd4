"""A caller who is told to wait gets the answer from whichever process they reach, and the log has it once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from server.adapters.event_loop import EventLoopThread
from server.domain.calls import ANSWER_PENDING, Call
from server.domain.conversations import HistoryLine, Reply, Speaker, Turn
from server.domain.events import Listener, nobody
from server.domain.knowledge import Citation
from server.domain.messages import DeliveryState
from server.domain.tenants import TenantSettings
from server.store.calls import Calls
from server.store.models import InboundRow, OutboxRow, TurnRow
from server.store.session import Database
from server.store.tenants import Tenants
from server.voice import telephone as telephone_module
from server.voice.asking import Asking
from server.voice.lines import Line, line
from server.voice.telephone import FALLBACK_TURNS, Telephone
from tests.fakes.clock import FakeClock
from tests.fakes.work_queue import FakeQueue
from tests.support.databases import SqliteTemplate
from tests.support.phone_lines import a_reply

DESK, CALLER = "+97231234567", "+972501111111"
NUMBER = FALLBACK_TURNS
BREAKFAST, ANSWER = "When is breakfast?", "Breakfast is at seven."
WITHIN_S = 60.0


class SlowEngine:
    """Answers when it is let go, and fails with ``error`` if there is one. ``asked`` is the record."""

    def __init__(self, core: EventLoopThread) -> None:
        self._core = core
        self.go = asyncio.Event()
        self.asked: list[Turn] = []
        self.reply = a_reply(ANSWER, citations=[Citation("doc", "Breakfast", 0.9)])

    async def answer(self, turn: Turn, listen: Listener = nobody) -> Reply:  # noqa: ARG002
        """The reply, once it may."""
        self.asked.append(turn)
        await self.go.wait()
        return self.reply

    def let_go(self) -> None:
        """From any thread."""
        self._core.call_soon(self.go.set)


class Process:
    """A web process as far as calls go."""

    def __init__(self, core: EventLoopThread, calls: Calls, clock: FakeClock) -> None:
        self.engine = SlowEngine(core)
        self.asking = Asking(self.engine, calls, FakeQueue(), clock)  # type: ignore[arg-type]
        self.telephone = Telephone(calls, self.asking, self._submit)
        self._core = core
        self._submitted: list[Future[Reply]] = []

    def settles(self) -> None:
        """Return when all that was begun has ended."""
        wait(self._submitted, WITHIN_S)

    def _submit(self, work: Coroutine[Any, Any, Reply]) -> Future[Reply]:
        self._submitted.append(self._core.submit(work))
        return self._submitted[-1]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telephone_module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(telephone_module, "NEXT_WAIT_S", 0.01)


@pytest.fixture
def core() -> Iterator[EventLoopThread]:
    loop = EventLoopThread(worker_threads=4)
    loop.start()
    yield loop
    loop.drain(0.0)
    loop.stop()


@pytest.fixture
def database(sqlite_template: SqliteTemplate) -> Iterator[Database]:
    """What is kept on PostgreSQL too is proved by the contract of calls."""
    with sqlite_template.fresh() as url:
        opened = Database(url)
        yield opened
        opened.close()


@pytest.fixture
def calls(database: Database, clock: FakeClock) -> Calls:
    Tenants(database, clock).add("1", TenantSettings(name="Harbour House", phone_numbers=(DESK,)))
    return Calls(database, clock, "http://desk.example")


@pytest.fixture
def processes(core: EventLoopThread, calls: Calls, clock: FakeClock) -> Sequence[Process]:
    return [Process(core, calls, clock), Process(core, calls, clock)]


@pytest.fixture
def call(calls: Calls) -> Call:
    return calls.ring("CA1", DESK, CALLER, 8)


def again(calls: Calls) -> Call:
    found = calls.find("CA1", 8)
    assert found is not None
    return found


def only_line(database: Database) -> tuple[str, str, DeliveryState]:
    """The caller's words, what they were told, and what became of it; there is one line."""
    with database.read() as session:
        said = session.scalars(select(OutboxRow)).one()
        words = session.scalars(select(InboundRow)).one()
        assert session.scalars(select(TurnRow)).one().id == said.turn_id
        return words.text, said.text, DeliveryState(said.state)


def waited_out(process: Process, calls: Calls) -> Reply:
    """Come back until the answer is there, as Twilio does."""
    until = datetime.now(UTC).timestamp() + WITHIN_S
    while (reply := process.telephone.wait_for(again(calls), NUMBER)) is None:
        assert datetime.now(UTC).timestamp() < until
    return reply


def test_the_process_that_began_an_answer_goes_on_with_it(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database
) -> None:
    first, _ = processes
    assert first.telephone.answer(call, NUMBER, BREAKFAST) is None
    assert only_line(database) == (BREAKFAST, "", DeliveryState.CANCELLED)
    first.engine.let_go()
    assert waited_out(first, calls).text == ANSWER
    assert only_line(database) == (BREAKFAST, ANSWER, DeliveryState.DELIVERED)
    assert len(first.engine.asked) == 1


def test_a_process_that_knows_nothing_of_it_asks_anew_under_the_same_number(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database
) -> None:
    died, other = processes
    assert died.telephone.answer(call, NUMBER, BREAKFAST) is None
    other.engine.let_go()
    assert waited_out(other, calls).text == ANSWER
    assert only_line(database) == (BREAKFAST, ANSWER, DeliveryState.DELIVERED)
    (asked,) = other.engine.asked
    assert (asked.question, asked.id) == (BREAKFAST, died.engine.asked[0].id)
    # The words that are asked are not the thread's history too.
    assert HistoryLine(Speaker.GUEST, BREAKFAST) not in asked.history
    # The first was only slow: what it tells now comes too late to count.
    died.engine.reply = a_reply("At eight.")
    died.engine.let_go()
    died.settles()
    assert only_line(database) == (BREAKFAST, ANSWER, DeliveryState.DELIVERED)


def test_an_answer_that_another_process_has_made_is_given_at_once(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database
) -> None:
    first, other = processes
    assert first.telephone.answer(call, NUMBER, BREAKFAST) is None
    first.engine.let_go()
    first.settles()
    reply = other.telephone.wait_for(again(calls), NUMBER)
    assert reply is not None
    assert (reply.text, len(reply.citations)) == (ANSWER, 1)
    assert other.engine.asked == []
    assert only_line(database) == (BREAKFAST, ANSWER, DeliveryState.DELIVERED)


def test_a_redirect_that_is_told_twice_gets_the_same_answer(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database
) -> None:
    first, other = processes
    assert first.telephone.answer(call, NUMBER, BREAKFAST) is None
    first.engine.let_go()
    replies = [waited_out(process, calls) for process in (first, first, other)]
    assert {reply.text for reply in replies} == {ANSWER}
    assert only_line(database) == (BREAKFAST, ANSWER, DeliveryState.DELIVERED)


def test_an_answer_that_never_comes_is_given_up_in_any_process(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database, clock: FakeClock
) -> None:
    first, other = processes
    assert first.telephone.answer(call, NUMBER, BREAKFAST) is None
    assert other.telephone.wait_for(again(calls), NUMBER) is None
    clock.advance(telephone_module.ANSWER_WITHIN_S)
    reply = other.telephone.wait_for(again(calls), NUMBER)
    assert reply is not None
    assert (reply.text, reply.reason, reply.handover) == (line(Line.SORRY, "en"), "answer_late", True)
    assert only_line(database) == (BREAKFAST, line(Line.SORRY, "en"), DeliveryState.DELIVERED)


def test_a_caller_who_hangs_up_while_waiting_leaves_the_answer_unheard_in_the_log(
    processes: Sequence[Process], calls: Calls, call: Call, database: Database
) -> None:
    first, _ = processes
    assert first.telephone.answer(call, NUMBER, BREAKFAST) is None
    pending = calls.find_turn("CA1", NUMBER)
    assert pending is not None
    assert (pending.reply.text, pending.reply.reason) == ("", ANSWER_PENDING)
    first.engine.let_go()
    first.settles()
    assert only_line(database) == (BREAKFAST, "", DeliveryState.CANCELLED)
    kept = calls.find_turn("CA1", NUMBER)
    assert kept is not None
    assert (kept.reply.text, kept.told, len(kept.reply.citations)) == (ANSWER, "", 1)

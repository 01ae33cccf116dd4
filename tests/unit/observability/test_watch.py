"""One of several watches decides; what is wrong is told once, kept, and seen by all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from server.errors import ProviderRejected, ProviderUnavailable
from server.observability import metrics
from server.observability.history import WINDOW_S, History
from server.observability.multiprocess import read_figures
from server.observability.process import LoopLag, ProcessFigures
from server.observability.watch import Gauged, Watch
from server.ports.performance import PoolState
from tests.fakes.clock import FakeClock
from tests.support.figures import Counted

MakeWatch = Callable[[], Watch]


class Operators:
    """Hear what they are told; ``outages`` keep them from it, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.outages: list[Exception] = []

    def tell(self, event: Mapping[str, object], key: str) -> None:
        self.keys.append(key)
        if self.outages:
            raise self.outages.pop(0)
        self.heard.append((str(event["event"]), str(event["alert"])))


@pytest.fixture
def operators() -> Operators:
    return Operators()


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def make_watch(
    tmp_path: Path, clock: FakeClock, counted: Counted, operators: Operators
) -> Iterator[MakeWatch]:
    made: list[Watch] = []

    def make() -> Watch:
        process = ProcessFigures("test", None)
        made.append(Watch(tmp_path, clock, process, 10, operators.tell, figures=counted.figures))
        return made[-1]

    yield make
    for watch in made:
        watch.stop()


def turn(clock: FakeClock, watch: Watch, seconds: float) -> None:
    """Let time pass, with a look every five seconds."""
    for _ in range(int(seconds // 5)):
        clock.advance(5)
        watch.tick()


def be_slow(counted: Counted) -> None:
    counted.add(metrics.SLOW_REPLIES, channel="chat")


def test_a_slow_reply_is_told_when_it_is_seen_and_when_the_window_has_passed(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    watch = make_watch()
    turn(clock, watch, 30)
    be_slow(counted)
    turn(clock, watch, 200)
    assert operators.heard == [("alert_raised", "slow_reply")]
    assert [alert.name for alert in watch.alerts()] == ["slow_reply"]
    turn(clock, watch, WINDOW_S)
    assert operators.heard == [("alert_raised", "slow_reply"), ("alert_cleared", "slow_reply")]
    assert watch.alerts() == []
    assert len(set(operators.keys)) == 2


def test_what_was_counted_before_the_watch_began_is_no_news(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    be_slow(counted)
    turn(clock, make_watch(), 60)
    assert operators.heard == []


def test_only_one_of_several_tells_and_all_know(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    watches = [make_watch() for _ in range(3)]
    for watch in watches:
        watch.tick()
    be_slow(counted)
    for watch in watches:
        watch.tick()
    assert operators.heard == [("alert_raised", "slow_reply")]
    assert [len(watch.alerts()) for watch in watches] == [1, 1, 1]


def test_when_the_one_that_decides_ends_another_goes_on_and_tells_nothing_twice(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    first, second = make_watch(), make_watch()
    for watch in (first, second):
        turn(clock, watch, 5)
    be_slow(counted)
    for watch in (first, second):
        turn(clock, watch, 5)
    first.stop()
    turn(clock, second, 60)
    assert operators.heard == [("alert_raised", "slow_reply")]
    turn(clock, second, WINDOW_S + 60)
    assert operators.heard[1:] == [("alert_cleared", "slow_reply")]


def test_what_could_not_be_told_is_told_later_under_the_same_key(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    first, second = make_watch(), make_watch()
    for watch in (first, second):
        watch.tick()
    be_slow(counted)
    operators.outages = [ProviderUnavailable("operator_webhook", "no answer in 5 s")] * 2
    turn(clock, first, 10)
    assert operators.heard == []
    first.stop()
    # It was kept for whoever comes next.
    turn(clock, second, 5)
    assert operators.heard == [("alert_raised", "slow_reply")]
    assert len(set(operators.keys)) == 1


def test_what_operators_refuse_is_not_told_again(
    make_watch: MakeWatch, counted: Counted, operators: Operators, clock: FakeClock
) -> None:
    watch = make_watch()
    watch.tick()
    be_slow(counted)
    operators.outages = [ProviderRejected("operator_webhook", "HTTP 404")]
    turn(clock, watch, 60)
    assert (operators.heard, len(operators.keys)) == ([], 1)


def test_without_an_address_alerts_are_shown_all_the_same(
    tmp_path: Path, clock: FakeClock, counted: Counted
) -> None:
    watch = Watch(tmp_path, clock, ProcessFigures("test", None), 10, figures=counted.figures)
    watch.tick()
    be_slow(counted)
    watch.tick()
    assert len(watch.alerts()) == 1
    watch.stop()


def test_a_file_of_alerts_that_is_broken_is_as_none(make_watch: MakeWatch, tmp_path: Path) -> None:
    watch = make_watch()
    watch.tick()
    for content in ("", "{", "[]", '{"active": 1, "untold": 2}', '{"active": [{}], "untold": []}'):
        (tmp_path / "metrics" / "alerts.json").write_text(content)
        assert watch.alerts() == []


def test_the_gauge_tells_of_an_alert_and_of_its_end(
    make_watch: MakeWatch, counted: Counted, clock: FakeClock
) -> None:
    watch = make_watch()
    watch.tick()
    be_slow(counted)
    watch.tick()
    assert read_figures().total(metrics.ALERTS_ACTIVE, alert="slow_reply") == 1
    turn(clock, watch, WINDOW_S + 90)
    assert read_figures().total(metrics.ALERTS_ACTIVE, alert="slow_reply") == 0


def test_a_tick_publishes_the_process_and_what_it_was_given(tmp_path: Path, clock: FakeClock) -> None:
    gauged = Gauged({"database": lambda: PoolState(5, 2)}, {"lanes": lambda: 7}, {"answers": lambda: 9})
    watch = Watch(tmp_path, clock, ProcessFigures("tested", None), 10, gauged=gauged)
    watch.tick()
    watch.stop()
    figures = read_figures()
    assert figures.total(metrics.POOL_CONNECTIONS, pool="database", state="open") == 5
    assert figures.total(metrics.POOL_CONNECTIONS, pool="database", state="busy") == 2
    assert figures.total(metrics.QUEUE_DEPTH, queue="lanes") == 7
    assert figures.total(metrics.CACHE_ENTRIES, cache="answers") == 9
    assert figures.total(metrics.PROCESSES, process="tested") == 1
    assert figures.total(metrics.MEMORY_BYTES, process="tested") > 1e6
    assert figures.total(metrics.CPU_SECONDS, process="tested") > 0


def test_a_watch_runs_in_a_thread_and_ends(make_watch: MakeWatch, tmp_path: Path) -> None:
    watch = make_watch()
    watch.start()
    watch.stop()
    # It has looked once at least, and the lock is free again.
    other = make_watch()
    other.tick()
    assert other.alerts() == []


def test_history_keeps_no_more_than_its_window(clock: FakeClock, counted: Counted) -> None:
    history = History(clock)
    for _ in range(200):
        history.add(counted.add(metrics.DATABASE_ERRORS).figures())
        clock.advance(5)
    recent = history.recent(counted.figures())
    assert WINDOW_S <= recent.seconds <= WINDOW_S + 20
    assert recent.window.total(metrics.DATABASE_ERRORS) < recent.total.total(metrics.DATABASE_ERRORS) == 200


async def test_a_loop_that_is_held_up_is_late(clock: FakeClock) -> None:
    lag = LoopLag(clock)
    assert lag.worst_s() == 0
    running = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    clock.advance(2.25)
    # Seen from another thread while it lasts, and remembered for a while after.
    assert lag.worst_s() == pytest.approx(2)
    while not lag._late:
        await asyncio.sleep(0.05)
    assert lag.worst_s() == pytest.approx(2)
    clock.advance(0.25)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert lag.worst_s() == pytest.approx(2)
    clock.advance(20)
    assert lag.worst_s() == 0


async def test_what_a_loop_has_under_way_is_counted_from_any_thread(clock: FakeClock) -> None:
    lag = LoopLag(clock)
    assert lag.tasks() == 0
    running = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    before = await asyncio.to_thread(lag.tasks)
    never = asyncio.create_task(asyncio.Event().wait())
    assert await asyncio.to_thread(lag.tasks) == before + 1
    for task in (never, running):
        task.cancel()
    await asyncio.gather(never, running, return_exceptions=True)

"""Calls wait for room in the order in which they came; what is not used goes back."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from server.domain.pacing import Seconds, Want, charge
from server.errors import ProviderBusy, StoreUnavailable
from server.llm import waiting_line
from server.llm.limiter import Permit, RateLimiter
from server.llm.shared_buckets import OwnBuckets
from server.llm.waiting_line import FIRST_CALLS
from server.ports.ai import RateHeaders

FAST = 60_000.0


class Buckets(OwnBuckets):
    """Notes what is asked of it; ``gate`` holds answers up, ``outage`` is raised."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[list[float], Seconds]] = []
        self.keys: set[str] = set()
        self.holds: list[Seconds] = []
        self.gate = threading.Event()
        self.gate.set()
        self.outage: Exception | None = None

    def take(self, key: str, wants: Sequence[Want], used: Seconds) -> Sequence[float | None]:
        self.keys.add(key)
        self.asked.append(([want.requests.seconds for want in wants], used))
        assert self.gate.wait(10)
        if self.outage is not None:
            raise self.outage
        return super().take(key, wants, used)

    def hold(self, key: str, until: Seconds) -> None:
        self.holds.append(until)
        super().hold(key, until)

    def missing_s(self, per_minute: float) -> float:
        """How far the only key is from full, by way of one who asks to wait."""
        (key,) = self.keys
        (wait,) = super().take(key, [Want(charge(per_minute, 1), charge(0, 0), 1000)], Seconds())
        assert wait is not None
        return wait


@pytest.fixture
def buckets() -> Buckets:
    return Buckets()


class Desk:
    """Makes limiters and closes them."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._made: list[RateLimiter] = []

    def limiter(self, requests: float = FAST, tokens: float = 0) -> RateLimiter:
        self._made.append(RateLimiter(self._buckets, requests, tokens))
        return self._made[-1]

    def close(self) -> None:
        for limiter in self._made:
            limiter.close()


@pytest_asyncio.fixture
async def desk(buckets: Buckets) -> AsyncIterator[Desk]:
    made = Desk(buckets)
    yield made
    buckets.gate.set()
    await asyncio.to_thread(made.close)


async def settled_but(waiting: Sequence[asyncio.Task[Any]]) -> None:
    """Until all that is asked on the side has been answered; *waiting* may wait on."""
    while others := asyncio.all_tasks() - {asyncio.current_task(), *waiting}:
        await asyncio.wait(others)


async def test_while_limits_are_unknown_nothing_is_asked(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=0)
    (await limiter.acquire("key", 1000, 0)).settle(5000)
    permits = [await limiter.acquire("key", 1000, 0) for _ in range(100)]
    permits[0].settle(5000)
    assert buckets.asked == []


async def test_the_first_calls_learn_the_limits_for_those_who_came_with_them(desk: Desk) -> None:
    limiter = desk.limiter(requests=0)
    calls = [asyncio.create_task(limiter.acquire("key", 10, 0.5)) for _ in range(100)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == FIRST_CALLS
    done.pop().result().learn(RateHeaders(limit_requests=60))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, Permit) for result in results) <= FIRST_CALLS + 3


async def test_a_provider_that_tells_nothing_is_not_waited_for_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_line, "FIRST_ANSWER_S", 0.5)
    limiter = desk.limiter(requests=0)
    await asyncio.gather(*(limiter.acquire("key", 10, 5) for _ in range(100)))
    permits = [await limiter.acquire("key", 10, 5) for _ in range(100)]
    # Far from the half second that a second wait would take, on a busy machine too.
    assert max(permit.waited_ms for permit in permits) < 400


async def test_who_cannot_wait_for_the_first_answer_goes_without_it(desk: Desk) -> None:
    limiter = desk.limiter(requests=0)
    for _ in range(FIRST_CALLS):
        await limiter.acquire("key", 10, 5)
    assert (await limiter.acquire("key", 10, 0)).waited_ms < 500
    late = asyncio.create_task(limiter.acquire("key", 10, 5))
    await asyncio.sleep(0)
    assert not late.done()
    await late


async def test_limits_are_learnt_from_headers(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=0)
    (await limiter.acquire("key", 10, 0)).learn(RateHeaders(limit_requests=10))
    await limiter.acquire("key", 10, 0)
    with pytest.raises(ProviderBusy):
        await limiter.acquire("key", 10, 0.1)
    # An answer that tells nothing takes nothing back.
    (await desk.limiter(requests=0).acquire("key", 10, 0)).learn(RateHeaders())
    with pytest.raises(ProviderBusy):
        await limiter.acquire("key", 10, 0.1)


async def test_the_narrower_of_setting_and_header_holds(desk: Desk) -> None:
    limiter = desk.limiter(requests=FAST)
    permit = await limiter.acquire("key", 10, 0)
    await settled_but([])
    permit.learn(RateHeaders(limit_requests=1))
    for _ in range(1000):
        try:
            await limiter.acquire("key", 10, 0.1)
        except ProviderBusy:
            break
    else:
        pytest.fail("a header's limit was not heeded")


async def test_while_there_is_plenty_calls_go_from_memory(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter()
    await limiter.acquire("key", 10, 0)
    for _ in range(250):
        await limiter.acquire("key", 10, 0)
    assert len(buckets.asked) == 1


async def test_a_small_limit_is_not_taken_ahead_of(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=90)
    await limiter.acquire("key", 10, 0)
    await limiter.acquire("key", 10, 0)
    assert [seconds for seconds, _ in buckets.asked] == [[charge(90, 1).seconds, 0.0]] * 2


async def test_the_key_itself_is_told_to_nobody(desk: Desk, buckets: Buckets) -> None:
    await desk.limiter().acquire("sk-secret", 10, 0)
    (name,) = buckets.keys
    assert "secret" not in name
    assert len(name) == 64


async def test_who_asks_first_goes_first(desk: Desk) -> None:
    limiter = desk.limiter(requests=9_000)
    went: list[int] = []

    async def call(number: int) -> None:
        # Later ones are smaller: they must not slip through.
        await limiter.acquire("key", 1000 - number, 10)
        went.append(number)

    await asyncio.gather(*(call(number) for number in range(400)))
    assert went == sorted(went)


async def test_processes_that_share_the_buckets_go_in_the_order_of_asking(desk: Desk) -> None:
    one, other = desk.limiter(requests=3_000), desk.limiter(requests=3_000)
    for _ in range(150):
        await one.acquire("key", 1, 10)
    went: list[str] = []

    async def call(name: str, limiter: RateLimiter) -> None:
        await limiter.acquire("key", 1, 10)
        went.append(name)

    waiting = []
    for number in range(6):
        waiting.append(asyncio.create_task(call(str(number), (one, other)[number % 2])))
        # The next one asks once this one's place is known.
        await asyncio.sleep(0)
        await settled_but(waiting)
    await asyncio.gather(*waiting)
    assert went == sorted(went)


async def test_who_is_refused_leaves_nothing_behind(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=10)
    await limiter.acquire("key", 1, 0)
    before = buckets.missing_s(10)
    for _ in range(20):
        with pytest.raises(ProviderBusy):
            await limiter.acquire("key", 1, 0.5)
    assert buckets.missing_s(10) <= before + charge(10, 1).seconds


async def test_who_goes_away_gives_the_place_to_the_next(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=99)
    for _ in range(3):
        await limiter.acquire("key", 1, 0)
    waiting = [asyncio.create_task(limiter.acquire("key", 1, 60)) for _ in range(21)]
    while len(buckets.asked) < 4:
        await asyncio.sleep(0)
    await settled_but(waiting)
    for task in waiting[:20]:
        task.cancel()
    # It would have had to wait for more than ten seconds.
    await asyncio.wait_for(waiting[20], 5)
    await settled_but([])
    assert buckets.missing_s(99) < 2


async def test_who_goes_away_while_the_buckets_are_asked_leaves_nothing_behind(
    desk: Desk, buckets: Buckets
) -> None:
    limiter = desk.limiter(requests=60)
    await limiter.acquire("key", 1, 0)
    buckets.gate.clear()
    waiting = [asyncio.create_task(limiter.acquire("key", 1, 60)) for _ in range(9)]
    while len(buckets.asked) < 2:
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    buckets.gate.set()
    await settled_but([])
    assert buckets.missing_s(60) < 3


async def test_real_usage_corrects_the_estimate(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=0, tokens=18_000)
    first = await limiter.acquire("key", 200, 0)
    first.settle(100)
    first.settle(100)
    second = await limiter.acquire("key", 200, 0)
    second.settle(300)
    unknown = await limiter.acquire("key", 200, 0)
    unknown.settle(None)
    await limiter.acquire("key", 20, 0)
    corrections = [used.tokens for _, used in buckets.asked]
    a_token = charge(18_000, 200).seconds / 200
    assert corrections == pytest.approx([0, -100 * a_token, 100 * a_token, 0])


async def test_a_provider_with_nothing_left_is_believed(desk: Desk, buckets: Buckets) -> None:
    limiter, other = desk.limiter(), desk.limiter()
    permit = await limiter.acquire("key", 10, 0)
    permit.learn(RateHeaders(limit_requests=60_000, remaining_requests=0, reset_requests_s=20))
    for asked in (limiter, other):
        with pytest.raises(ProviderBusy):
            await asked.acquire("key", 10, 10)


async def test_what_our_own_pace_leaves_is_no_alarm(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter()
    permit = await limiter.acquire("key", 10, 0)
    permit.learn(RateHeaders(limit_requests=60_000, remaining_requests=3_000, reset_requests_s=57))
    assert buckets.holds == []
    # Who may not wait is not turned away.
    await limiter.acquire("key", 10, 0)


async def test_those_who_wait_are_told_when_the_provider_has_nothing_left(
    desk: Desk, buckets: Buckets
) -> None:
    limiter = desk.limiter(requests=60)
    permit = await limiter.acquire("key", 1, 0)
    waiting = [asyncio.create_task(limiter.acquire("key", 1, 8)) for _ in range(5)]
    while len(buckets.asked) < 2:
        await asyncio.sleep(0)
    permit.learn(RateHeaders(limit_requests=60, remaining_requests=0, reset_requests_s=30))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert any(isinstance(result, ProviderBusy) for result in results[1:])


async def test_buckets_that_do_not_answer_do_not_stop_calls(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=60)
    buckets.outage = StoreUnavailable("away")
    await limiter.acquire("key", 1, 0)
    asked = len(buckets.asked)
    # This process counts alone, and does not ask again at once.
    await limiter.acquire("key", 1, 0)
    with pytest.raises(ProviderBusy):
        await limiter.acquire("key", 1, 0)
    assert len(buckets.asked) == asked


async def test_buckets_that_hang_do_not_hold_calls_up(desk: Desk, buckets: Buckets) -> None:
    limiter = desk.limiter(requests=60)
    buckets.gate.clear()
    await asyncio.wait_for(limiter.acquire("key", 1, 0), 5)


@pytest.mark.parametrize("seed", range(3))
async def test_however_calls_come_and_go_everybody_hears_and_nobody_is_left(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - guards no secret
    limiters = [desk.limiter(requests=6_000, tokens=600_000) for _ in range(2)]
    loop, mishaps = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _loop, mishap: mishaps.append(mishap))

    async def call(limiter: RateLimiter, comes_after_s: float) -> None:
        await asyncio.sleep(comes_after_s)
        permit = await limiter.acquire("key", chance.choice([20, 100, 300]), chance.random() / 4)
        if chance.random() < 0.02:
            permit.learn(RateHeaders(limit_requests=6_000, remaining_requests=0, reset_requests_s=0.01))
        permit.settle(chance.choice([None, 10, 300]))

    calls = [asyncio.create_task(call(chance.choice(limiters), chance.random() / 4)) for _ in range(200)]
    for task in calls:
        if chance.random() < 0.4:
            loop.call_later(chance.random() / 2, task.cancel)
    done, late = await asyncio.wait(calls, timeout=20)
    assert not late
    failures = [task.exception() for task in done if not task.cancelled()]
    assert all(failure is None or isinstance(failure, ProviderBusy) for failure in failures)
    assert failures.count(None) > 20
    assert mishaps == []

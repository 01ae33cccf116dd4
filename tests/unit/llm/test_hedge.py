"""A second request is made late and seldom; whichever speaks first is heard, and the other is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import ProviderUnavailable
from server.llm.hedge import FirstTokens, Hedge, Stream, first_to_speak
from server.ports.ai import ChatLine, ModelRequest
from tests.fakes.language_model import FakeModel

AT_ONCE = 0.0
NEVER = 60.0


def a_call(outcome: CallOutcome, total_ms: float, first_token_ms: float | None = None) -> ModelCall:
    return ModelCall(
        provider="p",
        model="m",
        outcome=outcome,
        started_at=datetime.now(UTC),
        first_token_ms=first_token_ms,
        total_ms=total_ms,
        waited_ms=0,
        prompt_tokens=0,
        completion_tokens=0,
        cost_micros=0,
    )


def a_hedge(first_tokens_ms: Sequence[float], *, is_on: bool = True) -> Hedge:
    hedge = Hedge(is_on=is_on)
    for milliseconds in first_tokens_ms:
        hedge.ended(a_call(CallOutcome.ANSWERED, 1000, milliseconds))
    return hedge


# When.


def test_percentiles_are_of_what_was_seen_last() -> None:
    times = FirstTokens(window=100)
    assert times.percentile(95) is None
    for milliseconds in (9999, *range(1, 101)):
        times.add(milliseconds)
    assert [times.percentile(percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]


def test_it_waits_a_little_longer_than_nearly_all_took() -> None:
    after_s = a_hedge([100] * 95 + [400] * 2 + [900] * 3).after_s()
    assert after_s is not None
    assert 0.1 < after_s < 0.2


def test_too_few_calls_tell_nothing() -> None:
    assert a_hedge([100] * 19).after_s() is None
    assert a_hedge([100] * 20).after_s() is not None


def test_a_fast_model_is_given_fifty_milliseconds() -> None:
    assert a_hedge([1] * 50).after_s() == 0.05


def test_switched_off_it_never_comes_and_the_figures_stay() -> None:
    hedge = a_hedge([100] * 50, is_on=False)
    assert hedge.after_s() is None
    assert hedge.first_tokens.percentile(50) == 100


def test_one_call_in_ten_is_doubled_at_most() -> None:
    hedge = a_hedge([100] * 50)
    doubled = 0
    for _ in range(1000):
        hedge.after_s()
        doubled += hedge.may_spend()
    assert 95 <= doubled <= 105


def test_a_quiet_time_saves_up_no_burst() -> None:
    hedge = a_hedge([100] * 50)
    for _ in range(1000):
        hedge.after_s()
    assert [hedge.may_spend() for _ in range(5)] == [True, True, True, False, False]


def test_a_call_dropped_while_it_was_late_counts_as_late() -> None:
    hedge = a_hedge([100] * 100)
    for _ in range(20):
        hedge.ended(a_call(CallOutcome.DROPPED, 110))
    assert hedge.first_tokens.percentile(95) == 110


def test_a_call_dropped_early_or_failed_tells_nothing_of_speed() -> None:
    hedge = a_hedge([100] * 20)
    hedge.ended(a_call(CallOutcome.DROPPED, 5))
    hedge.ended(a_call(CallOutcome.TIMED_OUT, 3500))
    assert len(hedge.first_tokens) == 20


# Who is heard.


class Race:
    """A model, asked once or twice; ``tell`` is called as each call ends."""

    def __init__(self, *scripts: object) -> None:
        self.model = FakeModel(*scripts)  # type: ignore[arg-type]
        self.calls: list[ModelCall] = []
        self.tell: Callable[[], None] = lambda: None

    def ask(self) -> Stream:
        request = ModelRequest([ChatLine("user", "When?")], 20, 20, account=self._ended)
        return self.model.stream(request)

    def _ended(self, call: ModelCall) -> None:
        self.calls.append(call)
        self.tell()

    async def run(self, after_s: float, second: Callable[[], Stream | None] | None = None) -> str:
        async with first_to_speak(self.ask(), second or self.ask, after_s) as (said, stream):
            words = [event for event in said if isinstance(event, str)]
            return "".join(words + [event async for event in stream if isinstance(event, str)])

    @property
    def outcomes(self) -> list[CallOutcome]:
        return [call.outcome for call in self.calls]


async def test_a_first_that_speaks_in_time_is_the_only_one() -> None:
    race = Race("At three.")
    assert await race.run(NEVER) == "At three."
    assert race.outcomes == [CallOutcome.ANSWERED]


async def test_a_second_that_is_quicker_is_heard_and_the_first_is_closed() -> None:
    race = Race([asyncio.Event(), "late"], "At three.")
    assert await race.run(AT_ONCE) == "At three."
    assert sorted(race.outcomes) == [CallOutcome.ANSWERED, CallOutcome.DROPPED]


async def test_a_first_that_speaks_after_all_is_heard_and_the_second_is_closed() -> None:
    speaks = asyncio.Event()
    race = Race([speaks, "At three."], [asyncio.Event(), "late"])

    def second() -> Stream:
        speaks.set()
        return race.ask()

    assert await race.run(AT_ONCE, second) == "At three."
    assert sorted(race.outcomes) == [CallOutcome.ANSWERED, CallOutcome.DROPPED]


async def test_without_leave_for_a_second_the_first_is_waited_for() -> None:
    speaks = asyncio.Event()
    race = Race([speaks, "At three."])

    def refuse() -> None:
        speaks.set()

    assert await race.run(AT_ONCE, refuse) == "At three."


async def test_a_first_that_fails_leaves_the_answer_to_the_second() -> None:
    fails = asyncio.Event()
    race = Race([fails, ProviderUnavailable("model", "first")], ["At three."])

    def second() -> Stream:
        fails.set()
        return race.ask()

    assert await race.run(AT_ONCE, second) == "At three."


async def test_a_second_that_fails_takes_nothing_from_the_first() -> None:
    speaks = asyncio.Event()
    race = Race([speaks, "At three."], [ProviderUnavailable("model", "second")])
    race.tell = speaks.set
    assert await race.run(AT_ONCE) == "At three."
    assert race.outcomes == [CallOutcome.UNAVAILABLE, CallOutcome.ANSWERED]


async def test_when_both_fail_the_first_tells_why() -> None:
    fails = asyncio.Event()
    race = Race(
        [fails, ProviderUnavailable("model", "first")], [fails, ProviderUnavailable("model", "second")]
    )

    def second() -> Stream:
        fails.set()
        return race.ask()

    with pytest.raises(ProviderUnavailable, match="first"):
        await race.run(AT_ONCE, second)
    assert race.outcomes == [CallOutcome.UNAVAILABLE] * 2


async def test_a_reader_that_leaves_ends_both() -> None:
    race = Race([asyncio.Event()], [asyncio.Event()])
    both = asyncio.Event()

    def second() -> Stream:
        both.set()
        return race.ask()

    task = asyncio.create_task(race.run(AT_ONCE, second))
    await both.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert race.outcomes == [CallOutcome.DROPPED] * 2

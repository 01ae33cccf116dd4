"""Of several models the first that answers is heard, within one limit; every call is accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from server.llm.breaker import BreakerState
from server.llm.chain import ModelChain
from server.llm.link import Link
from server.ports.ai import (
    ChatLine,
    Finished,
    ModelEvent,
    ModelRequest,
    RateHeaders,
    Restarted,
    ToolCall,
)
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel, Step
from tests.support.models import FreeLimiter, FreePermit, a_chain, a_link

REQUEST = ModelRequest([ChatLine("user", "When?" * 7)], first_token_s=3.5, total_s=8)
AWAY = ProviderUnavailable("model", "HTTP 503")
REFUSED = ProviderRejected("model", "HTTP 401")
LATE = ProviderTimeout("model", "no first token in time")


class SlowModel(FakeModel):
    """Takes all the time it is given to its first word, and says none."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.scripts.append([LATE])
        self._clock.advance(request.first_token_s)
        return super().stream(request)


class BusyLimiter(FreeLimiter):
    """Has no room for the keys in ``full``; takes all the time it is given to find out."""

    def __init__(self, clock: FakeClock, *full: str) -> None:
        super().__init__()
        self._clock = clock
        self._full = full

    async def acquire(self, key: str, tokens: int, within_s: float) -> FreePermit:
        if key in self._full:
            self.asked.append((key, tokens, within_s))
            self._clock.advance(within_s)
            raise ProviderBusy("model", "no room")
        return await super().acquire(key, tokens, within_s)


def two(first: FakeModel, second: FakeModel, clock: FakeClock) -> tuple[Link, Link]:
    return a_link(first, clock, model="one"), a_link(second, clock, model="two")


async def ask(chain: ModelChain, request: ModelRequest = REQUEST) -> list[ModelEvent]:
    return [event async for event in chain.stream(request)]


def said(events: list[ModelEvent]) -> str:
    """The words that stand at the end."""
    words: list[str] = []
    for event in events:
        if isinstance(event, Restarted):
            words.clear()
        elif isinstance(event, str):
            words.append(event)
    return "".join(words)


@pytest.mark.parametrize("failure", [AWAY, REFUSED, LATE], ids=["away", "refused", "late"])
async def test_the_next_model_answers_when_one_fails(clock: FakeClock, failure: ProviderError) -> None:
    events = await ask(a_chain(*two(FakeModel([failure]), FakeModel("At three."), clock), clock=clock))
    assert said(events) == "At three."
    assert Restarted() not in events


async def test_the_second_is_not_asked_while_the_first_answers(clock: FakeClock) -> None:
    second = FakeModel("Not asked.")
    assert said(await ask(a_chain(*two(FakeModel("At three."), second, clock), clock=clock))) == "At three."
    assert second.requests == []


@pytest.mark.parametrize("failure", [AWAY, LATE], ids=["cut", "silent"])
async def test_words_of_an_answer_that_broke_off_are_void(clock: FakeClock, failure: ProviderError) -> None:
    first = FakeModel(["At ", "four", failure])
    events = await ask(a_chain(*two(first, FakeModel("At three."), clock), clock=clock))
    assert events[:3] == ["At ", "four", Restarted()]
    assert said(events) == "At three."
    assert isinstance(events[-1], Finished)


async def test_even_a_space_is_taken_back(clock: FakeClock) -> None:
    events = await ask(a_chain(*two(FakeModel(["\n", AWAY]), FakeModel("At three."), clock), clock=clock))
    assert events[:2] == ["\n", Restarted()]


async def test_a_tool_call_of_an_answer_that_broke_off_is_void(clock: FakeClock) -> None:
    first = FakeModel([ToolCall("1", "look_up", "{}"), AWAY])
    events = await ask(a_chain(*two(first, FakeModel("At three."), clock), clock=clock))
    assert Restarted() in events


async def test_when_none_answers_the_last_tells_why(clock: FakeClock) -> None:
    chain = a_chain(*two(FakeModel([REFUSED]), FakeModel([AWAY], [LATE]), clock), clock=clock)
    with pytest.raises(ProviderTimeout):
        await ask(chain)


async def test_when_all_have_failed_and_time_is_left_each_is_asked_once_more(clock: FakeClock) -> None:
    first, second = FakeModel([AWAY], [LATE]), FakeModel([AWAY], "At three.")
    assert said(await ask(a_chain(*two(first, second, clock), clock=clock))) == "At three."
    assert [len(model.requests) for model in (first, second)] == [2, 2]


async def test_no_restart_is_told_where_nobody_begins_anew(clock: FakeClock) -> None:
    stream = a_chain(a_link(FakeModel(["At ", REFUSED]), clock), clock=clock).stream(REQUEST)
    assert await anext(stream) == "At "
    with pytest.raises(ProviderRejected):
        await anext(stream)


async def test_a_model_that_is_alone_is_asked_twice(clock: FakeClock) -> None:
    model = FakeModel([AWAY], "At three.")
    assert said(await ask(a_chain(a_link(model, clock), clock=clock))) == "At three."


async def test_a_model_that_refuses_is_not_asked_again(clock: FakeClock) -> None:
    model = FakeModel([REFUSED], "Not asked.")
    with pytest.raises(ProviderRejected):
        await ask(a_chain(a_link(model, clock), clock=clock))
    assert len(model.requests) == 1


# Time.


async def test_a_model_that_never_speaks_leaves_the_next_a_fair_share(clock: FakeClock) -> None:
    models = [SlowModel(clock), SlowModel(clock), SlowModel(clock)]
    links = [a_link(model, clock, model=str(place)) for place, model in enumerate(models)]
    with pytest.raises(ProviderTimeout):
        await ask(a_chain(*links, clock=clock))
    assert [model.requests[0].first_token_s for model in models] == [3.5, 2.25, 2.25]
    assert clock.monotonic() <= REQUEST.total_s


async def test_two_tries_fit_where_the_first_word_may_take_nearly_all(clock: FakeClock) -> None:
    first, second = SlowModel(clock), FakeModel("At three.")
    request = replace(REQUEST, first_token_s=7)
    assert said(await ask(a_chain(*two(first, second, clock), clock=clock), request)) == "At three."
    assert [first.requests[0].first_token_s, second.requests[0].first_token_s] == [4, 4]


async def test_no_model_is_asked_once_the_time_is_over(clock: FakeClock) -> None:
    second = FakeModel("Not asked.")
    limiter = FreeLimiter()
    chain = a_chain(*two(SlowModel(clock), second, clock), clock=clock, limiter=limiter)
    stream = chain.stream(REQUEST)
    clock.advance(REQUEST.total_s)
    with pytest.raises(ProviderUnavailable):
        await anext(stream)
    assert second.requests == []
    assert limiter.asked == []


async def test_a_profile_has_its_own_limits_within_those_of_the_request(clock: FakeClock) -> None:
    model = FakeModel("At three.")
    link = a_link(model, clock, first_token_s=6, total_s=5)
    await ask(a_chain(link, a_link(FakeModel(), clock, model="two"), clock=clock))
    assert (model.requests[0].first_token_s, model.requests[0].total_s) == (4, 5)


# Breakers.


async def test_a_model_that_keeps_failing_is_passed_over(clock: FakeClock) -> None:
    first, second = FakeModel(*[[AWAY]] * 5), FakeModel(*["At three."] * 7)
    links = two(first, second, clock)
    chain = a_chain(*links, clock=clock)
    for _ in range(7):
        assert said(await ask(chain)) == "At three."
    assert len(first.requests) == 5
    assert chain.stats()[0].breaker is BreakerState.OPEN


async def test_a_model_that_works_again_is_found_out(clock: FakeClock) -> None:
    first, second = FakeModel(*[[AWAY]] * 5, *["I am back."] * 2), FakeModel(*["At three."] * 5)
    chain = a_chain(*two(first, second, clock), clock=clock)
    for _ in range(5):
        await ask(chain)
    clock.advance(10)
    assert [said(await ask(chain)) for _ in range(2)] == ["I am back."] * 2


async def test_with_every_breaker_open_the_answer_is_no_at_once(clock: FakeClock) -> None:
    model = FakeModel(*[[AWAY]] * 5)
    chain = a_chain(a_link(model, clock), clock=clock)
    for _ in range(4):
        with pytest.raises(ProviderUnavailable):
            await ask(chain)
    assert len(model.requests) == 5


async def test_answers_that_nobody_waited_for_open_no_breaker(clock: FakeClock) -> None:
    scripts: list[list[Step]] = [["At ", asyncio.Event()] for _ in range(9)]
    chain = a_chain(a_link(FakeModel(*scripts), clock), clock=clock)
    for _ in range(9):
        stream = chain.stream(REQUEST)
        await anext(stream)
        await stream.aclose()
    (stats,) = chain.stats()
    assert (stats.breaker, stats.calls, stats.dropped, stats.failures) == (BreakerState.CLOSED, 9, 9, 0)


# Permits and accounts.


async def test_a_permit_is_asked_for_what_the_call_may_take_and_settled_by_what_it_took() -> None:
    limiter = FreeLimiter(waited_ms=12)
    calls: list[ModelCall] = []
    chain = a_chain(a_link(FakeModel("At three."), max_tokens=90), limiter=limiter)
    await ask(chain, replace(REQUEST, account=calls.append))
    assert [(key, tokens) for key, tokens, _ in limiter.asked] == [("key:openai:gpt-4o-mini", 10 + 90)]
    (call,) = calls
    assert call.waited_ms == 12
    assert limiter.permits[0].settled == [call.prompt_tokens + call.completion_tokens]


async def test_what_a_provider_tells_of_its_limits_goes_to_the_permit_alone() -> None:
    told = RateHeaders(limit_requests=5)
    limiter = FreeLimiter()
    events = await ask(a_chain(a_link(FakeModel([told, "At three."])), limiter=limiter))
    assert limiter.permits[0].learned == [told]
    assert told not in events


async def test_a_model_without_room_is_passed_over_and_not_accounted_for(clock: FakeClock) -> None:
    calls: list[ModelCall] = []
    first = FakeModel("Not asked.")
    chain = a_chain(
        *two(first, FakeModel("At three."), clock),
        clock=clock,
        limiter=BusyLimiter(clock, "key:openai:one"),
    )
    assert said(await ask(chain, replace(REQUEST, account=calls.append))) == "At three."
    assert first.requests == []
    assert [call.outcome for call in calls] == [CallOutcome.ANSWERED]


async def test_the_wait_for_room_leaves_time_for_an_answer(clock: FakeClock) -> None:
    limiter = BusyLimiter(clock, "key:openai:one", "key:openai:two")
    with pytest.raises(ProviderBusy):
        await ask(a_chain(*two(FakeModel(), FakeModel(), clock), clock=clock, limiter=limiter))
    assert [within_s for _, _, within_s in limiter.asked] == [2, 3]


async def test_a_model_that_is_alone_and_full_is_waited_for_once(clock: FakeClock) -> None:
    limiter = BusyLimiter(clock, "key:openai:gpt-4o-mini")
    with pytest.raises(ProviderBusy):
        await ask(a_chain(a_link(FakeModel(), clock), clock=clock, limiter=limiter))
    assert len(limiter.asked) == 1


async def test_each_call_is_one_line_in_the_accounts(clock: FakeClock) -> None:
    calls: list[ModelCall] = []
    chain = a_chain(*two(FakeModel(["At ", AWAY]), FakeModel("At three."), clock), clock=clock)
    await ask(chain, replace(REQUEST, account=calls.append))
    assert [call.outcome for call in calls] == [CallOutcome.UNAVAILABLE, CallOutcome.ANSWERED]


async def test_figures_are_kept_for_each_model(clock: FakeClock) -> None:
    chain = a_chain(*two(FakeModel([LATE], "At two."), FakeModel("At three."), clock), clock=clock)
    await ask(chain)
    await ask(chain)
    first, second = chain.stats()
    assert (first.calls, first.failures, first.timeouts, second.calls, second.failures) == (2, 1, 1, 1, 0)
    assert first.first_token_p50_ms is not None
    assert first.last_used is not None


# Hedging.


def a_practised_link(model: FakeModel) -> Link:
    """One whose model usually speaks at once."""
    link = a_link(model, hedging=True)
    for _ in range(20):
        link.hedge.first_tokens.add(1)
    return link


async def test_a_late_first_word_is_asked_for_twice_and_both_calls_are_paid() -> None:
    calls: list[ModelCall] = []
    limiter = FreeLimiter()
    link = a_practised_link(FakeModel([asyncio.Event()], "At three."))
    chain = a_chain(link, limiter=limiter)
    assert said(await ask(chain, replace(REQUEST, account=calls.append))) == "At three."
    assert sorted(call.outcome for call in calls) == [CallOutcome.ANSWERED, CallOutcome.DROPPED]
    assert [len(permit.settled) for permit in limiter.permits] == [1, 1]
    (stats,) = chain.stats()
    assert (stats.calls, stats.hedged, stats.dropped, stats.failures) == (2, 1, 1, 0)


async def test_a_second_request_has_what_is_left_of_the_limits() -> None:
    model = FakeModel([asyncio.Event()], "At three.")
    await ask(a_chain(a_practised_link(model)))
    first, second = model.requests
    assert second.first_token_s <= first.first_token_s - 0.05
    assert second.total_s <= first.total_s - 0.05


async def test_a_second_request_without_room_leaves_the_first_alone() -> None:
    speaks = asyncio.Event()

    class FullForTwo(FreeLimiter):
        async def acquire(self, key: str, tokens: int, within_s: float) -> FreePermit:
            if self.permits:
                speaks.set()
                raise ProviderBusy("model", "no room")
            return await super().acquire(key, tokens, within_s)

    model = FakeModel([speaks, "At three."])
    link = a_practised_link(model)
    assert said(await ask(a_chain(link, limiter=FullForTwo()))) == "At three."
    assert (len(model.requests), link.hedged) == (1, 0)


async def test_a_chain_warms_and_closes_all_its_models(clock: FakeClock) -> None:
    models = FakeModel(), FakeModel()
    chain = a_chain(*two(*models, clock))
    await chain.warm()
    await chain.aclose()
    assert [model.is_closed for model in models] == [True, True]

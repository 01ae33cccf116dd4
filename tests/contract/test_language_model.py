"""What every ``LanguageModel`` keeps: the fake, the OpenAI adapter, and a chain of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Protocol

import pytest

from server.domain.model_calls import CallOutcome, ModelCall
from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.ai import ChatLine, Finished, LanguageModel, ModelEvent, ModelRequest
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from tests.fakes.language_model import FakeModel, Step
from tests.support.models import a_chain, a_link, an_openai_model

TEXT = "Check-in is from three."
PATIENT = ModelRequest([ChatLine("user", "When?")], first_token_s=20, total_s=20)
# Long enough for a whole answer of a model that does not wait.
HASTY = ModelRequest([ChatLine("user", "When?")], first_token_s=0.5, total_s=0.5)


class Stage(Protocol):
    """A model, and how to make it behave from the next request on."""

    @property
    def model(self) -> LanguageModel: ...

    def says(self, text: str) -> None: ...

    def never_begins(self) -> None: ...

    def stops_midway(self, text: str) -> None: ...

    def breaks_off(self, text: str) -> None: ...

    def is_out_of_order(self) -> None: ...

    def refuses(self) -> None: ...

    async def left_early(self) -> int:
        """How many streams were closed by us before their end."""
        ...


class FakeStage:
    """Drives the fake."""

    def __init__(self) -> None:
        self._fake = FakeModel()
        self.model: LanguageModel = self._fake

    def says(self, text: str) -> None:
        self._fake.scripts.append(text)

    def never_begins(self) -> None:
        self._always([asyncio.Event()])

    def stops_midway(self, text: str) -> None:
        self._always([text, asyncio.Event()])

    def breaks_off(self, text: str) -> None:
        self._always([text, ProviderUnavailable("model", "broken off")])

    def is_out_of_order(self) -> None:
        self._always([ProviderUnavailable("model", "HTTP 503")])

    def refuses(self) -> None:
        self._always([ProviderRejected("model", "HTTP 401")])

    async def left_early(self) -> int:
        return self._fake.left_early

    def _always(self, script: list[Step]) -> None:
        self._fake.scripts.append(script)


class ChainOfFakesStage(FakeStage):
    """Drives the only model of a chain, which is asked once more when it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.model = a_chain(a_link(self._fake))

    def _always(self, script: list[Step]) -> None:
        self._fake.scripts += [script, script]


class ServerStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        self._simulator = simulator
        self.model: LanguageModel = an_openai_model(simulator.base_url)

    def says(self, text: str) -> None:
        self._simulator.control(reply=text)

    def never_begins(self) -> None:
        self._simulator.control(hang="first_token")

    def stops_midway(self, text: str) -> None:
        self._simulator.control(hang="mid_stream", reply=text)

    def breaks_off(self, text: str) -> None:
        self._simulator.control(cut_after_tokens=2, reply=text)

    def is_out_of_order(self) -> None:
        self._simulator.control(error_status=503)

    def refuses(self) -> None:
        self._simulator.control(api_key="another")

    async def left_early(self) -> int:
        requests = await asyncio.to_thread(self._simulator.requests, settled=True)
        return [request["outcome"] for request in requests].count("client_left")


class ChainOfServersStage(ServerStage):
    """Drives a chain whose models all live on one server."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        super().__init__(simulator)
        self.model = a_chain(
            a_link(an_openai_model(simulator.base_url)),
            a_link(an_openai_model(simulator.base_url, model="gpt-4o"), model="gpt-4o"),
        )


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@pytest.fixture(params=["fake", "openai", "chain of fakes", "chain of servers"])
async def stage(request: pytest.FixtureRequest, simulator: OpenAISimulator) -> AsyncIterator[Stage]:
    make: dict[str, Callable[[], Stage]] = {
        "fake": FakeStage,
        "openai": lambda: ServerStage(simulator),
        "chain of fakes": ChainOfFakesStage,
        "chain of servers": lambda: ChainOfServersStage(simulator),
    }
    made = make[request.param]()
    # What is loaded once must not count against a test's limit.
    await made.model.warm()
    yield made
    await made.model.aclose()


async def read(model: LanguageModel, request: ModelRequest = PATIENT) -> list[ModelEvent]:
    async with aclosing(model.stream(request)) as events:
        return [event async for event in events]


async def outcomes(model: LanguageModel, request: ModelRequest = PATIENT) -> list[CallOutcome]:
    """What became of the calls that a request took, whether it was answered or not."""
    calls: list[ModelCall] = []
    with suppress(ProviderError):
        await read(model, replace(request, account=calls.append))
    return [call.outcome for call in calls]


def words(events: list[ModelEvent]) -> list[str]:
    return [event for event in events if isinstance(event, str)]


async def _exhaust(stream: AsyncIterator[ModelEvent]) -> None:
    async for _ in stream:
        pass


async def first_word(stream: AsyncGenerator[ModelEvent, None]) -> str:
    while not isinstance(event := await anext(stream), str):
        pass
    return event


async def test_the_pieces_in_order_are_the_answer(stage: Stage) -> None:
    stage.says(TEXT)
    pieces = words(await read(stage.model))
    assert "".join(pieces) == TEXT
    assert len(pieces) > 1


async def test_an_answer_ends_with_what_it_took(stage: Stage) -> None:
    stage.says(TEXT)
    last = (await read(stage.model))[-1]
    assert isinstance(last, Finished)
    assert last.model
    assert last.usage is not None
    assert last.usage.completion_tokens > 0


@pytest.mark.parametrize("text", ["", "  "])
async def test_an_answer_without_words_is_none(stage: Stage, text: str) -> None:
    stage.says(text)
    with pytest.raises(ProviderUnavailable):
        await read(stage.model)


async def test_a_model_that_never_begins_is_given_up_at_the_limit(stage: Stage) -> None:
    stage.never_begins()
    with pytest.raises(ProviderTimeout):
        await read(stage.model, HASTY)


async def test_a_model_that_stops_midway_is_given_up_at_the_limit(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    async with aclosing(stage.model.stream(HASTY)) as stream:
        assert TEXT.startswith(await first_word(stream))
        with pytest.raises(ProviderTimeout):
            await _exhaust(stream)


async def test_an_answer_that_breaks_off_is_none(stage: Stage) -> None:
    stage.breaks_off(TEXT)
    with pytest.raises(ProviderUnavailable):
        await read(stage.model)


async def test_a_model_that_is_out_of_order_may_work_later(stage: Stage) -> None:
    stage.is_out_of_order()
    with pytest.raises(ProviderUnavailable):
        await read(stage.model)
    stage.says(TEXT)
    assert "".join(words(await read(stage.model))) == TEXT


async def test_a_refused_request_is_final(stage: Stage) -> None:
    stage.refuses()
    with pytest.raises(ProviderRejected):
        await read(stage.model)


async def test_closing_the_iterator_ends_the_stream(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    stream = stage.model.stream(PATIENT)
    assert await first_word(stream)
    await stream.aclose()
    assert await stage.left_early() == 1


async def test_streams_of_one_model_do_not_mix(stage: Stage) -> None:
    stage.says(TEXT)
    stage.says(TEXT)
    answers = await asyncio.gather(read(stage.model), read(stage.model))
    assert ["".join(words(answer)) for answer in answers] == [TEXT, TEXT]


async def test_closing_the_model_twice_is_harmless(stage: Stage) -> None:
    await stage.model.aclose()
    await stage.model.aclose()


async def test_an_answer_is_one_line_in_the_accounts(stage: Stage) -> None:
    stage.says(TEXT)
    calls: list[ModelCall] = []
    await read(stage.model, replace(PATIENT, account=calls.append))
    (call,) = calls
    assert call.outcome is CallOutcome.ANSWERED
    assert call.first_token_ms is not None
    assert call.first_token_ms <= call.total_ms
    assert call.prompt_tokens > 0
    assert call.completion_tokens > 0


async def test_what_failed_stands_in_the_accounts(stage: Stage) -> None:
    stage.never_begins()
    assert set(await outcomes(stage.model, HASTY)) == {CallOutcome.TIMED_OUT}
    stage.is_out_of_order()
    assert set(await outcomes(stage.model)) == {CallOutcome.UNAVAILABLE}
    stage.refuses()
    assert set(await outcomes(stage.model)) == {CallOutcome.REJECTED}


async def test_an_answer_that_nobody_waits_for_stands_in_the_accounts(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    calls: list[ModelCall] = []
    stream = stage.model.stream(replace(PATIENT, account=calls.append))
    assert await first_word(stream)
    assert calls == []
    await stream.aclose()
    assert [call.outcome for call in calls] == [CallOutcome.DROPPED]


async def test_a_reader_that_is_cancelled_leaves_its_line_in_the_accounts(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    calls: list[ModelCall] = []
    begun = asyncio.Event()

    async def reads() -> None:
        async with aclosing(stage.model.stream(replace(PATIENT, account=calls.append))) as events:
            async for _ in events:
                begun.set()

    task = asyncio.create_task(reads())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert [call.outcome for call in calls] == [CallOutcome.DROPPED]


async def test_a_stream_that_nobody_reads_is_no_call(stage: Stage) -> None:
    stage.says(TEXT)
    calls: list[ModelCall] = []
    await stage.model.stream(replace(PATIENT, account=calls.append)).aclose()
    assert calls == []

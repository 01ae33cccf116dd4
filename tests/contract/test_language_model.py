"""What every ``LanguageModel`` keeps: the fake, and the OpenAI adapter against a model server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Protocol

import pytest

from server.adapters.openai_chat import OpenAIChat
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.ai import ChatLine, LanguageModel, ModelRequest
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from tests.fakes.language_model import FakeModel

TEXT = "Check-in is from three."
PATIENT = ModelRequest([ChatLine("user", "When?")], first_token_s=20, total_s=20)
# Long enough for a whole answer of a model that does not wait.
HASTY = ModelRequest([ChatLine("user", "When?")], first_token_s=0.5, total_s=0.5)


class Stage(Protocol):
    """A model, and how to make it behave for the next request."""

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
        self.model = FakeModel()

    def says(self, text: str) -> None:
        self.model.scripts.append(text)

    def never_begins(self) -> None:
        self.model.scripts.append([asyncio.Event()])

    def stops_midway(self, text: str) -> None:
        self.model.scripts.append([text, asyncio.Event()])

    def breaks_off(self, text: str) -> None:
        self.model.scripts.append([text, ProviderUnavailable("model", "broken off")])

    def is_out_of_order(self) -> None:
        self.model.scripts.append([ProviderUnavailable("model", "HTTP 503")])

    def refuses(self) -> None:
        self.model.scripts.append([ProviderRejected("model", "HTTP 401")])

    async def left_early(self) -> int:
        return self.model.left_early


class ServerStage:
    """Drives the adapter through the server that it calls."""

    def __init__(self, simulator: OpenAISimulator) -> None:
        self._simulator = simulator
        self.model = OpenAIChat(
            api_key="sk-simulator",
            base_url=simulator.base_url,
            model="gpt-4o-mini",
            max_tokens=100,
            temperature=0.2,
        )

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


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenAISimulator]:
    with start_openai_simulator() as running:
        yield running


@pytest.fixture(params=["fake", "openai"])
async def stage(request: pytest.FixtureRequest, simulator: OpenAISimulator) -> AsyncIterator[Stage]:
    made: Stage = FakeStage() if request.param == "fake" else ServerStage(simulator)
    if isinstance(made, ServerStage):
        # What is loaded once must not count against a test's limit.
        await made.model.warm()
    yield made
    await made.model.aclose()


async def read(model: LanguageModel, request: ModelRequest = PATIENT) -> list[str]:
    async with aclosing(model.stream(request)) as pieces:
        return [piece async for piece in pieces]


async def _exhaust(stream: AsyncIterator[str]) -> None:
    async for _ in stream:
        pass


async def test_the_pieces_in_order_are_the_answer(stage: Stage) -> None:
    stage.says(TEXT)
    pieces = await read(stage.model)
    assert "".join(pieces) == TEXT
    assert len(pieces) > 1


@pytest.mark.parametrize("text", ["", "  "])
async def test_an_answer_without_words_is_none(stage: Stage, text: str) -> None:
    stage.says(text)
    with pytest.raises(ProviderUnavailable):
        await read(stage.model)


async def test_a_model_that_never_begins_is_given_up_at_the_limit(stage: Stage) -> None:
    stage.never_begins()
    with pytest.raises(ProviderUnavailable):
        await read(stage.model, HASTY)


async def test_a_model_that_stops_midway_is_given_up_at_the_limit(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    async with aclosing(stage.model.stream(HASTY)) as stream:
        assert TEXT.startswith(await anext(stream))
        with pytest.raises(ProviderUnavailable):
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
    assert "".join(await read(stage.model)) == TEXT


async def test_a_refused_request_is_final(stage: Stage) -> None:
    stage.refuses()
    with pytest.raises(ProviderRejected):
        await read(stage.model)


async def test_closing_the_iterator_ends_the_stream(stage: Stage) -> None:
    stage.stops_midway(TEXT)
    stream = stage.model.stream(PATIENT)
    assert await anext(stream)
    await stream.aclose()
    assert await stage.left_early() == 1


async def test_streams_of_one_model_do_not_mix(stage: Stage) -> None:
    stage.says(TEXT)
    stage.says(TEXT)
    answers = await asyncio.gather(read(stage.model), read(stage.model))
    assert ["".join(answer) for answer in answers] == [TEXT, TEXT]


async def test_closing_the_model_twice_is_harmless(stage: Stage) -> None:
    await stage.model.aclose()
    await stage.model.aclose()

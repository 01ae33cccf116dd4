"""Ways to a model, each a function that yields the pieces of an answer: the SDK alone, and the product's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from tempfile import TemporaryDirectory

import openai
from pydantic import SecretStr

from server.adapters.openai_chat import OpenAIChat
from server.adapters.openai_clients import OpenAIClients
from server.conversation.prompts import INSTRUCTIONS
from server.llm.limiter import RateLimiter
from server.llm.profiles import read_endpoint, read_profiles
from server.ports.ai import ChatLine, LanguageModel, ModelRequest
from server.settings import Settings
from server.store.migrate import migrate
from server.store.session import Database
from server.wiring import make_clock, make_models, make_rate_buckets
from simulators.openai_client import OpenAISimulator

MODEL = "gpt-4o-mini"
_LIMIT_S = 60.0
_MAX_TOKENS = 220

# Asks a question and yields the pieces of its answer.
Path = Callable[[str], AsyncIterator[str]]


@asynccontextmanager
async def sdk_path(model: OpenAISimulator) -> AsyncIterator[Path]:
    """The SDK as its manual uses it, with a pool of its own."""
    async with openai.AsyncOpenAI(
        base_url=model.base_url, api_key="sk-sdk", max_retries=0, timeout=_LIMIT_S
    ) as client:

        async def ask(text: str) -> AsyncIterator[str]:
            stream = await client.chat.completions.create(
                model=MODEL,
                messages=[
                    {"role": "system", "content": INSTRUCTIONS},
                    {"role": "user", "content": text},
                ],
                max_tokens=_MAX_TOKENS,
                temperature=0.2,
                stream=True,
                stream_options={"include_usage": True},
            )
            async for chunk in stream:
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content

        yield ask


@asynccontextmanager
async def adapter_path(model: OpenAISimulator) -> AsyncIterator[Path]:
    """The adapter to one model, alone."""
    settings = make_settings(model)
    (profile,) = read_profiles(settings).usual
    endpoint = read_endpoint(settings, profile.provider)
    clients = OpenAIClients()
    chat = OpenAIChat(profile, clients.of(endpoint.base_url, endpoint.api_key), make_clock())
    yield through(chat)
    await clients.aclose()


@asynccontextmanager
async def chain_path(model: OpenAISimulator) -> AsyncIterator[Path]:
    """As the desk asks: rate limits in a database, circuit breaker, hedge, adapter."""
    with TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        settings = make_settings(model)
        database = Database(f"sqlite:///{folder}/desk.db")
        migrate(database)
        clients = OpenAIClients()
        clock = make_clock()
        limiter = RateLimiter(make_rate_buckets(settings, database, clock), 0, 0)
        models = make_models(settings, clients, limiter, clock)
        assert models is not None  # noqa: S101 - the settings name one
        yield through(models.usual)
        await clients.aclose()
        limiter.close()
        database.close()


def through(model: LanguageModel) -> Path:
    """Through a ``LanguageModel`` of the product's."""

    async def ask(text: str) -> AsyncIterator[str]:
        lines = [ChatLine("system", INSTRUCTIONS), ChatLine("user", text)]
        async with aclosing(model.stream(ModelRequest(lines, _LIMIT_S, _LIMIT_S))) as events:
            async for event in events:
                if isinstance(event, str):
                    yield event

    return ask


def make_settings(model: OpenAISimulator) -> Settings:
    """An installation's that asks *model*, whatever the environment says."""
    # Constructed, not read: the environment is left out.
    return Settings.model_construct(
        openai_base_url=model.base_url, openai_api_key=SecretStr("sk-ours"), ai_model=MODEL
    )

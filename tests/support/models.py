"""Models, chains and what they need, with values that no test cares about."""

from __future__ import annotations

from typing import Any

from server.adapters.openai_chat import OpenAIChat
from server.adapters.openai_clients import OpenAIClients
from server.adapters.system_clock import SystemClock
from server.llm.breaker import Breaker
from server.llm.chain import ModelChain
from server.llm.hedge import Hedge
from server.llm.link import Link
from server.llm.prices import FREE
from server.llm.profiles import ModelProfile
from server.ports.ai import LanguageModel, RateHeaders
from server.ports.clock import Clock


def a_profile(**changes: Any) -> ModelProfile:
    """A profile of gpt-4o-mini but for *changes*."""
    values: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "max_tokens": 100,
        "temperature": 0.2,
        "first_token_s": None,
        "total_s": None,
        "stop": (),
        "price": FREE,
        "is_reasoning": False,
    }
    return ModelProfile(**(values | changes))


def an_openai_model(
    base_url: str, clients: OpenAIClients | None = None, api_key: str = "sk-one", **changes: Any
) -> OpenAIChat:
    """The adapter for a server at *base_url*; *changes* are of its profile, but for ``silence_s``."""
    own = {"silence_s": changes.pop("silence_s")} if "silence_s" in changes else {}
    endpoint = (clients or OpenAIClients()).of(base_url, api_key)
    return OpenAIChat(a_profile(**changes), endpoint, SystemClock(), **own)


class FreePermit:
    """Keeps what it is told."""

    def __init__(self, waited_ms: float = 0) -> None:
        self.waited_ms = waited_ms
        self.settled: list[int | None] = []
        self.learned: list[RateHeaders] = []

    def settle(self, tokens: int | None) -> None:
        """Keep it."""
        self.settled.append(tokens)

    def learn(self, headers: RateHeaders) -> None:
        """Keep it."""
        self.learned.append(headers)


class FreeLimiter:
    """Gives leave at once, and remembers who asked for how much."""

    def __init__(self, waited_ms: float = 0) -> None:
        self.asked: list[tuple[str, int, float]] = []
        self.permits: list[FreePermit] = []
        self._waited_ms = waited_ms

    async def acquire(self, key: str, tokens: int, within_s: float) -> FreePermit:
        """Leave, at once."""
        self.asked.append((key, tokens, within_s))
        self.permits.append(FreePermit(self._waited_ms))
        return self.permits[-1]


def a_link(
    model: LanguageModel, clock: Clock | None = None, /, *, hedging: bool = False, **changes: Any
) -> Link:
    """A link to *model*; *changes* are of its profile."""
    profile = a_profile(**changes)
    breaker = Breaker((clock or SystemClock()).monotonic)
    return Link(profile, model, f"key:{profile.name}", breaker, Hedge(is_on=hedging))


def a_chain(*links: Link, limiter: Any = None, clock: Clock | None = None) -> ModelChain:
    """A chain of *links* with a limiter that never waits."""
    return ModelChain(links, limiter or FreeLimiter(), clock or SystemClock())

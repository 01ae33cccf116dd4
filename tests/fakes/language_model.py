"""A model that says what it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

from server.errors import ProviderError, ProviderUnavailable
from server.ports.ai import ModelRequest

# A piece of text; an event that is waited for; or an error that is raised there.
Step = str | asyncio.Event | ProviderError


class FakeModel:
    """Keeps the ``LanguageModel`` port; ``scripts`` are played one a request, in order.

    A text is a script too: it comes word by word. Without a script left the model is out of order.
    """

    def __init__(self, *scripts: str | Sequence[Step]) -> None:
        self.scripts = list(scripts)
        self.requests: list[ModelRequest] = []
        self.left_early = 0
        self.is_closed = False

    async def warm(self) -> None:
        """There is nothing to load."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[str, None]:
        """Play the next script within the request's limits."""
        self.requests.append(request)
        script = self.scripts.pop(0) if self.scripts else [ProviderUnavailable("model", "nothing scripted")]
        steps = script.replace(" ", "\0 ").split("\0") if isinstance(script, str) else script
        return self._play(list(steps), request, time.monotonic())

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    async def _play(
        self, steps: list[Step], request: ModelRequest, started: float
    ) -> AsyncGenerator[str, None]:
        has_words = False
        try:
            for step in steps:
                if isinstance(step, ProviderError):
                    raise step
                if isinstance(step, asyncio.Event):
                    limit_s = request.total_s if has_words else min(request.first_token_s, request.total_s)
                    await _wait(step, started + limit_s - time.monotonic())
                elif step:
                    has_words = has_words or not step.isspace()
                    yield step
        except GeneratorExit:
            self.left_early += 1
            raise
        if not has_words:
            raise ProviderUnavailable("model", "empty answer")


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError as error:
        raise ProviderUnavailable("model", "no answer in time") from error

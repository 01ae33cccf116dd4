"""A model whose every answer waits at a gate: a test lets it through at the moment that it is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from server.ports.ai import Finished, ModelEvent, ModelRequest


class Gate:
    """One request that has reached the model."""

    def __init__(self, request: ModelRequest) -> None:
        self.question = request.lines[-1].content
        self.was_dropped = False
        self._opened = asyncio.Event()

    def open(self) -> None:
        """Let the answer through."""
        self._opened.set()

    async def passed(self) -> None:
        """Until it is open."""
        try:
            await self._opened.wait()
        except asyncio.CancelledError:
            self.was_dropped = True
            raise


class GatedModel:
    """Keeps the ``LanguageModel`` port; each request is a `Gate` that `reached` returns, in order."""

    def __init__(self, answer: str = "With pleasure.") -> None:
        self._answer = answer
        self._gates: asyncio.Queue[Gate] = asyncio.Queue()

    async def warm(self) -> None:
        """There is nothing to load."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer, once its gate is open."""
        gate = Gate(request)
        self._gates.put_nowait(gate)
        await gate.passed()
        yield self._answer
        yield Finished("gated", None)

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def reached(self) -> Gate:
        """The next request."""
        async with asyncio.timeout(10):
            return await self._gates.get()

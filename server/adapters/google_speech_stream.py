"""One stream to Google's speech-to-text: its life, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from server.adapters.google_channels import as_ours, is_cancelled
from server.adapters.google_speech_wire import Recipe
from server.errors import ProviderTimeout, ProviderUnavailable

PROVIDER = "google_speech"


class Why(Enum):
    """Why we ended a stream."""

    CLOSED = auto()
    REPLACED = auto()
    STALLED = auto()


class GoogleStream:
    """``begin`` and ``sent`` are places on the tape; ``is_due`` once it should be replaced."""

    def __init__(self, recipe: Recipe, begin: int) -> None:
        self.recipe = recipe
        self.begin = begin
        self.sent = begin
        self.is_due = False
        self.has_answered = False
        self._opened_at: float | None = None
        self._call: Any = None
        self._why: Why | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._expectation: asyncio.TimerHandle | None = None

    @property
    def has_ended(self) -> bool:
        """Whether we have ended it."""
        return self._why is not None

    def opened(self, call: Any) -> None:
        """It is *call*."""
        self._call = call
        self._opened_at = asyncio.get_running_loop().time()
        if self.has_ended:
            call.cancel()

    @property
    def lasted_s(self) -> float:
        """How long it has been open."""
        return 0.0 if self._opened_at is None else asyncio.get_running_loop().time() - self._opened_at

    def grow_old(self, due_s: float, latest_s: float, on_due: Callable[[GoogleStream], None]) -> None:
        """Tell once it is due, and end at the latest age."""
        loop = asyncio.get_running_loop()

        def fall_due() -> None:
            self.is_due = True
            on_due(self)

        self._timers = [
            loop.call_later(due_s, fall_due),
            loop.call_later(latest_s, self.end, Why.REPLACED),
        ]

    def expect(self, within_s: float) -> None:
        """End it unless it answers in time."""
        if self._call is not None and self._expectation is None:
            loop = asyncio.get_running_loop()
            self._expectation = loop.call_later(within_s, self.end, Why.STALLED)

    def end(self, why: Why) -> None:
        """Break it off; the first reason counts."""
        if self._why is None:
            self._why = why
        for timer in self._timers:
            timer.cancel()
        self._met()
        if self._call is not None:
            self._call.cancel()

    async def next(self) -> Any:
        """The next response; None once we have ended it.

        Raises:
            ProviderTimeout: it was ended as it did not answer.
            ProviderUnavailable: it broke, or Google ended it.
            ProviderRejected: it is refused.
        """
        try:
            response = await self._call.read()
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            if not self.has_ended:
                raise ProviderUnavailable(PROVIDER, "the connection was closed") from None
            return self._nothing_more()
        except Exception as error:
            if self.has_ended:
                return self._nothing_more()
            raise as_ours(PROVIDER, error) from error
        if self.has_ended:
            return self._nothing_more()
        if response is _end_of_stream():
            raise ProviderUnavailable(PROVIDER, "the stream ended")
        self.has_answered = True
        self._met()
        return response

    def _met(self) -> None:
        if self._expectation is not None:
            self._expectation.cancel()
            self._expectation = None

    def _nothing_more(self) -> None:
        if self._why is Why.STALLED:
            raise ProviderTimeout(PROVIDER, "no words in time")


def _end_of_stream() -> Any:
    # Loaded with the first connection, not with this module.
    import grpc.aio

    return grpc.aio.EOF

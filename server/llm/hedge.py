"""A second request when the first is slower to speak than it usually is."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from server.domain.model_calls import CallOutcome, ModelCall
from server.ports.ai import Finished, ModelEvent, RateHeaders, Restarted

Stream = AsyncGenerator[ModelEvent, None]

WINDOW = 200
_ENOUGH = 20
_LATE = 95
# Around a very even p95 nearly every late word is about to come.
_BEYOND = 1.1
_SOONEST_S = 0.05
_SHARE = 0.1
_MOST_SAVED = 3.0


class FirstTokens:
    """How long the latest calls took to their first word, in milliseconds."""

    def __init__(self, window: int = WINDOW) -> None:
        self._recent: deque[float] = deque(maxlen=window)

    def __len__(self) -> int:
        return len(self._recent)

    def add(self, milliseconds: float) -> None:
        """One more; the oldest is forgotten."""
        self._recent.append(milliseconds)

    def percentile(self, percent: float) -> float | None:
        """So much of them took no longer; None while there are none."""
        ranked = sorted(self._recent.copy())
        return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)] if ranked else None


class Hedge:
    """Decides when a second request is worth it: late by the model's own measure, and not too often.

    Args:
        is_on: without it none ever is; figures are kept all the same.
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self.first_tokens = FirstTokens()
        self._is_on = is_on
        # What may be spent on second requests; each first one earns a tenth of one.
        self._saved = 1.0

    def after_s(self) -> float | None:
        """How long to wait for a first word before a second request; None: however long it takes."""
        self._saved = min(_MOST_SAVED, self._saved + _SHARE)
        late_ms = self.first_tokens.percentile(_LATE)
        if not self._is_on or late_ms is None or len(self.first_tokens) < _ENOUGH:
            return None
        return max(_SOONEST_S, late_ms / 1000 * _BEYOND)

    def ended(self, call: ModelCall) -> None:
        """Learn from a call to the model."""
        if call.first_token_ms is not None:
            self.first_tokens.add(call.first_token_ms)
        elif call.outcome is CallOutcome.DROPPED and call.total_ms > (
            self.first_tokens.percentile(_LATE) or math.inf
        ):
            # Given up while it was late: without such calls the slow ones would never be counted.
            self.first_tokens.add(call.total_ms)

    def may_spend(self) -> bool:
        """Whether a second request may be made now; a yes is spent."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


@asynccontextmanager
async def first_to_speak(
    first: Stream, second: Callable[[], Stream | None], after_s: float
) -> AsyncIterator[tuple[Sequence[ModelEvent], Stream]]:
    """Of *first*, and *second* once that is late: whichever speaks first; one that fails is out of it.

    Gives what it has said so far and the stream to read on; the other is closed at once. Both have ended when
    the block has.

    Args:
        second: makes the second stream; None if there shall be none after all.

    Raises:
        ProviderError: none spoke; what became of the first.
    """
    race = _Race(first)
    try:
        yield await race.run(second, after_s)
    finally:
        await race.end()


class _Race:
    def __init__(self, first: Stream) -> None:
        self._streams = [first]
        self._runs = [asyncio.create_task(_until_it_speaks(first))]

    async def run(
        self, second: Callable[[], Stream | None], after_s: float
    ) -> tuple[Sequence[ModelEvent], Stream]:
        await asyncio.wait(self._runs, timeout=after_s)
        other = None if self._runs[0].done() else second()
        if other is not None:
            self._streams.append(other)
            self._runs.append(asyncio.create_task(_until_it_speaks(other)))
        winner = await self._winner()
        for run in self._runs:
            if run is not self._runs[winner]:
                run.cancel()
        return self._runs[winner].result(), self._streams[winner]

    async def end(self) -> None:
        """Close both; what a stream that was given up still says of itself concerns nobody."""
        pending = [run for run in self._runs if not run.done()]
        for run in pending:
            run.cancel()
        if pending:
            await asyncio.gather(*pending, return_exceptions=True)
        for stream in self._streams:
            await stream.aclose()

    async def _winner(self) -> int:
        """The place of the first that speaks; of the first request where none does."""
        pending = set(self._runs)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            spoken = [self._runs.index(run) for run in done if run.exception() is None]
            if spoken:
                return min(spoken)
        return 0


async def _until_it_speaks(stream: Stream) -> Sequence[ModelEvent]:
    """What *stream* says up to its first word or tool call."""
    said: list[ModelEvent] = []
    async for event in stream:
        said.append(event)
        if _is_speech(event):
            break
    return said


def _is_speech(event: ModelEvent) -> bool:
    """Whether *event* is a word or a tool call."""
    if isinstance(event, str):
        return not event.isspace()
    return not isinstance(event, RateHeaders | Restarted | Finished)

"""A recogniser with another one behind it, which takes over in the middle of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog

from server.adapters.audio_tape import AudioTape
from server.adapters.hearing_state import HearingState
from server.errors import ProviderError
from server.llm.breaker import Breaker
from server.ports.speech import (
    BYTES_PER_SECOND,
    FinalTranscript,
    InterimTranscript,
    ListenRequest,
    Recognition,
    SpeechBegan,
    SpeechEnded,
    SpeechEvent,
    SpeechToText,
)

log = structlog.get_logger(__name__)

# So much audio whose words were not final is heard again by the one that takes over.
KEEP_S = 12.0
# Of what nobody seems to say, so much: a recogniser that hangs does not tell of a voice.
_LEAD_S = 4.0


class SecondEars:
    """Keeps the ``SpeechToText`` port: the second recogniser goes on with a call where the first one fails.

    Args:
        breaker: of the first recogniser; while it is open calls begin with the second one.
    """

    def __init__(self, first: SpeechToText, second: SpeechToText, breaker: Breaker) -> None:
        self._first = first
        self._second = second
        self._breaker = breaker

    async def warm(self) -> None:
        """Load what the first call of either would otherwise wait for."""
        await asyncio.gather(self._first.warm(), self._second.warm())

    def listen(self, request: ListenRequest) -> SecondHearing:
        """Listen to a caller with the first recogniser, as long as that works."""
        return SecondHearing(request, self._first, self._second, self._breaker)

    async def aclose(self) -> None:
        """Close connections."""
        await asyncio.gather(self._first.aclose(), self._second.aclose())


class SecondHearing:
    """Keeps the ``Recognition`` port: one recogniser after the other hears the call, each at most once."""

    def __init__(
        self, request: ListenRequest, first: SpeechToText, second: SpeechToText, breaker: Breaker
    ) -> None:
        self._request = request
        self._first = first
        self._second = second
        self._breaker = breaker
        self._tape = AudioTape(round(KEEP_S * BYTES_PER_SECOND))
        self._state = HearingState()
        self._hears: Recognition | None = None
        self._is_closed = False

    def hear(self, frame: bytes) -> None:
        """Take the next audio; what is not understood yet is kept."""
        self._tape.append(frame)
        if self._state.is_silent:
            self._tape.forget(self._tape.end - round(_LEAD_S * BYTES_PER_SECOND))
        if self._hears is not None:
            self._hears.hear(frame)

    def expect_words(self) -> None:
        """Whoever listens has to tell something in time."""
        self._state.is_expecting = True
        if self._hears is not None:
            self._hears.expect_words()

    def lock(self, language: str) -> None:
        """Hear *language* alone."""
        self._request = ListenRequest([language], self._request.phrases)
        if self._hears is not None:
            self._hears.lock(language)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Yield what is heard, by whichever recogniser hears.

        Raises:
            ProviderError: the second one failed too.
        """
        listeners = self._in_turn()
        for ears in listeners:
            if self._is_closed:
                return
            if (ended := self._state.resume(self._tape.end / BYTES_PER_SECOND)) is not None:
                yield ended
            try:
                async with aclosing(self._heard_by(ears)) as events:
                    async for event in events:
                        yield event
                return
            except ProviderError as error:
                self._learn(ears, has_failed=True)
                if ears is listeners[-1]:
                    raise
                log.warning("speech.next_takes_over", provider=error.provider, reason=error.reason)

    async def aclose(self) -> None:
        """End the events."""
        self._is_closed = True
        if self._hears is not None:
            await self._hears.aclose()

    async def _heard_by(self, ears: SpeechToText) -> AsyncGenerator[SpeechEvent, None]:
        """What *ears* hear from the first audio on that was not understood, on the clock of the call."""
        begin = self._tape.begin
        hears = self._hears = ears.listen(self._request)
        hears.hear(self._tape.read(begin, self._tape.end))
        if self._state.is_expecting:
            hears.expect_words()
        has_answered = False
        try:
            async with aclosing(hears.events()) as events:
                async for event in events:
                    if not has_answered:
                        has_answered = True
                        self._learn(ears, has_failed=False)
                    moved = _later(event, begin / BYTES_PER_SECOND)
                    if self._takes(moved):
                        yield moved
        finally:
            self._hears = None

    def _takes(self, event: SpeechEvent) -> bool:
        """Whether *event* is news; what was final is not heard again."""
        self._state.is_expecting = False
        if isinstance(event, FinalTranscript):
            self._tape.forget(round(event.until_s * BYTES_PER_SECOND))
        return self._state.takes(event)

    def _in_turn(self) -> Sequence[SpeechToText]:
        both = (self._first, self._second)
        return both if self._breaker.lets_through() else both[::-1]

    def _learn(self, ears: SpeechToText, *, has_failed: bool) -> None:
        if ears is self._first:
            self._breaker.record(has_failed=has_failed)


def _later(event: SpeechEvent, by_s: float) -> SpeechEvent:
    """*event* of a recogniser that began to listen so long after the call did."""
    match event:
        case SpeechBegan(at_s):
            return SpeechBegan(at_s + by_s)
        case SpeechEnded(at_s):
            return SpeechEnded(at_s + by_s)
        case FinalTranscript():
            return FinalTranscript(event.text, event.language, event.confidence, event.until_s + by_s)
        case InterimTranscript():
            return event

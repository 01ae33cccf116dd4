"""A voice with another one behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import structlog

from server.errors import ProviderError
from server.llm.breaker import Breaker
from server.ports.speech import TextToSpeech

log = structlog.get_logger(__name__)


class SecondVoice:
    """Keeps the ``TextToSpeech`` port: what the first voice does not begin to say, the second one says.

    A sentence that breaks off in the middle is an error as ever: nobody hears its beginning twice.

    Args:
        breaker: of the first voice; while it is open that is asked only if the second one fails.
    """

    def __init__(self, first: TextToSpeech, second: TextToSpeech, breaker: Breaker) -> None:
        self._first = first
        self._second = second
        self._breaker = breaker

    async def warm(self) -> None:
        """Load what the first sentence of either would otherwise wait for."""
        await asyncio.gather(self._first.warm(), self._second.warm())

    async def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of *text*, all of it in one voice.

        Raises:
            ProviderError: neither has begun, or one broke off.
        """
        voices = self._in_turn()
        for voice in voices:
            has_begun = False
            try:
                async with aclosing(voice.speak(text, language)) as audio:
                    async for piece in audio:
                        has_begun = True
                        yield piece
            except ProviderError as error:
                self._learn(voice, has_failed=True)
                if has_begun or voice is voices[-1]:
                    raise
                log.warning("voice.next_takes_over", provider=error.provider, reason=error.reason)
            else:
                self._learn(voice, has_failed=False)
                return

    async def aclose(self) -> None:
        """Close connections."""
        await asyncio.gather(self._first.aclose(), self._second.aclose())

    def _in_turn(self) -> Sequence[TextToSpeech]:
        both = (self._first, self._second)
        return both if self._breaker.lets_through() else both[::-1]

    def _learn(self, voice: TextToSpeech, *, has_failed: bool) -> None:
        if voice is self._first:
            self._breaker.record(has_failed=has_failed)

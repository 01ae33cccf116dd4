"""A voice that has its fixed lines ready: no caller waits for a greeting to be made."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing

import structlog
from cachetools import LRUCache

from server.errors import ProviderError
from server.ports.speech import TextToSpeech
from server.voice.mouth import as_sentence
from server.voice.sentences import SentenceSplitter

# Of some seconds each: 8 kB a second.
_KEPT = 500
# So many at once while lines are prepared: callers come first.
_PREPARED_AT_ONCE = 2

log = structlog.get_logger(__name__)


class PreparedVoice:
    """Keeps the ``TextToSpeech`` port; belongs to one event loop.

    Args:
        voice: makes what is not ready.
    """

    def __init__(self, voice: TextToSpeech) -> None:
        self._voice = voice
        self._ready: LRUCache[tuple[str, str], bytes] = LRUCache(_KEPT)

    async def warm(self) -> None:
        """Load what the first sentence would otherwise wait for."""
        await self._voice.warm()

    async def prepare(self, lines: Iterable[tuple[str, str]]) -> None:
        """Make the audio of *lines*, each with its language; one that cannot be made is made when said."""
        room = asyncio.Semaphore(_PREPARED_AT_ONCE)
        missing: Counter[tuple[str, str]] = Counter()

        async def make(key: tuple[str, str]) -> None:
            async with room:
                if key in self._ready:
                    return
                try:
                    async with aclosing(self._voice.speak(*key)) as audio:
                        self._ready[key] = b"".join([piece async for piece in audio])
                except ProviderError as error:
                    missing[key[1], error.reason] += 1

        await asyncio.gather(*(make(key) for key in dict.fromkeys(_said(lines))))
        for (language, reason), count in missing.items():
            log.warning("voice.lines_not_prepared", language=language, reason=reason, lines=count)

    async def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of *text*, at once where it is ready."""
        ready = self._ready.get((text, language))
        if ready is not None:
            yield ready
            return
        async with aclosing(self._voice.speak(text, language)) as audio:
            async for piece in audio:
                yield piece

    async def aclose(self) -> None:
        """Close connections."""
        await self._voice.aclose()


def _said(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What a voice is given for *lines*, sentence by sentence as an answer gives them."""
    for text, language in lines:
        splitter = SentenceSplitter()
        for sentence in [*splitter.feed(text), *splitter.finish()]:
            made = as_sentence(sentence, language)
            yield made.spoken, made.language

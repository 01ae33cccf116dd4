"""Text-to-speech of any server that speaks OpenAI's ``/audio/speech``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from server.adapters.openai_clients import OpenAIEndpoint
from server.adapters.openai_errors import limit
from server.adapters.openai_tts_audio import Downsampler
from server.errors import ProviderError, ProviderRejected, ProviderUnavailable

PROVIDER = "openai_tts"
# Closing what is no longer wanted must not hold up what comes next.
_CLOSE_S = 0.2
# What raw samples are called; some servers give a file of another kind whatever they are asked for.
_RAW = frozenset({"audio/pcm", "audio/l16", "audio/raw", "application/octet-stream"})


@dataclass(frozen=True, slots=True)
class OpenAIVoice:
    """The model that speaks, the name of its voice, and the languages (ISO 639-1) that it speaks."""

    model: str
    name: str
    languages: Collection[str]


@dataclass(frozen=True, slots=True)
class OpenAIVoiceLimits:
    """How long the service may take, in seconds: to the first audio, between two pieces, altogether.

    Many servers of one's own make a whole sentence before they send any of it, and nobody stands behind them.
    """

    first_s: float = 2.5
    silence_s: float = 2.5
    total_s: float = 15.0


class OpenAITts:
    """Keeps the ``TextToSpeech`` port."""

    def __init__(
        self, endpoint: OpenAIEndpoint, voice: OpenAIVoice, limits: OpenAIVoiceLimits | None = None
    ) -> None:
        self._endpoint = endpoint
        self._voice = voice
        self._limits = limits or OpenAIVoiceLimits()

    async def warm(self) -> None:
        """Load the SDK and open a connection; the first time about half a second."""
        await self._endpoint.warm()

    async def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of *text* as it comes; closing the iterator closes the connection."""
        if language not in self._voice.languages:
            raise ProviderRejected(PROVIDER, "no voice for the language")
        downsampler = Downsampler()
        is_silent = True
        async with aclosing(self._samples(text)) as pieces:
            async for piece in pieces:
                if audio := downsampler.feed(piece):
                    is_silent = False
                    yield audio
        if is_silent:
            raise ProviderUnavailable(PROVIDER, "no audio")
        yield downsampler.finish()

    async def aclose(self) -> None:
        """Close the endpoint's connections; the next sentence would open new ones."""
        await self._endpoint.aclose()

    async def _samples(self, text: str) -> AsyncGenerator[bytes, None]:
        """24 kHz of 16 bits, as it comes."""
        loop = asyncio.get_running_loop()
        limits = self._limits
        total_at = loop.time() + limits.total_s
        first_at = loop.time() + min(limits.first_s, limits.total_s)
        async with self._opened(text, first_at) as response:
            pieces = aiter(response.iter_bytes())
            until, what = first_at, "first audio"
            while True:
                async with limit(PROVIDER, until - loop.time(), what):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                if piece:
                    yield piece
                    until, what = min(loop.time() + limits.silence_s, total_at), "next audio"

    @asynccontextmanager
    async def _opened(self, text: str, first_at: float) -> AsyncIterator[Any]:
        """The SDK's response, whose body is still to be read."""
        loop = asyncio.get_running_loop()
        async with limit(PROVIDER, first_at - loop.time(), "connection"):
            client = await self._endpoint.take()
        try:
            asked = client.audio.speech.with_streaming_response.create(
                input=text, model=self._voice.model, voice=self._voice.name, response_format="pcm"
            )
            async with limit(PROVIDER, first_at - loop.time(), "first audio"):
                response = await asked.__aenter__()
            try:
                _check_kind(response.headers.get("content-type", ""))
                yield response
            finally:
                with suppress(ProviderError):
                    async with limit(PROVIDER, _CLOSE_S, "close"):
                        await response.close()
        finally:
            await self._endpoint.give_back(client)


def _check_kind(content_type: str) -> None:
    """Raises ProviderRejected for what would be noise to a caller's ear."""
    if content_type.partition(";")[0].strip().lower() not in _RAW:
        raise ProviderRejected(PROVIDER, "the answer is not raw PCM")

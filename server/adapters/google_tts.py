"""Text-to-speech by Google: streamed where the voice can, else whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from server.adapters.google_channels import Channel, GoogleClients, GoogleEndpoint, limit
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.speech import BYTES_PER_SECOND

PROVIDER = "google_tts"
WARM_UP_S = 5.0
# Only these speak while they are still thinking.
_STREAMING_FAMILY = "-Chirp3-HD-"


@dataclass(frozen=True, slots=True)
class GoogleVoice:
    """Google's code of the language that is spoken, and the name of the voice."""

    code: str
    name: str

    @property
    def streams(self) -> bool:
        """Whether its first words can be had before the last."""
        return _STREAMING_FAMILY in self.name


def _usual_voices() -> Mapping[str, GoogleVoice]:
    return {
        "he": GoogleVoice("he-IL", "he-IL-Chirp3-HD-Aoede"),
        "en": GoogleVoice("en-US", "en-US-Chirp3-HD-Aoede"),
    }


@dataclass(frozen=True, slots=True)
class GoogleVoices:
    """The voice of each language. ``speaking_rate`` is from 0.25 to 2; 1 is the voice's own."""

    by_language: Mapping[str, GoogleVoice] = field(default_factory=_usual_voices)
    speaking_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class VoiceLimits:
    """How long the service may take, in seconds: to the first audio (the whole, of a voice that does not
    stream), between two pieces, and altogether."""

    first_s: float = 1.5
    silence_s: float = 1.5
    total_s: float = 15.0


class GoogleVoiceService:
    """The client, over one connection, and its messages."""

    def __init__(self, channel: Channel) -> None:
        from google.cloud import texttospeech_v1
        from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
            TextToSpeechGrpcAsyncIOTransport,
        )

        self._types = texttospeech_v1.types
        self._client = texttospeech_v1.TextToSpeechAsyncClient(
            transport=TextToSpeechGrpcAsyncIOTransport(channel=channel)
        )

    async def stream(self, text: str, voice: GoogleVoice, rate: float, limit_s: float) -> Any:
        """Open a stream of audio without a header; returns a call of gRPC's."""
        types = self._types
        audio = types.StreamingAudioConfig(
            audio_encoding=types.AudioEncoding.MULAW,
            sample_rate_hertz=BYTES_PER_SECOND,
            speaking_rate=rate,
        )
        config = types.StreamingSynthesizeConfig(voice=self._voice(voice), streaming_audio_config=audio)

        async def requests() -> AsyncIterator[Any]:
            yield types.StreamingSynthesizeRequest(streaming_config=config)
            yield types.StreamingSynthesizeRequest(input=types.StreamingSynthesisInput(text=text))

        return await self._client.streaming_synthesize(requests=requests(), retry=None, timeout=limit_s)

    async def whole(self, text: str, voice: GoogleVoice, rate: float, limit_s: float) -> bytes:
        """All of the audio, as a WAV file."""
        types = self._types
        audio = types.AudioConfig(
            audio_encoding=types.AudioEncoding.MULAW,
            sample_rate_hertz=BYTES_PER_SECOND,
            speaking_rate=rate,
        )
        request = types.SynthesizeSpeechRequest(
            input=types.SynthesisInput(text=text), voice=self._voice(voice), audio_config=audio
        )
        response = await self._client.synthesize_speech(request, retry=None, timeout=limit_s)
        return bytes(response.audio_content)

    def _voice(self, voice: GoogleVoice) -> Any:
        return self._types.VoiceSelectionParams(language_code=voice.code, name=voice.name)


def _load() -> Callable[[Channel, str], GoogleVoiceService]:
    import google.cloud.texttospeech_v1  # noqa: F401 - loaded here, used later

    return lambda channel, _project: GoogleVoiceService(channel)


class GoogleTts:
    """Keeps the ``TextToSpeech`` port."""

    def __init__(
        self,
        endpoint: GoogleEndpoint,
        voices: GoogleVoices | None = None,
        limits: VoiceLimits | None = None,
        connections: int = 2,
    ) -> None:
        self._voices = voices or GoogleVoices()
        self._limits = limits or VoiceLimits()
        self._services: GoogleClients[GoogleVoiceService] = GoogleClients(
            PROVIDER, endpoint, _load, connections
        )

    async def warm(self) -> None:
        """Load the client and connect; the first time about half a second."""
        await self._services.warm(WARM_UP_S)

    async def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield raw mu-law as it comes; closing the iterator cancels the call to Google."""
        voice = self._voices.by_language.get(language)
        if voice is None:
            raise ProviderRejected(PROVIDER, "no voice for the language")
        spoken = (self._streamed if voice.streams else self._whole)(text, voice)
        is_silent = True
        async with aclosing(spoken) as pieces:
            async for piece in pieces:
                is_silent = False
                yield piece
        if is_silent:
            raise ProviderUnavailable(PROVIDER, "no audio")

    async def aclose(self) -> None:
        """Break off every call and connection; the next sentence would connect again."""
        await self._services.aclose()

    async def _streamed(self, text: str, voice: GoogleVoice) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        limits = self._limits
        total_at = loop.time() + limits.total_s
        first_at = loop.time() + min(limits.first_s, limits.total_s)
        async with limit(PROVIDER, first_at - loop.time(), "connection"):
            service = await self._services.take()
            call = await service.stream(text, voice, self._voices.speaking_rate, limits.total_s)
        try:
            until, what = first_at, "first audio"
            while True:
                async with limit(PROVIDER, until - loop.time(), what):
                    response = await call.read()
                if response is _end_of_stream():
                    return
                if response.audio_content:
                    yield bytes(response.audio_content)
                until, what = min(loop.time() + limits.silence_s, total_at), "next audio"
        finally:
            call.cancel()

    async def _whole(self, text: str, voice: GoogleVoice) -> AsyncGenerator[bytes, None]:
        first_s = min(self._limits.first_s, self._limits.total_s)
        async with limit(PROVIDER, first_s, "audio"):
            service = await self._services.take()
            audio = await service.whole(text, voice, self._voices.speaking_rate, first_s)
        if raw := without_header(audio):
            yield raw


def without_header(audio: bytes) -> bytes:
    """The samples of a WAV file; audio that is none is returned as it is.

    Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF): chunks of a name of four
    letters, a length of four bytes, little-endian, and content, padded to an even length.
    """
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return audio
    place = 12
    while place + 8 <= len(audio):
        name, length = audio[place : place + 4], int.from_bytes(audio[place + 4 : place + 8], "little")
        place += 8
        if name == b"data":
            # A length that was not known when the header was written is the highest there is.
            return audio[place : place + length]
        place += length + length % 2
    return b""


def _end_of_stream() -> Any:
    # Loaded with the first connection, not with this module.
    import grpc.aio

    return grpc.aio.EOF

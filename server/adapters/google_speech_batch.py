"""Speech-to-text by Google of whole recordings: one question, one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import structlog

from server.adapters.google_channels import INVALID_ARGUMENT, Channel, GoogleClients, GoogleEndpoint, limit
from server.adapters.google_speech_stream import PROVIDER
from server.adapters.google_speech_wire import GoogleSpeechSettings, Recipe, recipes
from server.domain.opus import NotOpus, Recording
from server.errors import ProviderRejected
from server.ports.speech import Transcript

CONNECT_S = 3.0
ANSWER_S = 20.0
# What version 1 takes of Opus, which can be decoded to any of them.
_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)

log = structlog.get_logger(__name__)


class BatchService(Protocol):
    """One version of the service, over one connection."""

    async def recognize(self, recipe: Recipe, recording: bytes, limit_s: float) -> Any:
        """Google's answer about a recording."""
        ...


class BatchV1:
    """Version 1."""

    def __init__(self, channel: Channel) -> None:
        from google.cloud import speech_v1
        from google.cloud.speech_v1.services.speech.transports import SpeechGrpcAsyncIOTransport

        self._types = speech_v1.types
        self._client = speech_v1.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))

    async def recognize(self, recipe: Recipe, recording: bytes, limit_s: float) -> Any:
        """Google's answer; it wants to be told the rate."""
        types = self._types
        rate_hz = Recording(recording).rate_hz
        config = types.RecognitionConfig(
            encoding=types.RecognitionConfig.AudioEncoding.OGG_OPUS,
            sample_rate_hertz=rate_hz if rate_hz in _RATES else _RATES[-1],
            language_code=recipe.codes[0],
            alternative_language_codes=recipe.codes[1:],
            enable_automatic_punctuation=True,
            model=recipe.model,
        )
        audio = types.RecognitionAudio(content=recording)
        request = types.RecognizeRequest(config=config, audio=audio)
        return await self._client.recognize(request, retry=None, timeout=limit_s)


class BatchV2:
    """Version 2; it finds out by itself what it is given."""

    def __init__(self, channel: Channel, project: str, location: str) -> None:
        from google.cloud import speech_v2
        from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport

        self._types = speech_v2.types.cloud_speech
        self._client = speech_v2.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
        self._recognizer = f"projects/{project}/locations/{location}/recognizers/_"

    async def recognize(self, recipe: Recipe, recording: bytes, limit_s: float) -> Any:
        """Google's answer."""
        types = self._types
        config = types.RecognitionConfig(
            auto_decoding_config=types.AutoDetectDecodingConfig(),
            language_codes=recipe.codes,
            model=recipe.model,
            features=types.RecognitionFeatures(enable_automatic_punctuation=True),
        )
        request = types.RecognizeRequest(recognizer=self._recognizer, config=config, content=recording)
        return await self._client.recognize(request, retry=None, timeout=limit_s)


class GoogleTranscriber:
    """Keeps the ``Transcriber`` port; belongs to one event loop.

    Args:
        settings: the models that are for phone lines are left aside: a voice message is no call.
        answer_s: how long an answer may take.
    """

    def __init__(
        self, endpoint: GoogleEndpoint, settings: GoogleSpeechSettings, answer_s: float = ANSWER_S
    ) -> None:
        self._settings = replace(settings, models={})
        self._answer_s = answer_s
        self._services: GoogleClients[BatchService] = GoogleClients(
            PROVIDER, endpoint, lambda: _load(settings), 1
        )
        # What Google refused while it took the same recording in another way: that need not be asked again.
        self._refused: set[Recipe] = set()

    async def transcribe(self, recording: bytes, languages: Sequence[str]) -> Transcript:
        """The words of *recording*; nothing is tried twice but another way to ask."""
        try:
            Recording(recording)
        except NotOpus as error:
            raise ProviderRejected(PROVIDER, "the recording is no Opus in Ogg") from error
        response = await self._recognize(recording, languages)
        heard = [result for result in response.results if result.alternatives]
        best = [result.alternatives[0] for result in heard]
        told = [words.confidence for words in best if words.confidence]
        return Transcript(
            text=" ".join(text for words in best if (text := words.transcript.strip())),
            language=self._language_of(heard[0].language_code, languages) if heard else languages[0],
            confidence=sum(told) / len(told) if told else 0.0,
        )

    async def aclose(self) -> None:
        """Break off whatever is under way; the next recording would connect again."""
        await self._services.aclose()

    async def _recognize(self, recording: bytes, languages: Sequence[str]) -> Any:
        refusal = ProviderRejected(PROVIDER, "none of the languages has a code")
        tried: set[Recipe] = set()
        for recipe in recipes(self._settings, languages):
            if recipe in self._refused:
                continue
            try:
                response = await self._ask(recipe, recording)
            except ProviderRejected as error:
                if error.reason != INVALID_ARGUMENT:
                    raise
                log.warning("speech_recipe_refused", codes=recipe.codes, model=recipe.model)
                refusal = error
                tried.add(recipe)
            else:
                self._refused |= tried
                return response
        raise refusal

    async def _ask(self, recipe: Recipe, recording: bytes) -> Any:
        async with limit(PROVIDER, CONNECT_S, "connection"):
            service = await self._services.take()
        async with limit(PROVIDER, self._answer_s, "answer"):
            return await service.recognize(recipe, recording, self._answer_s)

    def _language_of(self, code: str, languages: Sequence[str]) -> str:
        known = {known.lower(): language for language, known in self._settings.codes.items()}
        return known.get(code.lower(), languages[0])


def _load(settings: GoogleSpeechSettings) -> Callable[[Channel, str], BatchService]:
    """Import what speaks the version; see `load_service`."""
    if settings.version == "v1":
        import google.cloud.speech_v1

        return lambda channel, _project: BatchV1(channel)
    import google.cloud.speech_v2  # noqa: F401 - loaded here, used later

    return lambda channel, project: BatchV2(channel, settings.project or project, settings.location)

"""How Google's speech-to-text is asked, in its versions 1 and 2, and what its answers say.

Sources: the messages of google-cloud-speech 2.41 and their documentation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from server.adapters.google_channels import Channel
from server.ports.speech import (
    BYTES_PER_SECOND,
    FinalTranscript,
    InterimTranscript,
    SpeechBegan,
    SpeechEnded,
    SpeechEvent,
)

# Limits of the service: alternative languages, phrases of a request, characters of a phrase.
_MOST_ALTERNATIVES = 3
_MOST_PHRASES = 500
_LONGEST_PHRASE = 100
# How much likelier a phrase is than without; Google advises 0 to 20.
_PHRASE_BOOST = 10.0


@dataclass(frozen=True, slots=True)
class GoogleSpeechSettings:
    """What is asked of Google, where installations differ.

    Args:
        codes: Google's code of each language that may be spoken.
        models: the model for each language that is listened to first; a language that is not named has
            ``fallback_model``, and so has one whose model Google refuses.
        fallback_model: of version 1, empty lets Google choose; version 2 needs a name.
        project: of version 2; empty takes the one that the credentials name.
        location: of version 2; the endpoint must be of the same.
    """

    version: Literal["v1", "v2"] = "v1"
    codes: Mapping[str, str] = field(default_factory=lambda: {"he": "iw-IL", "en": "en-US"})
    models: Mapping[str, str] = field(default_factory=lambda: {"en": "telephony"})
    fallback_model: str = ""
    project: str = ""
    location: str = "global"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to ask: Google's codes of the languages, the first preferred, and a model."""

    codes: tuple[str, ...]
    model: str


def recipes(settings: GoogleSpeechSettings, languages: Sequence[str]) -> list[Recipe]:
    """Ways to listen for *languages*, the best first: Google takes each model for some languages only, and
    several languages at once with some models only. To know both languages counts for more than the model.

    Returns:
        Nothing, where Google has none of the languages.
    """
    codes = tuple(settings.codes[language] for language in languages if language in settings.codes)
    if not codes:
        return []
    first = next(language for language in languages if language in settings.codes)
    fallback = settings.fallback_model or ("long" if settings.version == "v2" else "")
    best = settings.models.get(first, fallback)
    every = codes[: 1 + _MOST_ALTERNATIVES]
    wanted = [
        Recipe(every, best),
        Recipe(every, fallback),
        Recipe(every[:1], best),
        Recipe(every[:1], fallback),
    ]
    return list(dict.fromkeys(wanted))


class SpeechService(Protocol):
    """One version of the service, over one connection."""

    def first(self, recipe: Recipe, phrases: Sequence[str]) -> Any:
        """The request that a stream begins with."""
        ...

    def audio(self, audio: bytes) -> Any:
        """Each further request."""
        ...

    async def open(self, requests: AsyncIterator[Any], limit_s: float) -> Any:
        """Open a stream that lasts *limit_s* at most; returns a call of gRPC's."""
        ...

    def event_s(self, response: Any) -> float:
        """Where in the stream's audio a speech event was, in seconds."""
        ...

    def result_s(self, result: Any) -> float:
        """Where in the stream's audio a result ends, in seconds; 0 where it is not told."""
        ...


class SpeechV1:
    """Version 1."""

    def __init__(self, channel: Channel) -> None:
        from google.cloud import speech_v1
        from google.cloud.speech_v1.services.speech.transports import SpeechGrpcAsyncIOTransport

        self._types = speech_v1.types
        self._client = speech_v1.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))

    def first(self, recipe: Recipe, phrases: Sequence[str]) -> Any:
        """Configuration of a stream."""
        types = self._types
        hints = _hints(phrases)
        config = types.RecognitionConfig(
            encoding=types.RecognitionConfig.AudioEncoding.MULAW,
            sample_rate_hertz=BYTES_PER_SECOND,
            language_code=recipe.codes[0],
            alternative_language_codes=recipe.codes[1:],
            speech_contexts=[types.SpeechContext(phrases=hints, boost=_PHRASE_BOOST)] if hints else [],
            enable_automatic_punctuation=True,
            model=recipe.model,
        )
        streaming = types.StreamingRecognitionConfig(
            config=config, interim_results=True, enable_voice_activity_events=True
        )
        return types.StreamingRecognizeRequest(streaming_config=streaming)

    def audio(self, audio: bytes) -> Any:
        """A piece of audio."""
        return self._types.StreamingRecognizeRequest(audio_content=audio)

    async def open(self, requests: AsyncIterator[Any], limit_s: float) -> Any:
        """A stream of requests and responses."""
        return await self._client.streaming_recognize(requests=requests, retry=None, timeout=limit_s)

    def event_s(self, response: Any) -> float:
        """Of ``speech_event_time``."""
        return _seconds(response.speech_event_time)

    def result_s(self, result: Any) -> float:
        """Of ``result_end_time``."""
        return _seconds(result.result_end_time)


class SpeechV2:
    """Version 2; its implicit recogniser takes everything from the request."""

    def __init__(self, channel: Channel, project: str, location: str) -> None:
        from google.cloud import speech_v2
        from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport

        self._types = speech_v2.types.cloud_speech
        self._client = speech_v2.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
        self._recognizer = f"projects/{project}/locations/{location}/recognizers/_"

    def first(self, recipe: Recipe, phrases: Sequence[str]) -> Any:
        """Configuration of a stream."""
        types = self._types
        config = types.RecognitionConfig(
            explicit_decoding_config=types.ExplicitDecodingConfig(
                encoding=types.ExplicitDecodingConfig.AudioEncoding.MULAW,
                sample_rate_hertz=BYTES_PER_SECOND,
                audio_channel_count=1,
            ),
            language_codes=recipe.codes,
            model=recipe.model,
            features=types.RecognitionFeatures(enable_automatic_punctuation=True),
        )
        if hints := _hints(phrases):
            words = [types.PhraseSet.Phrase(value=hint, boost=_PHRASE_BOOST) for hint in hints]
            inline = types.SpeechAdaptation.AdaptationPhraseSet(
                inline_phrase_set=types.PhraseSet(phrases=words)
            )
            config.adaptation = types.SpeechAdaptation(phrase_sets=[inline])
        features = types.StreamingRecognitionFeatures(interim_results=True, enable_voice_activity_events=True)
        streaming = types.StreamingRecognitionConfig(config=config, streaming_features=features)
        return types.StreamingRecognizeRequest(recognizer=self._recognizer, streaming_config=streaming)

    def audio(self, audio: bytes) -> Any:
        """A piece of audio."""
        return self._types.StreamingRecognizeRequest(audio=audio)

    async def open(self, requests: AsyncIterator[Any], limit_s: float) -> Any:
        """A stream of requests and responses."""
        return await self._client.streaming_recognize(requests=requests, retry=None, timeout=limit_s)

    def event_s(self, response: Any) -> float:
        """Of ``speech_event_offset``."""
        return _seconds(response.speech_event_offset)

    def result_s(self, result: Any) -> float:
        """Of ``result_end_offset``."""
        return _seconds(result.result_end_offset)


def load_service(settings: GoogleSpeechSettings) -> Callable[[Channel, str], SpeechService]:
    """Import what speaks the version, for a third of a second.

    Returns:
        What makes a service of a channel and of the project that the credentials name.
    """
    if settings.version == "v1":
        import google.cloud.speech_v1

        return lambda channel, _project: SpeechV1(channel)
    import google.cloud.speech_v2  # noqa: F401 - loaded here, used later

    return lambda channel, project: SpeechV2(channel, settings.project or project, settings.location)


def events_of(
    response: Any, service: SpeechService, begin_s: float, language_of: Callable[[str], str]
) -> Iterator[SpeechEvent]:
    """What *response* says.

    Args:
        begin_s: where in all of the audio the stream begins.
        language_of: of a code of Google's, in any case.
    """
    kind = response.speech_event_type.name
    if kind in ("SPEECH_ACTIVITY_BEGIN", "SPEECH_ACTIVITY_END"):
        made = SpeechBegan if kind == "SPEECH_ACTIVITY_BEGIN" else SpeechEnded
        yield made(begin_s + service.event_s(response))
    heard = [result for result in response.results if result.alternatives]
    for result in heard:
        if result.is_final:
            best = result.alternatives[0]
            until_s = begin_s + service.result_s(result)
            yield FinalTranscript(
                best.transcript.strip(), language_of(result.language_code), best.confidence, until_s
            )
    interim = [result for result in heard if not result.is_final]
    if interim:
        # Consecutive parts, the later ones less stable.
        text = "".join(result.alternatives[0].transcript for result in interim).strip()
        stability = min(result.stability for result in interim)
        yield InterimTranscript(text, stability, language_of(interim[0].language_code))


def _hints(phrases: Sequence[str]) -> list[str]:
    # A dollar sign would begin the name of a class of phrases; names that Google does not know are refused.
    fitting = (phrase.replace("$", "").strip()[:_LONGEST_PHRASE] for phrase in phrases)
    return [phrase for phrase in fitting if phrase][:_MOST_PHRASES]


def _seconds(duration: Any) -> float:
    """Of a duration as proto-plus gives it."""
    return 0.0 if duration is None else float(duration.total_seconds())

"""The two versions of the simulated speech-to-text on the wire: what they take, refuse and answer.

Sources: the messages of google-cloud-speech 2.41 and their documentation; words of refusals as they stand in
public reports of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from google.cloud import speech_v1, speech_v2

from simulators.google_server import Refusal, invalid
from simulators.google_speech_behaviour import Behaviour
from simulators.google_speech_hearing import Said

VersionName = Literal["v1", "v2"]

v1 = speech_v1.types
v2 = speech_v2.types.cloud_speech

_CLASS = re.compile(r"\$\w+")
# Some of the service's classes of phrases.
_CLASSES = ("$MONTH", "$DAY", "$MONEY", "$TIME", "$OPERAND", "$FULLPHONENUM", "$OOV_CLASS_DIGIT_SEQUENCE")
RECOGNIZER = re.compile(r"projects/[^/]+/locations/[^/]+/recognizers/[^/]+")
_MOST_ALTERNATIVE_LANGUAGES = 3
_MOST_PHRASES = 5_000
_LONGEST_PHRASE = 100
_LOWEST_HZ, _HIGHEST_HZ = 8_000, 48_000
_SINGLE_UTTERANCE_MODELS = ("", "command_and_search")
_KINDS = {"began": "SPEECH_ACTIVITY_BEGIN", "ended": "SPEECH_ACTIVITY_END"}


@dataclass(frozen=True, slots=True)
class Asked:
    """How a stream is to be recognised."""

    languages: Sequence[str]
    model: str
    phrases: Sequence[str]
    wants_interims: bool
    wants_activity: bool


class Version(Protocol):
    """One version of the service."""

    name: VersionName
    request: Any
    response: Any

    def asked(self, first: Any, behaviour: Behaviour) -> Asked:
        """Read the request that a stream begins with.

        Raises:
            Refusal: the service would not take it.
        """
        ...

    def audio(self, request: Any) -> bytes:
        """Read each further request.

        Raises:
            Refusal: the service would not take it.
        """
        ...

    def tell(self, said: Said) -> Any:
        """The response that says so."""
        ...


class V1:
    """Version 1."""

    name: VersionName = "v1"
    request = v1.StreamingRecognizeRequest
    response = v1.StreamingRecognizeResponse

    def asked(self, first: Any, behaviour: Behaviour) -> Asked:
        """From ``streaming_config``."""
        if "streaming_config" not in first:
            raise invalid("Malformed data stream: the first message must contain streaming_config.")
        streaming, config = first.streaming_config, first.streaming_config.config
        encodings = v1.RecognitionConfig.AudioEncoding
        if config.encoding == encodings.ENCODING_UNSPECIFIED:
            raise invalid("Invalid recognition 'config': bad encoding.")
        _check_audio(config.encoding == encodings.MULAW, config.sample_rate_hertz, config.audio_channel_count)
        if not config.language_code:
            raise invalid("Invalid recognition 'config': language_code is required.")
        if len(config.alternative_language_codes) > _MOST_ALTERNATIVE_LANGUAGES:
            raise invalid("Invalid recognition 'config': too many alternative language codes.")
        _check_single_utterance(streaming)
        phrases = [phrase for context in config.speech_contexts for phrase in context.phrases]
        _check_phrases(phrases)
        languages = [config.language_code, *config.alternative_language_codes]
        check_model(config.model, languages, behaviour)
        _check_activity(streaming, streaming.enable_voice_activity_events)
        return Asked(
            languages,
            config.model,
            phrases,
            streaming.interim_results,
            streaming.enable_voice_activity_events,
        )

    def audio(self, request: Any) -> bytes:
        """From ``audio_content``."""
        if "audio_content" not in request:
            raise invalid("Malformed data stream: streaming_config may only be sent in the first message.")
        return bytes(request.audio_content)

    def tell(self, said: Said) -> Any:
        """As ``StreamingRecognizeResponse``."""
        if said.kind in _KINDS:
            return v1.StreamingRecognizeResponse(
                speech_event_type=_KINDS[said.kind], speech_event_time=_duration(said.audio_s)
            )
        words = v1.SpeechRecognitionAlternative(transcript=said.text, confidence=said.confidence)
        result = v1.StreamingRecognitionResult(
            alternatives=[words],
            is_final=said.kind == "final",
            stability=said.stability,
            result_end_time=_duration(said.audio_s),
            language_code=said.language,
        )
        return v1.StreamingRecognizeResponse(results=[result])


class V2:
    """Version 2."""

    name: VersionName = "v2"
    request = v2.StreamingRecognizeRequest
    response = v2.StreamingRecognizeResponse
    _largest_piece = 15 * 1024

    def asked(self, first: Any, behaviour: Behaviour) -> Asked:
        """From ``recognizer`` and ``streaming_config``."""
        if RECOGNIZER.fullmatch(first.recognizer) is None:
            raise invalid("Invalid resource field value in the request: recognizer.")
        if "streaming_config" not in first:
            raise invalid("The first message must contain a streaming_config.")
        streaming, config = first.streaming_config, first.streaming_config.config
        if "explicit_decoding_config" not in config:
            raise invalid("Headerless audio needs an explicit_decoding_config.")
        decoding = config.explicit_decoding_config
        is_mulaw = decoding.encoding == v2.ExplicitDecodingConfig.AudioEncoding.MULAW
        _check_audio(is_mulaw, decoding.sample_rate_hertz, decoding.audio_channel_count)
        if not config.model or not config.language_codes:
            raise invalid("The request must name a model and language codes.")
        check_model(config.model, list(config.language_codes), behaviour)
        phrases = [
            phrase.value
            for phrase_set in config.adaptation.phrase_sets
            for phrase in phrase_set.inline_phrase_set.phrases
        ]
        _check_phrases(phrases)
        features = streaming.streaming_features
        _check_activity(features, features.enable_voice_activity_events)
        return Asked(
            list(config.language_codes),
            config.model,
            phrases,
            features.interim_results,
            features.enable_voice_activity_events,
        )

    def audio(self, request: Any) -> bytes:
        """From ``audio``."""
        if "audio" not in request:
            raise invalid("Only the first message may contain a streaming_config.")
        if len(request.audio) > self._largest_piece:
            raise invalid("The audio of a message may be 15 KB at most.")
        return bytes(request.audio)

    def tell(self, said: Said) -> Any:
        """As ``StreamingRecognizeResponse``."""
        if said.kind in _KINDS:
            return v2.StreamingRecognizeResponse(
                speech_event_type=_KINDS[said.kind], speech_event_offset=_duration(said.audio_s)
            )
        words = v2.SpeechRecognitionAlternative(transcript=said.text, confidence=said.confidence)
        result = v2.StreamingRecognitionResult(
            alternatives=[words],
            is_final=said.kind == "final",
            stability=said.stability,
            result_end_offset=_duration(said.audio_s),
            language_code=said.language,
        )
        return v2.StreamingRecognizeResponse(results=[result])


def _check_audio(is_mulaw: bool, rate_hz: int, channels: int) -> None:
    if not _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ:
        raise invalid("Invalid recognition 'config': bad sample rate hertz.")
    if channels > 1:
        raise invalid("Invalid recognition 'config': must use single channel (mono) audio.")
    if not is_mulaw or rate_hz != _LOWEST_HZ:
        raise Refusal("UNIMPLEMENTED", "The simulator hears MULAW at 8000 Hz only.")


def _check_single_utterance(streaming: Any) -> None:
    config = streaming.config
    is_enhanced_call = config.model == "phone_call" and config.use_enhanced
    if streaming.single_utterance and not (config.model in _SINGLE_UTTERANCE_MODELS or is_enhanced_call):
        raise invalid(f"single_utterance is not supported for the model {config.model}.")


def _check_phrases(phrases: Sequence[str]) -> None:
    if len(phrases) > _MOST_PHRASES or any(len(phrase) > _LONGEST_PHRASE for phrase in phrases):
        raise invalid("Invalid recognition 'config': too many phrases, or one that is too long.")
    if any(name not in _CLASSES for phrase in phrases for name in _CLASS.findall(phrase)):
        raise invalid("Invalid recognition 'config': unknown class token in a phrase.")


def check_model(model: str, languages: Sequence[str], behaviour: Behaviour) -> None:
    if model not in behaviour.models:
        raise invalid(f"Invalid recognition 'config': bad model: {model}.")
    every = {known for some in behaviour.models.values() for known in some}
    for language in languages:
        if language not in every:
            raise invalid(f"Invalid recognition 'config': bad language code: {language}.")
        if language not in behaviour.models[model]:
            raise invalid(
                "Invalid recognition 'config': The requested model is currently not supported for language : "
                f"{language}."
            )
    if len(languages) > 1 and model not in behaviour.multilingual_models:
        raise invalid(f"Invalid recognition 'config': {model} takes one language at a time.")


def _check_activity(features: Any, has_events: bool) -> None:
    if "voice_activity_timeout" in features and not has_events:
        raise invalid("voice_activity_timeout needs enable_voice_activity_events.")


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)

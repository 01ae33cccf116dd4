"""Whole recordings for the simulated speech-to-text, in both versions: what it takes, refuses and answers.

Sources: the messages of google-cloud-speech 2.41 and their documentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.domain.opus import NotOpus, Recording
from simulators.google_server import invalid
from simulators.google_speech_behaviour import Behaviour
from simulators.google_speech_hearing import Said, Script
from simulators.google_speech_wire import RECOGNIZER, VersionName, check_model, v1, v2

_LARGEST = 10 * 1024 * 1024
_LONGEST_S = 60
_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
_TOO_LONG = (
    "Sync input too long. For audio longer than 1 min use LongRunningRecognize with a 'uri' parameter."
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A recording, and how it is to be recognised."""

    content: bytes
    languages: Sequence[str]
    model: str
    rate_hz: int = 0

    def heard(self, behaviour: Behaviour, script: Script) -> Sequence[Said]:
        """What is made out in it: nothing, where it is not known and the script has come to its end."""
        utterance = behaviour.recordings.get(hashlib.sha256(self.content).hexdigest()) or script.take()
        if utterance is None:
            return []
        language = utterance.language if utterance.language in self.languages else self.languages[0]
        length_s = Recording(self.content).seconds
        # In lower case, as the service tells it.
        return [Said("final", length_s, utterance.text, language.lower(), confidence=utterance.confidence)]


@dataclass(frozen=True, slots=True)
class Batch:
    """One version of the service.

    Args:
        asked: reads a request; raises Refusal where the service would not take it.
        tell: the response that says so.
    """

    name: VersionName
    request: Any
    response: Any
    asked: Callable[[Any, Behaviour], Whole]
    tell: Callable[[Sequence[Said]], Any]


def _asked_v1(request: Any, behaviour: Behaviour) -> Whole:
    config = request.config
    if config.encoding != v1.RecognitionConfig.AudioEncoding.OGG_OPUS:
        raise invalid("Invalid recognition 'config': bad encoding.")
    if config.sample_rate_hertz not in _RATES:
        raise invalid("Invalid recognition 'config': bad sample rate hertz.")
    if not config.language_code:
        raise invalid("Invalid recognition 'config': language_code is required.")
    languages = [config.language_code, *config.alternative_language_codes]
    check_model(config.model, languages, behaviour)
    content = bytes(request.audio.content)
    _check_content(content)
    return Whole(content, languages, config.model, config.sample_rate_hertz)


def _asked_v2(request: Any, behaviour: Behaviour) -> Whole:
    config = request.config
    if RECOGNIZER.fullmatch(request.recognizer) is None:
        raise invalid("Invalid resource field value in the request: recognizer.")
    if "auto_decoding_config" not in config:
        raise invalid("The simulator takes recordings with an auto_decoding_config only.")
    if not config.model or not config.language_codes:
        raise invalid("The request must name a model and language codes.")
    languages = list(config.language_codes)
    check_model(config.model, languages, behaviour)
    _check_content(bytes(request.content))
    return Whole(bytes(request.content), languages, config.model)


def _check_content(content: bytes) -> None:
    if len(content) > _LARGEST:
        raise invalid("Request payload size exceeds the limit: 10485760 bytes.")
    try:
        seconds = Recording(content).seconds
    except NotOpus:
        raise invalid("Audio data does not appear to be in a supported encoding.") from None
    if seconds > _LONGEST_S:
        raise invalid(_TOO_LONG)


def _tell_v1(said: Sequence[Said]) -> Any:
    return v1.RecognizeResponse(
        results=[
            v1.SpeechRecognitionResult(
                alternatives=[
                    v1.SpeechRecognitionAlternative(transcript=one.text, confidence=one.confidence)
                ],
                result_end_time=timedelta(seconds=one.audio_s),
                language_code=one.language,
            )
            for one in said
        ]
    )


def _tell_v2(said: Sequence[Said]) -> Any:
    return v2.RecognizeResponse(
        results=[
            v2.SpeechRecognitionResult(
                alternatives=[
                    v2.SpeechRecognitionAlternative(transcript=one.text, confidence=one.confidence)
                ],
                result_end_offset=timedelta(seconds=one.audio_s),
                language_code=one.language,
            )
            for one in said
        ]
    )


BATCH_V1 = Batch("v1", v1.RecognizeRequest, v1.RecognizeResponse, _asked_v1, _tell_v1)
BATCH_V2 = Batch("v2", v2.RecognizeRequest, v2.RecognizeResponse, _asked_v2, _tell_v2)

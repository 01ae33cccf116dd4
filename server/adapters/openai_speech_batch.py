"""Speech-to-text of whole recordings by any server that speaks OpenAI's ``/audio/transcriptions``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.adapters.openai_clients import OpenAIEndpoint
from server.adapters.openai_speech import OpenAIEars
from server.adapters.openai_speech_wire import PROVIDER
from server.adapters.openai_transcriptions import Transcriptions
from server.domain.language import detect_language
from server.domain.opus import NotOpus, Recording
from server.errors import ProviderRejected
from server.ports.speech import ListenRequest, Transcript

ANSWER_S = 20.0


class OpenAITranscriber:
    """Keeps the ``Transcriber`` port.

    Args:
        answer_s: how long an answer may take.
    """

    def __init__(self, endpoint: OpenAIEndpoint, ears: OpenAIEars, answer_s: float = ANSWER_S) -> None:
        self._endpoint = endpoint
        self._service = Transcriptions(endpoint, ears.model)
        self._known = ears.languages
        self._answer_s = answer_s

    async def transcribe(self, recording: bytes, languages: Sequence[str]) -> Transcript:
        """The words of *recording*; one more try if the connection breaks."""
        known = [language for language in languages if language in self._known]
        if not known:
            raise ProviderRejected(PROVIDER, "none of the languages is understood")
        try:
            Recording(recording)
        except NotOpus as error:
            raise ProviderRejected(PROVIDER, "the recording is no Opus in Ogg") from error
        words = await self._service.ask("voice.ogg", recording, ListenRequest(known), self._answer_s)
        detected = words.language or detect_language(words.text)
        return replace(words, language=detected if detected in known else known[0])

    async def aclose(self) -> None:
        """Close the endpoint's connections; the next recording would open new ones."""
        await self._endpoint.aclose()

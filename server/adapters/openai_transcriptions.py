"""The route ``/audio/transcriptions`` of OpenAI's API: a file goes in, words come out."""

from __future__ import annotations

import asyncio
import json

from server.adapters.openai_clients import OpenAIEndpoint
from server.adapters.openai_errors import limit
from server.adapters.openai_speech_wire import PROVIDER, form, transcript
from server.errors import ProviderTimeout, ProviderUnavailable
from server.ports.speech import ListenRequest, Transcript


class Transcriptions:
    """The route, asked about one model."""

    def __init__(self, endpoint: OpenAIEndpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model

    async def ask(self, name: str, content: bytes, request: ListenRequest, limit_s: float) -> Transcript:
        """The words of a file, whose *name* tells its kind; one more try if the connection breaks.

        Raises:
            ProviderTimeout: no answer within *limit_s*.
            ProviderUnavailable: it is out of order.
            ProviderRejected: the key, the model or the request is refused.
        """
        ends_at = asyncio.get_running_loop().time() + limit_s
        try:
            return await self._ask(name, content, request, ends_at)
        except ProviderTimeout:
            raise
        except ProviderUnavailable:
            return await self._ask(name, content, request, ends_at)

    async def _ask(self, name: str, content: bytes, request: ListenRequest, ends_at: float) -> Transcript:
        async with limit(PROVIDER, ends_at - asyncio.get_running_loop().time(), "words"):
            client = await self._endpoint.take()
            try:
                answer = await client.audio.transcriptions.with_raw_response.create(
                    file=(name, content), **form(self._model, request.languages, request.phrases)
                )
            finally:
                await self._endpoint.give_back(client)
        try:
            told = json.loads(answer.http_response.content)
        except ValueError as error:
            raise ProviderUnavailable(PROVIDER, "the answer cannot be read") from error
        return transcript(told, request.languages)

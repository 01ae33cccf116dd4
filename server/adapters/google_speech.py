"""Speech-to-text by Google: a stream for each call, mended while the call goes on.

Google ends a stream after 305 seconds, and one that has had no audio for about ten. So audio never stops to
flow, and a call is heard by one stream after another: each begins where the words of the one before were
last final, so that no word is lost and none is heard twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog

from server.adapters.audio_tape import AudioTape
from server.adapters.google_channels import INVALID_ARGUMENT, GoogleClients, GoogleEndpoint, limit
from server.adapters.google_speech_stream import PROVIDER, GoogleStream, Why
from server.adapters.google_speech_wire import (
    GoogleSpeechSettings,
    Recipe,
    SpeechService,
    events_of,
    load_service,
    recipes,
)
from server.adapters.hearing_state import HearingState, Outage
from server.errors import ProviderError, ProviderRejected
from server.ports.speech import BYTES_PER_SECOND, FinalTranscript, ListenRequest, SpeechEvent

log = structlog.get_logger(__name__)

WARM_UP_S = 5.0
_MULAW_SILENCE = b"\xff"
# Long enough not to take a late frame for a gap, short enough for Google to hear where a sentence ends.
_GAP_S = 0.5
_FILL_S = 0.1
# Of what nobody seems to say, so much is heard again: a voice is told of only after it began.
_LEAD_S = 2.0
# A refusal that meets audio on its way is lost: gRPC's asyncio side then tells INTERNAL in its place.
_ADMIT_S = 0.1
# Version 2 takes 15 kB at once.
_LARGEST_PIECE = 12_800


@dataclass(frozen=True, slots=True)
class SpeechLimits:
    """How long the service may take, in seconds.

    Args:
        open_s: to a connection.
        answer_s: to any answer, once words are expected. Another stream is asked once more, so that it takes
            twice as long, and a connection, until it counts as hanging.
        reconnect_s: from the first failure until a stream must work again.
        rotate_s: the age at which a stream is replaced in the next pause.
        rotate_latest_s: the age at which it is replaced in the middle of a word. Google ends it at 305.
        keep_s: how much audio without final words is kept, to be heard again.
    """

    open_s: float = 1.0
    answer_s: float = 1.0
    reconnect_s: float = 2.0
    rotate_s: float = 240.0
    rotate_latest_s: float = 290.0
    keep_s: float = 20.0


class GoogleSpeech:
    """Keeps the ``SpeechToText`` port.

    Args:
        connections: each carries about a hundred calls.
    """

    def __init__(
        self,
        endpoint: GoogleEndpoint,
        settings: GoogleSpeechSettings,
        limits: SpeechLimits | None = None,
        connections: int = 2,
    ) -> None:
        self._settings = settings
        self._limits = limits or SpeechLimits()
        self._services: GoogleClients[SpeechService] = GoogleClients(
            PROVIDER, endpoint, lambda: load_service(settings), connections
        )
        # What Google refused while it took the same in another way: that need not be asked again.
        self._refused: set[Recipe] = set()

    async def warm(self) -> None:
        """Load the client and connect; the first time about half a second."""
        await self._services.warm(WARM_UP_S)

    def listen(self, request: ListenRequest) -> GoogleRecognition:
        """Listen to a caller; a stream is opened once the events are read.

        The events end with ``ProviderRejected`` where Google has none of the languages.
        """
        return GoogleRecognition(request, self._settings, self._limits, self._services, self._refused)

    async def aclose(self) -> None:
        """Break off every stream and connection; the next call would connect again."""
        await self._services.aclose()


class GoogleRecognition:
    """Keeps the ``Recognition`` port; see the module."""

    def __init__(
        self,
        request: ListenRequest,
        settings: GoogleSpeechSettings,
        limits: SpeechLimits,
        services: GoogleClients[SpeechService],
        refused: set[Recipe],
    ) -> None:
        self._phrases = request.phrases
        self._languages: Sequence[str] = request.languages
        self._settings = settings
        self._limits = limits
        self._services = services
        self._refused = refused
        self._tried: set[Recipe] = set()
        self._tape = AudioTape(round(limits.keep_s * BYTES_PER_SECOND))
        self._came = asyncio.Event()
        self._heard_at: float | None = None
        self._state = HearingState()
        self._stream: GoogleStream | None = None
        self._is_closed = False

    def hear(self, frame: bytes) -> None:
        """Take the next audio; keeps the latest ``keep_s``."""
        self._heard_at = asyncio.get_running_loop().time()
        self._append(frame)

    def expect_words(self) -> None:
        """Any answer must come within ``answer_s``; then it is tried once more."""
        self._state.is_expecting = True
        if self._stream is not None:
            self._stream.expect(self._limits.answer_s)

    def lock(self, language: str) -> None:
        """Hear *language* alone; the stream is replaced in the next pause, or now if nobody speaks."""
        if list(self._languages) == [language]:
            return
        self._languages = [language]
        if self._stream is not None:
            self._stream.is_due = True
            self._replace_in_pause(self._stream)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Yield what is heard, from one stream after another."""
        outage = Outage(self._limits.reconnect_s)
        flowing = asyncio.create_task(self._keep_flowing())
        try:
            while not self._is_closed:
                if (ended := self._state.resume(self._tape.end / BYTES_PER_SECOND)) is not None:
                    yield ended
                stream = GoogleStream(self._recipe(), self._tape.begin)
                try:
                    async with aclosing(self._heard_by(stream)) as events:
                        async for event in events:
                            yield event
                except ProviderError as error:
                    await self._survive(error, stream, outage)
        finally:
            flowing.cancel()

    async def aclose(self) -> None:
        """End the events."""
        self._is_closed = True
        if self._stream is not None:
            self._stream.end(Why.CLOSED)

    async def _heard_by(self, stream: GoogleStream) -> AsyncGenerator[SpeechEvent, None]:
        self._stream = stream
        try:
            service = await self._open(stream)
            stream.grow_old(self._limits.rotate_s, self._limits.rotate_latest_s, self._replace_in_pause)
            if self._state.is_expecting:
                stream.expect(self._limits.answer_s)
            while (response := await stream.next()) is not None:
                self._state.is_expecting = False
                self._refused |= self._tried
                begin_s = stream.begin / BYTES_PER_SECOND
                for event in events_of(response, service, begin_s, self._language_of):
                    if self._takes(event, stream):
                        yield event
                self._replace_in_pause(stream)
        finally:
            self._stream = None
            stream.end(Why.CLOSED)
            # Who still waits for audio for it need not.
            self._came.set()

    async def _open(self, stream: GoogleStream) -> SpeechService:
        async with limit(PROVIDER, self._limits.open_s, "connection"):
            service = await self._services.take()
            # What is forgotten here in spite of all would live on otherwise.
            most_s = self._limits.rotate_latest_s + self._limits.open_s
            stream.opened(await service.open(self._requests(service, stream), most_s))
        return service

    async def _requests(self, service: SpeechService, stream: GoogleStream) -> AsyncIterator[Any]:
        """What a stream is sent: how to listen, and audio as it comes."""
        yield service.first(stream.recipe, self._phrases)
        await asyncio.sleep(_ADMIT_S)
        # A full tape has moved on meanwhile.
        stream.begin = stream.sent = self._tape.begin
        while not stream.has_ended:
            try:
                audio = self._tape.read(stream.sent, _LARGEST_PIECE)
            except LookupError:
                # For all of ``keep_s`` nothing could be sent.
                stream.end(Why.STALLED)
                return
            if audio:
                stream.sent += len(audio)
                yield service.audio(audio)
                if self._state.is_silent:
                    self._tape.forget(stream.sent - round(_LEAD_S * BYTES_PER_SECOND))
            else:
                self._came.clear()
                await self._came.wait()

    def _takes(self, event: SpeechEvent, stream: GoogleStream) -> bool:
        """Whether *event* is news; what was final is forgotten."""
        if isinstance(event, FinalTranscript):
            told = round(event.until_s * BYTES_PER_SECOND)
            self._tape.forget(min(told, stream.sent) if told > stream.begin else stream.sent)
        return self._state.takes(event)

    def _replace_in_pause(self, stream: GoogleStream) -> None:
        if stream.is_due and self._state.is_silent:
            stream.end(Why.REPLACED)

    async def _survive(self, error: ProviderError, stream: GoogleStream, outage: Outage) -> None:
        """Return when another stream may be tried.

        Raises:
            ProviderError: there is no hope.
        """
        if isinstance(error, ProviderRejected):
            if error.reason != INVALID_ARGUMENT or stream.has_answered:
                raise error
            log.warning("speech.recipe_refused", codes=stream.recipe.codes, model=stream.recipe.model)
            self._tried.add(stream.recipe)
            return
        wait_s = outage.failed(
            error,
            asyncio.get_running_loop().time(),
            lasted_s=stream.lasted_s,
            has_answered=stream.has_answered,
        )
        log.warning("speech.stream_broke", reason=error.reason, sent_s=stream.sent / BYTES_PER_SECOND)
        await asyncio.sleep(wait_s)

    def _recipe(self) -> Recipe:
        known = recipes(self._settings, self._languages)
        if not known:
            raise ProviderRejected(PROVIDER, "none of the languages has a code")
        for recipe in known:
            if recipe not in self._refused | self._tried:
                return recipe
        raise ProviderRejected(PROVIDER, INVALID_ARGUMENT)

    def _language_of(self, code: str) -> str:
        known = {known.lower(): language for language, known in self._settings.codes.items()}
        return known.get(code.lower(), self._languages[0])

    async def _keep_flowing(self) -> None:
        """Put silence where no audio came."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            await asyncio.sleep(_FILL_S)
            if loop.time() - (self._heard_at or begun) >= _GAP_S:
                self._append(_MULAW_SILENCE * round(_FILL_S * BYTES_PER_SECOND))

    def _append(self, audio: bytes) -> None:
        self._tape.append(audio)
        self._came.set()

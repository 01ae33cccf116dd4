"""Speech-to-text of any server that speaks OpenAI's ``/audio/transcriptions``.

The service takes recordings, not streams: we cut the call into utterances by voice and ask about each. At a
short pause it is asked already, so that words are there while it is still uncertain whether more will come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from server.adapters.audio_tape import AudioTape
from server.adapters.openai_clients import OpenAIEndpoint
from server.adapters.openai_speech_utterances import Began, Heard, Over, Paused, UtteranceLimits, Utterances
from server.adapters.openai_speech_wire import PROVIDER, wav
from server.adapters.openai_transcriptions import Transcriptions
from server.domain.language import detect_language
from server.errors import ProviderRejected
from server.ports.speech import (
    BYTES_PER_SECOND,
    FinalTranscript,
    InterimTranscript,
    ListenRequest,
    SpeechBegan,
    SpeechEnded,
    SpeechEvent,
    Transcript,
)
from server.voice import mulaw
from server.voice.vad import Detector, Detectors

# Words of an utterance that may yet go on; they do not change often.
_STABILITY = 0.9
_FILL_S = 0.1
# Before its events are read a call is listened to for so long.
_KEEP_S = 10.0
_READY_DETECTORS = 1


@dataclass(frozen=True, slots=True)
class ListeningLimits:
    """How long things may take, in seconds.

    Args:
        answer_s: to the words of an utterance. A connection that breaks is tried once more within it.
        gap_s: without audio, from when on silence is put in its place.
        utterances: how the call is cut.
    """

    answer_s: float = 3.0
    gap_s: float = 0.5
    utterances: UtteranceLimits = field(default_factory=UtteranceLimits)


@dataclass(frozen=True, slots=True)
class OpenAIEars:
    """The model that listens, and the languages (ISO 639-1) that it understands."""

    model: str
    languages: Collection[str]


class OpenAISpeech:
    """Keeps the ``SpeechToText`` port."""

    def __init__(
        self, endpoint: OpenAIEndpoint, ears: OpenAIEars, limits: ListeningLimits | None = None
    ) -> None:
        self._service = Transcriptions(endpoint, ears.model)
        self._endpoint = endpoint
        self._known = ears.languages
        self._limits = limits or ListeningLimits()
        self._detectors = Detectors()

    async def warm(self) -> None:
        """Load the SDK, open a connection and make a voice detector; the first time about half a second."""
        await asyncio.gather(
            self._endpoint.warm(), asyncio.to_thread(self._detectors.prepare, _READY_DETECTORS)
        )

    def listen(self, request: ListenRequest) -> OpenAIRecognition:
        """Listen to a caller; the service is asked about a moment of silence once the events are read, so
        that a wrong key shows before the caller has spoken.

        The events end with ``ProviderRejected`` where none of the languages is understood.
        """
        known = [language for language in request.languages if language in self._known]
        return OpenAIRecognition(
            ListenRequest(known, request.phrases), self._service, self._detectors, self._limits
        )

    async def aclose(self) -> None:
        """Close the endpoint's connections; the next utterance would open new ones."""
        await self._endpoint.aclose()


@dataclass(slots=True)
class _Asked:
    """What was asked about an utterance the latest time, what it was taken for, and where it ended if it is
    over."""

    asking: asyncio.Task[None]
    times: int = 1
    words: Transcript | None = None
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Understood:
    """The answer to what was asked about an utterance for so many ``times``."""

    number: int
    times: int
    words: Transcript


_News = Heard | _Understood | Exception


class OpenAIRecognition:
    """Keeps the ``Recognition`` port; see the module."""

    def __init__(
        self,
        request: ListenRequest,
        service: Transcriptions,
        detectors: Detectors,
        limits: ListeningLimits,
    ) -> None:
        self._request = request
        self._service = service
        self._detectors = detectors
        self._limits = limits
        self._early = AudioTape(round(_KEEP_S * BYTES_PER_SECOND))
        self._utterances: Utterances | None = None
        self._heard_at: float | None = None
        self._news: asyncio.Queue[_News | None] = asyncio.Queue()
        self._asked: dict[int, _Asked] = {}
        # In the order in which they were said.
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def hear(self, frame: bytes) -> None:
        """Take the next audio."""
        self._heard_at = asyncio.get_running_loop().time()
        self._take(frame)

    def expect_words(self) -> None:
        """An utterance that is under way has its own limit; where there is none, the service is asked
        whether it answers at all."""
        utterances = self._utterances
        if utterances is not None and not utterances.is_open and not self._tasks:
            self._check()

    def lock(self, language: str) -> None:
        """Hear *language* alone from the next utterance on, if it is understood at all."""
        if language in self._request.languages:
            self._request = ListenRequest([language], self._request.phrases)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Yield what is heard."""
        if self._is_closed:
            return
        if not self._request.languages:
            raise ProviderRejected(PROVIDER, "none of the languages is understood")
        async with self._detector() as detector:
            self._utterances = Utterances(detector, self._limits.utterances)
            flowing = asyncio.create_task(self._keep_flowing())
            self._check()
            self._take(self._early.read(self._early.begin, self._early.end))
            try:
                while not self._is_closed and (news := await self._news.get()) is not None:
                    if isinstance(news, Exception):
                        raise news
                    for event in self._events_of(news):
                        yield event
            finally:
                await self._end(flowing)

    async def aclose(self) -> None:
        """End the events."""
        self._is_closed = True
        self._news.put_nowait(None)

    def _take(self, audio: bytes) -> None:
        if self._is_closed:
            # The voice detector is another call's by now.
            return
        if self._utterances is None:
            self._early.append(audio)
            return
        for heard in self._utterances.hear(audio):
            self._news.put_nowait(heard)

    def _events_of(self, news: Heard | _Understood) -> Sequence[SpeechEvent]:
        match news:
            case Began(at_s):
                return [SpeechBegan(at_s)]
            case Paused(at_s, number, audio):
                self._ask(number, audio)
                return [SpeechEnded(at_s)]
            case Over(number, until_s):
                self._asked[number].until_s = until_s
                return self._final(number)
            case _Understood(number, times, words):
                asked = self._asked[number]
                if times != asked.times:
                    return []
                asked.words = words
                interim = InterimTranscript(words.text, _STABILITY, self._language(words))
                return [*([interim] if words.text else []), *self._final(number)]

    def _final(self, number: int) -> Sequence[SpeechEvent]:
        """The words of an utterance that is over, once they are there."""
        asked = self._asked[number]
        words, until_s = asked.words, asked.until_s
        if words is None or until_s is None:
            return []
        del self._asked[number]
        if not words.text:
            return []
        return [FinalTranscript(words.text, self._language(words), words.confidence, until_s)]

    def _language(self, words: Transcript) -> str:
        known = self._request.languages
        detected = words.language or detect_language(words.text)
        return detected if detected in known else known[0]

    def _ask(self, number: int, audio: bytes) -> None:
        """Have all of an utterance so far understood; what was asked about less of it is not waited for."""
        if not audio:
            return
        times = 1
        if (before := self._asked.get(number)) is not None:
            before.asking.cancel()
            times += before.times
        self._asked[number] = _Asked(self._begin(self._understand(number, times, audio)), times)

    async def _understand(self, number: int, times: int, audio: bytes) -> None:
        async with self._turn:
            words = await self._words(audio, self._request)
        self._news.put_nowait(_Understood(number, times, words))

    def _check(self) -> None:
        """Learn whether the service answers; there is nothing to understand."""
        self._begin(self._understand_nothing())

    async def _understand_nothing(self) -> None:
        await self._words(b"", ListenRequest(self._request.languages))

    async def _words(self, audio: bytes, request: ListenRequest) -> Transcript:
        file = await asyncio.to_thread(wav, audio)
        return await self._service.ask("utterance.wav", file, request, self._limits.answer_s)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._news.put_nowait(error)

    async def _keep_flowing(self) -> None:
        """Put silence where no audio came."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            await asyncio.sleep(_FILL_S)
            if loop.time() - (self._heard_at or begun) >= self._limits.gap_s:
                self._take(mulaw.silence(_FILL_S))

    @asynccontextmanager
    async def _detector(self) -> AsyncIterator[Detector]:
        """One for this call; making it takes too long for the loop."""
        borrowing = asyncio.ensure_future(asyncio.to_thread(self._detectors.borrow))
        try:
            yield await asyncio.shield(borrowing)
        finally:
            borrowing.add_done_callback(lambda done: self._detectors.give_back(done.result()))

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        self._is_closed = True
        under_way = [*tasks, *self._tasks]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

"""Ears and a voice that do what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from server.domain.language import detect_language
from server.domain.opus import NotOpus, Recording
from server.errors import ProviderError, ProviderRejected, ProviderTimeout
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

LANGUAGES = ("he", "en")
# A character, spoken.
_BYTES_A_CHARACTER = 480


class FakeRecognition:
    """Keeps the ``Recognition`` port; hears what `tell`, `say` and `fail` let it hear.

    ``locked`` are the languages it was locked to. Expected words must come within ``answer_s``.
    """

    def __init__(self, request: ListenRequest, answer_s: float) -> None:
        self.request = request
        self.audio = bytearray()
        self.locked: list[str] = []
        self.expected = 0
        self.is_closed = False
        self._answer_s = answer_s
        self._coming: asyncio.Queue[SpeechEvent | ProviderError | None] = asyncio.Queue()
        self._expectation: asyncio.TimerHandle | None = None

    def hear(self, frame: bytes) -> None:
        """Note it."""
        self.audio += frame

    def expect_words(self) -> None:
        """Time out unless something is told in time."""
        self.expected += 1
        late = ProviderTimeout("speech", "no words in time")
        loop = asyncio.get_running_loop()
        self._expectation = self._expectation or loop.call_later(
            self._answer_s, self._coming.put_nowait, late
        )

    def lock(self, language: str) -> None:
        """Note it."""
        self.locked.append(language)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Yield what is told."""
        try:
            if not set(self.request.languages) & set(LANGUAGES):
                raise ProviderRejected("speech", "none of the languages has a code")
            while not self.is_closed:
                event = await self._coming.get()
                if isinstance(event, ProviderError):
                    raise event
                if event is not None:
                    yield event
        finally:
            self._met()
            self.is_closed = True

    async def aclose(self) -> None:
        """End the events."""
        self._met()
        self.is_closed = True
        self._coming.put_nowait(None)

    def tell(self, *events: SpeechEvent) -> None:
        """Hear these."""
        self._met()
        for event in events:
            self._coming.put_nowait(event)

    def say(self, text: str, language: str = "en") -> None:
        """Hear a whole utterance, as long as the audio so far."""
        now_s = len(self.audio) / BYTES_PER_SECOND
        self.tell(
            SpeechBegan(now_s),
            InterimTranscript(text, 0.9, language),
            SpeechEnded(now_s),
            FinalTranscript(text, language, 0.9, now_s),
        )

    def fail(self, error: ProviderError) -> None:
        """End the events with *error*."""
        self._coming.put_nowait(error)

    def _met(self) -> None:
        if self._expectation is not None:
            self._expectation.cancel()
            self._expectation = None


class FakeSpeechToText:
    """Keeps the ``SpeechToText`` port. ``outages`` are what the next recognitions end with, in order."""

    def __init__(self, answer_s: float = 1.0) -> None:
        self.recognitions: list[FakeRecognition] = []
        self.outages: list[ProviderError] = []
        self._answer_s = answer_s

    async def warm(self) -> None:
        """There is nothing to load."""

    def listen(self, request: ListenRequest) -> FakeRecognition:
        """Listen as told."""
        made = FakeRecognition(request, self._answer_s)
        self.recognitions.append(made)
        if self.outages:
            made.fail(self.outages.pop(0))
        return made

    async def aclose(self) -> None:
        """There is nothing to close."""


class FakeTranscriber:
    """Keeps the ``Transcriber`` port: ``words`` are heard in the next recordings, in order, then nothing.

    An error among them is raised; an event is waited for, and then nothing is heard.
    """

    def __init__(self, *words: str | Transcript | ProviderError | asyncio.Event) -> None:
        self.words = list(words)
        self.heard: list[bytes] = []
        self.languages: list[Sequence[str]] = []

    async def transcribe(self, recording: bytes, languages: Sequence[str]) -> Transcript:
        """Hear what is next."""
        if not set(languages) & set(LANGUAGES):
            raise ProviderRejected("speech", "none of the languages has a code")
        try:
            Recording(recording)
        except NotOpus as error:
            raise ProviderRejected("speech", "no Opus") from error
        self.heard.append(recording)
        self.languages.append(languages)
        words = self.words.pop(0) if self.words else ""
        if isinstance(words, ProviderError):
            raise words
        if isinstance(words, asyncio.Event):
            await words.wait()
            words = ""
        return words if isinstance(words, Transcript) else Transcript(words, detect_language(words), 0.9)

    async def aclose(self) -> None:
        """There is nothing to close."""


def text_of(audio: bytes) -> str:
    """What `FakeTextToSpeech` was asked to say, from all of its audio."""
    return audio.decode(errors="ignore")[: len(audio) // _BYTES_A_CHARACTER]


class FakeTextToSpeech:
    """Keeps the ``TextToSpeech`` port: its audio is the text over and over, 60 ms a character.

    ``outages`` are met by the next sentences, in order: an error, or an event to wait for, before the first
    audio or in the middle. ``left_early`` are the sentences that were given up.
    """

    def __init__(self, languages: Sequence[str] = LANGUAGES, first_s: float = 1.5) -> None:
        self.spoken: list[tuple[str, str]] = []
        self.left_early: list[str] = []
        self.outages: list[tuple[str, ProviderError | asyncio.Event]] = []
        self._languages = languages
        self._limit_s = first_s

    async def warm(self) -> None:
        """There is nothing to load."""

    async def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield two pieces of audio."""
        if language not in self._languages:
            raise ProviderRejected("tts", "no voice for the language")
        self.spoken.append((text, language))
        place, outage = self.outages.pop(0) if self.outages else ("", None)
        audio = (text.encode() * _BYTES_A_CHARACTER)[: len(text) * _BYTES_A_CHARACTER]
        middle = len(audio) // 2
        is_whole = False
        try:
            if place == "first":
                await self._meet(outage)
            yield audio[:middle]
            if place == "middle":
                await self._meet(outage)
            yield audio[middle:]
            is_whole = True
        finally:
            if not is_whole:
                self.left_early.append(text)

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _meet(self, outage: ProviderError | asyncio.Event | None) -> None:
        if isinstance(outage, ProviderError):
            raise outage
        if outage is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limit_s):
                    await outage.wait()
                    return
            raise ProviderTimeout("tts", "no audio in time")

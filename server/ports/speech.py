"""What we ask of speech-to-text and of text-to-speech. All audio of calls is raw mu-law, 8,000 Hz, mono.

Languages are those of the domain: ``he``, ``en``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

# One byte a sample.
BYTES_PER_SECOND = 8_000


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The recogniser hears a voice. ``at_s`` is on the recognition's own clock, as all of its times."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """It does no more."""

    at_s: float


@dataclass(frozen=True, slots=True)
class InterimTranscript:
    """All words since the last final transcript, as they look now: the next may change them.

    ``stability`` is from 0 to 1, of the least stable part; 0 also where it was not told.
    """

    text: str
    stability: float
    language: str


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """Words that will not change. ``confidence`` is from 0 to 1; 0 also where it was not told.

    ``until_s`` is where in the audio they end.
    """

    text: str
    language: str
    confidence: float
    until_s: float


SpeechEvent = SpeechBegan | SpeechEnded | InterimTranscript | FinalTranscript


@dataclass(frozen=True, slots=True)
class ListenRequest:
    """``languages`` in order of preference, at least one; ``phrases`` are likely to be said."""

    languages: Sequence[str]
    phrases: Sequence[str] = ()


class Recognition(Protocol):
    """Listens to one caller. Its clock counts the audio it was given, and as silence where none came.

    It belongs to the event loop that reads its events.
    """

    def hear(self, frame: bytes) -> None:
        """Take the next audio. Returns at once; before `events` is read, and while it cannot be sent, the
        latest seconds are kept."""
        ...

    def expect_words(self) -> None:
        """A voice was heard for sure, by other means, and no words of it have come yet: something has to, in
        time, or the events end with ``ProviderTimeout``.

        Nothing else tells a recogniser that hangs from a caller who is silent. Not to be called for a noise.
        """
        ...

    def lock(self, language: str) -> None:
        """Hear *language* alone from the next pause on."""
        ...

    def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Yield what is heard, until `aclose`; to be called once. Closing the iterator ends the recognition.

        ``SpeechBegan`` and ``SpeechEnded`` take turns. What breaks in between is mended without a sign of
        it; audio whose words were not final is heard again.

        Raises:
            ProviderTimeout: no connection, or no words that were expected, in time.
            ProviderUnavailable: it broke, and did not come back in time.
            ProviderRejected: the key, the language or the request is refused.
        """
        ...

    async def aclose(self) -> None:
        """End it; what was not final is lost."""
        ...


class SpeechToText(Protocol):
    """Turns what callers say into words."""

    async def warm(self) -> None:
        """Load what the first call would otherwise wait for. A failure shows with the first call."""
        ...

    def listen(self, request: ListenRequest) -> Recognition:
        """Start to listen to a caller; nothing is sent before `Recognition.events` is read."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of a recording; ``text`` is empty where none were made out.

    ``confidence`` is from 0 to 1; 0 also where it was not told.
    """

    text: str
    language: str
    confidence: float


class Transcriber(Protocol):
    """Turns recordings into words."""

    async def transcribe(self, recording: bytes, languages: Sequence[str]) -> Transcript:
        """The words of *recording*: one stream of Opus in an Ogg file, as voice messages are.

        Args:
            recording: of a minute at most.
            languages: that may be spoken, in order of preference, at least one.

        Raises:
            ProviderTimeout: no answer in time.
            ProviderUnavailable: it is out of order.
            ProviderRejected: the key, the languages or the recording is refused.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class TextToSpeech(Protocol):
    """Speaks."""

    async def warm(self) -> None:
        """Load what the first sentence would otherwise wait for. A failure shows with the first sentence."""
        ...

    def speak(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of *text* as it comes, in pieces of any length, none of them empty.

        Closing the iterator cancels what is under way.

        Raises:
            ProviderTimeout: a limit passed.
            ProviderUnavailable: the connection broke, or it is out of order.
            ProviderRejected: the key, the voice or the text is refused, or there is no voice for *language*.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class PreparedTextToSpeech(TextToSpeech, Protocol):
    """Speaks, and has fixed lines ready."""

    async def prepare(self, lines: Iterable[tuple[str, str]]) -> None:
        """Make the audio of *lines*, each with its language; one that cannot be made is made when said."""
        ...


@dataclass(frozen=True, slots=True)
class Speech:
    """What a phone line takes."""

    to_text: SpeechToText
    from_text: PreparedTextToSpeech

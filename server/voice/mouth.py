"""Speaks to one caller: sentence after sentence, the next one made while one is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from server.domain.language import UNDETERMINED, detect_language
from server.ports.speech import TextToSpeech
from server.voice.frames import Outgoing
from server.voice.heard import Playback
from server.voice.recorder import NOT_RECORDED, Recorder
from server.voice.spoken import spoken

# One is sent, one is made.
_AT_ONCE = 2

Send = Callable[[str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Sentence:
    """What is said, as it stands in the log and as it is spoken. ``is_void``: not to be said after all."""

    text: str
    spoken: str
    language: str
    is_void: bool = False
    audio: asyncio.Queue[bytes | Exception | None] = field(default_factory=asyncio.Queue)


def as_sentence(text: str, language: str) -> Sentence:
    """*text* as it is said; in *language* where it does not tell its own."""
    detected = detect_language(text)
    own = language if detected == UNDETERMINED else detected
    said = spoken(text, own)
    return Sentence(text, said, own, is_void=not said)


class Mouth:
    """All that one caller is told goes through here, in order.

    Args:
        send: sends a frame over the call's socket.
        now: the stopwatch of the call, in seconds.
        recorder: is told of what is sent.
    """

    def __init__(
        self,
        tts: TextToSpeech,
        send: Send,
        outgoing: Outgoing,
        now: Callable[[], float],
        recorder: Recorder = NOT_RECORDED,
    ) -> None:
        self._tts = tts
        self._send = send
        self._outgoing = outgoing
        self._now = now
        self._recorder = recorder
        self.playback = Playback()
        # The audio of a sentence is never mixed with that of another.
        self._turn = asyncio.Lock()

    async def say(
        self,
        sentences: AsyncGenerator[Sentence, None],
        may_begin: asyncio.Event,
        began: Callable[[Sentence], None],
    ) -> None:
        """Say *sentences*; returns when all of their audio has been sent, long before it has been heard.

        Audio is made ahead; none of it leaves before *may_begin*.

        Args:
            began: is told of each sentence as its first audio leaves.

        Raises:
            ProviderError: the audio of a sentence could not be had; those after it were not said.
        """
        ready: asyncio.Queue[Sentence | None] = asyncio.Queue()
        room = asyncio.Semaphore(_AT_ONCE)
        making = asyncio.create_task(self._make(sentences, ready, room))
        try:
            while (sentence := await ready.get()) is not None:
                await may_begin.wait()
                if not sentence.is_void:
                    await self._utter(sentence, began)
                room.release()
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def interject(self, sentence: Sentence, is_wanted: Callable[[], bool]) -> None:
        """Say *sentence* besides, whole, if it is still wanted when its audio is there.

        Raises:
            ProviderError: its audio could not be had.
        """
        await self._synthesise(sentence)
        if is_wanted():
            await self._utter(sentence, lambda _sentence: None)

    async def interrupt(self) -> None:
        """Whatever has not been heard yet shall not be: first of all, before any bookkeeping."""
        self._recorder.cut()
        await self._send(self._outgoing.clear())

    async def _make(
        self,
        sentences: AsyncGenerator[Sentence, None],
        ready: asyncio.Queue[Sentence | None],
        room: asyncio.Semaphore,
    ) -> None:
        """Have the audio of each sentence made, a few at a time."""
        async with aclosing(sentences), asyncio.TaskGroup() as voices:
            async for sentence in sentences:
                await room.acquire()
                voices.create_task(self._synthesise(sentence))
                ready.put_nowait(sentence)
            ready.put_nowait(None)

    async def _synthesise(self, sentence: Sentence) -> None:
        try:
            async with aclosing(self._tts.speak(sentence.spoken, sentence.language)) as audio:
                async for piece in audio:
                    sentence.audio.put_nowait(piece)
            sentence.audio.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - whoever sends the sentence raises it
            sentence.audio.put_nowait(error)

    async def _utter(self, sentence: Sentence, began: Callable[[Sentence], None]) -> None:
        piece = await _next_piece(sentence)
        if piece is None:
            return
        async with self._turn:
            mark = self.playback.begin(sentence.text)
            began(sentence)
            while piece is not None:
                self._recorder.say(piece)
                await self._send(self._outgoing.media(piece))
                self.playback.sent(mark, len(piece), self._now())
                piece = await _next_piece(sentence)
            await self._send(self._outgoing.mark(mark))
            self.playback.end(mark)


async def _next_piece(sentence: Sentence) -> bytes | None:
    """The next audio of *sentence*; None after the last.

    Raises:
        Exception: what went wrong with making it.
    """
    piece = await sentence.audio.get()
    if isinstance(piece, Exception):
        raise piece
    return piece

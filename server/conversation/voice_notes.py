"""Voice messages get words before they are answered; what else guests send is kept for staff meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from cachetools import TTLCache

from server.conversation.enclosures import Enclosures
from server.domain.conversations import Speaker, Turn, Unheard, WaitingMessage
from server.domain.language import reply_language
from server.domain.messages import TRANSCRIPT, MessageKind, media_of
from server.domain.opus import NotOpus, Recording
from server.errors import ProviderError, ProviderTimeout, StoreUnavailable
from server.ports.media import MediaFault
from server.ports.speech import Transcriber, Transcript
from server.ports.store import InboxStore

# What speech recognition takes at once, with a margin; a longer recording goes to it in parts.
PART_S = 55.0
LONGEST_S = 300.0
MOST_PART_BYTES = 8 * 1024 * 1024
# A guest waits for so long at most, beside what the answer takes.
PATIENCE_S = 30.0
# Less sure words are not answered: they may say anything.
LEAST_CONFIDENCE = 0.3
_LONGEST_WORDS = 8_000
# What was learned of a message, also that it cannot be had, holds for the tries of one turn.
_REMEMBERED_S = 120.0
_MOST_REMEMBERED = 2_000
_HEARD_AT_ONCE = 16
# Pictures and documents are in nobody's way.
_FETCHED_AT_ONCE = 4
_FAULTS: Mapping[str, Unheard] = {
    MediaFault.TOO_LARGE: Unheard.TOO_LARGE,
    MediaFault.GONE: Unheard.GONE,
    MediaFault.NO_MEDIA: Unheard.UNREADABLE,
    MediaFault.CORRUPT: Unheard.UNREADABLE,
    MediaFault.LATE: Unheard.LATE,
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was made out in a recording: words, or why there are none."""

    transcript: Transcript | None = None
    unheard: Unheard | None = None


class VoiceNotes:
    """Hears each voice message once, whoever asks: a turn that is overtaken leaves it to the next.

    It belongs to the event loop that turns are taken on.

    Args:
        transcriber: None where no speech recognition is configured.
        patience_s: how long a message may take, fetched and heard.
    """

    def __init__(
        self,
        enclosures: Enclosures,
        transcriber: Transcriber | None,
        inbox: InboxStore,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._enclosures = enclosures
        self._transcriber = transcriber
        self._inbox = inbox
        self._patience_s = patience_s
        self._learning: TTLCache[int, asyncio.Task[_Learned]] = TTLCache(_MOST_REMEMBERED, _REMEMBERED_S)
        self._fetching: TTLCache[int, asyncio.Task[None]] = TTLCache(_MOST_REMEMBERED, _REMEMBERED_S)
        self._keeping: set[asyncio.Task[None]] = set()
        self._ears = asyncio.Semaphore(_HEARD_AT_ONCE)
        self._hands = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def hear(self, turn: Turn) -> Turn:
        """*turn* with the words of its voice messages, which are saved, or why they have none.

        What else its messages carry is fetched for staff meanwhile; nobody waits for that.

        Raises:
            StoreUnavailable: words could not be saved.
        """
        heard = await asyncio.gather(*(self._heard(turn, message) for message in turn.messages))
        return replace(turn, messages=heard)

    def keep(self, turn: Turn) -> None:
        """Do the same for staff alone, who answer the turn; returns at once."""
        if any(media_of(message.details) for message in turn.messages):
            task = asyncio.create_task(self._keep(turn))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _keep(self, turn: Turn) -> None:
        try:
            await self.hear(turn)
        except StoreUnavailable:
            log.warning("voice_note.not_saved", turn=turn.id)

    async def _heard(self, turn: Turn, message: WaitingMessage) -> WaitingMessage:
        is_wordless = message.kind is MessageKind.AUDIO and not message.text
        if not is_wordless or self._transcriber is None:
            self._fetch_behind(turn, message)
            return replace(message, unheard=Unheard.NO_EARS) if is_wordless else message
        learning = self._learning.get(message.id)
        if learning is None:
            learning = asyncio.create_task(self._learn(self._transcriber, turn, message))
            self._learning[message.id] = learning
        # It goes on when whoever waits here is stopped.
        learned = await asyncio.shield(learning)
        if learned.transcript is None:
            return replace(message, unheard=learned.unheard)
        words, details = learned.transcript.text, _details(learned.transcript)
        await asyncio.to_thread(self._inbox.save_words, message.id, words, details)
        return replace(message, text=words, details={**message.details, **details})

    async def _learn(self, transcriber: Transcriber, turn: Turn, message: WaitingMessage) -> _Learned:
        try:
            async with asyncio.timeout(self._patience_s), self._ears:
                learned = await self._listen(transcriber, turn, message)
        except (TimeoutError, ProviderTimeout):
            learned = _Learned(unheard=Unheard.LATE)
        except NotOpus:
            learned = _Learned(unheard=Unheard.UNREADABLE)
        except ProviderError as error:
            log.warning("voice_note.failed", message=message.id, provider=error.provider, reason=error.reason)
            learned = _Learned(unheard=_FAULTS.get(error.reason, Unheard.FAILED))
        except Exception as error:
            log.exception("voice_note.failed", message=message.id, error=type(error).__name__)
            learned = _Learned(unheard=Unheard.FAILED)
        log.info("voice_note.heard", message=message.id, unheard=learned.unheard)
        return learned

    async def _listen(self, transcriber: Transcriber, turn: Turn, message: WaitingMessage) -> _Learned:
        parts = await asyncio.to_thread(self._fetch_parts, turn, message)
        if not parts:
            return _Learned(unheard=Unheard.TOO_LONG)
        languages = _languages(turn)
        heard = await asyncio.gather(*(transcriber.transcribe(part, languages) for part in parts))
        transcript = _joined(heard)
        if not transcript.text or 0 < transcript.confidence < LEAST_CONFIDENCE:
            return _Learned(unheard=Unheard.UNCLEAR)
        return _Learned(transcript)

    def _fetch_parts(self, turn: Turn, message: WaitingMessage) -> Sequence[bytes]:
        """The recording, in as many parts as it takes; none if it is too long."""
        path = self._get(turn, message)
        recording = Recording(path.read_bytes())
        if recording.seconds > LONGEST_S:
            return ()
        parts = recording.parts(PART_S)
        if max(map(len, parts)) > MOST_PART_BYTES:
            raise NotOpus("it is longer than it says")
        return parts

    def _fetch_behind(self, turn: Turn, message: WaitingMessage) -> None:
        if media_of(message.details) is not None and message.id not in self._fetching:
            self._fetching[message.id] = asyncio.create_task(self._fetch(turn, message))

    async def _fetch(self, turn: Turn, message: WaitingMessage) -> None:
        try:
            async with self._hands:
                await asyncio.to_thread(self._get, turn, message)
        except Exception as error:  # noqa: BLE001 - staff fetch it when they look at it
            reason = error.reason if isinstance(error, ProviderError) else type(error).__name__
            log.info("media.not_kept", message=message.id, reason=reason)

    def _get(self, turn: Turn, message: WaitingMessage) -> Path:
        return self._enclosures.get(turn.tenant.id, message.id, message.received_at, message.details)


def _languages(turn: Turn) -> Sequence[str]:
    """What may be spoken: first the language that the guest writes."""
    known = turn.tenant.settings.languages
    before = [line.text for line in turn.history if line.speaker is Speaker.GUEST]
    return tuple(dict.fromkeys((reply_language([*before, turn.question], known), *known)))


def _joined(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of all parts; of the language of the longest, and as sure as the least sure."""
    text = " ".join(" ".join(part.text.replace("\x00", "").split()) for part in parts).strip()
    longest = max(parts, key=lambda part: len(part.text))
    told = [part.confidence for part in parts if part.confidence]
    return Transcript(text[:_LONGEST_WORDS], longest.language, min(told, default=0.0))


def _details(transcript: Transcript) -> dict[str, object]:
    """What is kept of how the words came about."""
    return {TRANSCRIPT: {"language": transcript.language, "confidence": round(transcript.confidence, 3)}}

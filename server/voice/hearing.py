"""What one caller says: the sound of the voice, a recogniser's words, and when they have finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from server.domain.calls import Call
from server.domain.language import UNDETERMINED, detect_language
from server.ports.speech import (
    FinalTranscript,
    InterimTranscript,
    ListenRequest,
    SpeechEnded,
    SpeechEvent,
    SpeechToText,
)
from server.voice.pieces import Pieces
from server.voice.turn_end import Decision, TurnEnd
from server.voice.vad import Change, Detector, VoiceActivity, VoiceChange

# A turn ends within so long after its last sound.
_LONGEST_PAUSE_S = 3.0


class Hearing:
    """Listens to one caller, and tells what follows from it.

    Args:
        now: the stopwatch of the call, in seconds.
        decide: takes what the turn's end has decided; after each of these `due_at` may be another.
        speaks: the caller is speaking, and it is more than a cough.
        falls_silent: they do not any more.
    """

    def __init__(
        self,
        call: Call,
        stt: SpeechToText,
        detector: Detector,
        now: Callable[[], float],
        *,
        decide: Callable[[Sequence[Decision]], None],
        speaks: Callable[[], None],
        falls_silent: Callable[[], None],
    ) -> None:
        self._now = now
        self._decide, self._speaks, self._falls_silent = decide, speaks, falls_silent
        self._languages = call.tenant.settings.languages
        self.language = call.language or next(iter(self._languages), "en")
        self.final_at: float | None = None
        self._voice = VoiceActivity(detector)
        self._pieces = Pieces()
        self._turn_end = TurnEnd()
        preferred = tuple(dict.fromkeys((self.language, *self._languages)))
        # What is likely to be said and hard to spell.
        self._recognition = stt.listen(ListenRequest(preferred, (call.tenant.settings.name,)))
        self._heard_language = ""
        self._is_locked = False

    @property
    def is_speaking(self) -> bool:
        """Whether a voice is heard."""
        return self._voice.is_speaking

    @property
    def due_at(self) -> float | None:
        """When `on_time` is to be called; None while nothing was said but "um"."""
        return self._turn_end.due_at

    @property
    def has_words(self) -> bool:
        """Whether the caller has said anything but "um" since their last turn."""
        return self.due_at is not None

    @property
    def is_busy(self) -> bool:
        """Whether a turn of the caller's is under way."""
        return self.is_speaking or self.has_words

    @property
    def quiet_at(self) -> float:
        """When the caller's voice was last heard; now, where it was not heard for the latest words."""
        silence_s = self._voice.silence_s
        return self._now() - (silence_s if silence_s < _LONGEST_PAUSE_S else 0.0)

    def hear(self, audio: bytes) -> None:
        """Go on by *audio*."""
        if piece := self._pieces.take(audio):
            self._recognition.hear(piece)
        for change in self._voice.hear(audio):
            self._on_voice(change)

    def on_time(self) -> None:
        """`due_at` has come."""
        self._decide(self._turn_end.on_time(self._now()))

    async def listen(self) -> None:
        """Take the recogniser's words for as long as it hears.

        Raises:
            ProviderError: it does not any more.
        """
        async for event in self._recognition.events():
            self._on_words(event)

    async def aclose(self) -> None:
        """Listen no more."""
        await self._recognition.aclose()

    def _on_voice(self, change: VoiceChange) -> None:
        now = self._now()
        since = now - (self._voice.heard_s - change.at_s)
        if change.change is Change.ONSET:
            self._decide(self._turn_end.on_voice(since))
        elif change.change is Change.CONFIRMED:
            if not self.has_words:
                self._recognition.expect_words()
            self._speaks()
        else:
            self._decide(self._turn_end.on_silence(since, now))
            self._falls_silent()

    def _on_words(self, event: SpeechEvent) -> None:
        now = self._now()
        if isinstance(event, InterimTranscript):
            self._decide(self._turn_end.on_interim(event.text, event.stability, now))
        elif isinstance(event, FinalTranscript):
            self.final_at = now
            self._learn_language(event)
            self._decide(self._turn_end.on_final(event.text, now))
        elif isinstance(event, SpeechEnded):
            self._decide(self._turn_end.on_speech_end(now))

    def _learn_language(self, event: FinalTranscript) -> None:
        """The language of the lines that are not answers; heard twice running, it is the only one."""
        detected = detect_language(event.text)
        language = event.language if detected == UNDETERMINED else detected
        if self._is_locked or language not in self._languages:
            return
        if language == self._heard_language:
            self._is_locked = True
            self._recognition.lock(language)
        self.language = self._heard_language = language

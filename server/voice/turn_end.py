"""When the caller has finished, and when an answer may be begun before that is certain.

Three things tell: the recogniser (words so far, its final), the voice (silence), and the words themselves
(``completeness``). A recogniser's final that sounds complete ends the turn at once; otherwise a silence does
whose length depends on how the words end and on the pauses that this caller makes. Times are seconds of one
stopwatch; nothing here waits: ``due_at`` says when ``on_time`` is to be called.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.voice.completeness import Completeness, completeness, plain_words


@dataclass(frozen=True, slots=True)
class Speculate:
    """*text* is likely to be all: an answer to it may be begun, yet nothing of it said."""

    text: str


@dataclass(frozen=True, slots=True)
class Void:
    """The words have changed: what was begun is of no use."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The caller has finished; ``is_begun`` tells that the answer begun last is to just these words."""

    text: str
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Corrected:
    """The recogniser's last word on a turn that has ended: *text* has other words than ``Ended`` gave."""

    text: str


Decision = Speculate | Void | Ended | Corrected


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a silence must be, in seconds, and what makes a speculation worth it."""

    # Of the silence after a sentence; it follows the caller's own pauses between these.
    shortest_s: float = 0.25
    longest_s: float = 0.7
    first_s: float = 0.45
    # After a word that calls for another, and within a number.
    open_s: float = 1.2
    dictation_s: float = 1.6
    # Without a final the words may still change; so long they must have stood.
    settled_s: float = 0.15
    # The voice seems to go on, yet no word comes: noise.
    stalled_s: float = 2.5
    # From 0 to 1, as the recogniser gives it.
    stable: float = 0.8
    most_speculations: int = 3


_SOUNDS_DONE = (Completeness.COMPLETE, Completeness.QUESTION)
# The silence at the end must be so much longer than the pauses that this caller makes.
_MARGIN = 1.25
# A question needs less of a silence than a statement.
_QUESTION_SHARE = 0.6
# A longer silence is no pause within what one says.
_LONGEST_PAUSE_S = 1.0
# So late after its sound a word may still come.
_LONGEST_LAG_S = 0.6
_SHORTER_BY_EACH_TURN = 0.95


class TurnEnd:
    """Listens to one caller, turn after turn; a turn begins where the last has ended."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._usual_pause_s = self._pace.first_s / _MARGIN
        self._silent_since: float | None = None
        self._voice_since: float | None = None
        self._is_unheard = False
        # Of a turn that has ended before the recogniser's final: what was final, and what is still to be.
        self._ended_finals: list[str] = []
        self._awaited = ""
        self._last_ending = Completeness.UNSURE
        self._begin()

    def _begin(self) -> None:
        self._finals: list[str] = []
        self._interim = ""
        self._words: list[str] = []
        self._words_at = 0.0
        self._ending = Completeness.UNSURE
        self._has_paused = False
        self._begun: list[str] | None = None
        self._speculations = 0

    @property
    def text(self) -> str:
        """What the caller has said in this turn, as far as it is known."""
        return " ".join([*self._finals, self._interim]).strip()

    @property
    def due_at(self) -> float | None:
        """When the turn ends if nothing more comes; None as long as nothing was said but "um"."""
        if not self._words:
            return None
        if self._silent_since is None:
            return self._words_at + self._pace.stalled_s
        due = self._silent_since + self._patience_s()
        return max(due, self._words_at + self._pace.settled_s) if self._interim else due

    def on_voice(self, now: float) -> list[Decision]:
        """The caller's voice began at *now*."""
        if self._silent_since is not None:
            self._learn(now - self._silent_since)
        self._has_paused = self._has_paused or bool(self.text)
        self._silent_since, self._voice_since, self._is_unheard = None, now, False
        return []

    def on_silence(self, since: float, now: float) -> list[Decision]:
        """The voice has ended; *since* may be earlier than *now*, when that was noticed."""
        self._silent_since, self._voice_since, self._is_unheard = since, None, False
        return self._speculate() + self.on_time(now)

    def on_speech_end(self, now: float) -> list[Decision]:
        """The recogniser hears no more speech."""
        return self.on_silence(now, now) if self._silent_since is None else self.on_time(now)

    def on_interim(self, text: str, stability: float, now: float) -> list[Decision]:
        """The words since the last final, as they may yet change; *stability* is from 0 to 1."""
        if self._awaited and not self._is_speaking:
            return []
        self._hear(self._finals, _without(self._awaited, text), now)
        decisions = self._void()
        if stability >= self._pace.stable or self._silent_since is not None:
            decisions += self._speculate()
        return decisions + self.on_time(now)

    def on_final(self, text: str, now: float) -> list[Decision]:
        """The words since the last final; they do not change any more."""
        awaited, self._awaited = self._awaited, ""
        if awaited and not self._is_speaking:
            return self._correct(awaited, text)
        # The voice began anew after these words: they are not the last.
        goes_on = self._is_speaking and self._has_paused and self._words_at <= (self._voice_since or 0.0)
        self._hear([*self._finals, _without(awaited, text)], "", now)
        decisions = self._void()
        if self._silent_since is None and not self._is_speaking:
            self._silent_since = now
        if self._words and self._ending in _SOUNDS_DONE and not goes_on:
            return decisions + self._end()
        return decisions + self.on_time(now)

    def on_time(self, now: float) -> list[Decision]:
        """*now* is the time; ends the turn if that was due."""
        due = self.due_at
        return self._end() if due is not None and now >= due else []

    @property
    def _is_speaking(self) -> bool:
        return self._voice_since is not None

    def _hear(self, finals: list[str], interim: str, now: float) -> None:
        self._finals = [final.strip() for final in finals if final.strip()]
        self._interim = interim.strip()
        words = plain_words(self.text)
        if words != self._words:
            self._words, self._words_at = words, now
            self._believe_words(now)
        self._ending = completeness(self.text)

    def _believe_words(self, now: float) -> None:
        """Words long after the end of the voice show one that was not heard: it is silent from now."""
        if self._silent_since is not None:
            self._is_unheard = self._is_unheard or now - self._silent_since > _LONGEST_LAG_S
            if self._is_unheard:
                self._silent_since = now

    def _speculate(self) -> list[Decision]:
        """Begin an answer, if what was said may be all."""
        may_be_all = self._ending in _SOUNDS_DONE or (
            self._ending is Completeness.UNSURE and self._silent_since is not None
        )
        if not (self._words and may_be_all) or self._begun is not None:
            return []
        if self._speculations >= self._pace.most_speculations:
            return []
        self._speculations += 1
        self._begun = self._words
        return [Speculate(self.text)]

    def _void(self) -> list[Decision]:
        if self._begun is None or self._begun == self._words:
            return []
        self._begun = None
        return [Void()]

    def _end(self) -> list[Decision]:
        ended = Ended(self.text, self._begun is not None)
        if not self._has_paused:
            self._usual_pause_s *= _SHORTER_BY_EACH_TURN
        self._ended_finals, self._awaited = self._finals, self._interim
        self._last_ending = self._ending
        self._begin()
        return [ended]

    def _correct(self, awaited: str, text: str) -> list[Decision]:
        if plain_words(text) == plain_words(awaited):
            return []
        return [Corrected(" ".join([*self._ended_finals, text.strip()]).strip())]

    def _learn(self, pause_s: float) -> None:
        """The caller went on after a pause; one after "and" tells nothing of those between sentences."""
        ending = self._ending if self._words else self._last_ending
        if ending in _SOUNDS_DONE and 0 < pause_s <= _LONGEST_PAUSE_S:
            share = 0.5 if pause_s > self._usual_pause_s else 0.2
            self._usual_pause_s += share * (pause_s - self._usual_pause_s)

    def _patience_s(self) -> float:
        """How long the silence must be after the words so far."""
        pace = self._pace
        usual = min(max(self._usual_pause_s * _MARGIN, pace.shortest_s), pace.longest_s)
        return {
            Completeness.QUESTION: max(usual * _QUESTION_SHARE, pace.shortest_s),
            Completeness.COMPLETE: usual,
            Completeness.UNSURE: pace.longest_s,
            Completeness.OPEN: pace.open_s,
            Completeness.DICTATING: pace.dictation_s,
        }[self._ending]


def _without(answered: str, text: str) -> str:
    """*text* without the beginning that was answered already, if it begins so."""
    before = plain_words(answered)
    if not before or plain_words(text)[: len(before)] != before:
        return text
    return " ".join(text.split()[len(answered.split()) :])

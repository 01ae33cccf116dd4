"""What the caller has really heard: not what was sent, which lies seconds ahead of what was played.

Twilio plays what it gets in its order and sends a mark back when all before the mark has been played. After
``clear`` the marks of what was not played are sent back as if it had been; these are not believed.
Times are seconds of one stopwatch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.voice import mulaw

# Until a sentence has been played in full: some 15 characters a second.
_USUAL_S_A_CHARACTER = 1 / 15
_WORD_END = re.compile(r"(?<=\S)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An answer as it was cut short: what was heard of it, and the sentences that were not.

    The first of ``unheard`` is the rest of the sentence that was being played, from the word that was cut.
    """

    heard: str
    unheard: tuple[str, ...]


@dataclass(slots=True)
class _Sentence:
    text: str
    sent_bytes: int = 0
    began_at: float | None = None  # its first audio left
    is_whole: bool = False  # nothing more of it will be sent

    @property
    def sent_s(self) -> float:
        return mulaw.duration_s(self.sent_bytes)


class Playback:
    """The ledger of what is said to one caller."""

    def __init__(self) -> None:
        # By mark and in order, as long as the mark has not come back.
        self._sentences: dict[str, _Sentence] = {}
        self._played: list[str] = []
        self._count = 0
        # Nothing of what was played before is heard after it.
        self._free_at = 0.0
        self._s_a_character = _USUAL_S_A_CHARACTER

    def begin(self, text: str) -> str:
        """A sentence is about to be sent; returns the name of the mark that must follow its audio."""
        self._count += 1
        mark = f"s{self._count}"
        self._sentences[mark] = _Sentence(text)
        return mark

    def sent(self, mark: str, byte_count: int, now: float) -> None:
        """So much audio of the sentence left at *now*; nothing, if it was cleared meanwhile."""
        sentence = self._sentences.get(mark)
        if sentence is not None:
            if sentence.began_at is None:
                sentence.began_at = now
            sentence.sent_bytes += byte_count

    def end(self, mark: str) -> None:
        """All audio of the sentence, and its mark, have left."""
        if mark in self._sentences:
            self._sentences[mark].is_whole = True

    def reached(self, mark: str, now: float) -> str | None:
        """The mark came back: the text that was played, or None if it was cleared or is unknown.

        Sentences before it were played too, should their marks have been lost.
        """
        if mark not in self._sentences:
            return None
        text = ""
        for name in list(self._sentences):
            sentence = self._sentences.pop(name)
            text = sentence.text
            self._played.append(text)
            self._learn_pace(sentence)
            if name == mark:
                break
        self._free_at = now
        return text

    def clear(self, now: float) -> Interrupted:
        """``clear`` was sent: what was heard until now; the marks still to come are not believed."""
        rest: list[str] = []
        for begun, sentence in self._timeline(now):
            words = self._heard_of(sentence, begun, now)
            if words:
                self._played.append(words)
            if unheard := sentence.text[len(words) :].strip():
                rest.append(unheard)
        self._sentences.clear()
        self._free_at = now
        return Interrupted(self.heard(now), tuple(rest))

    def forget(self) -> None:
        """The answer is in the log: the next one begins."""
        self._played.clear()

    def heard(self, now: float) -> str:
        """What was heard of the answer until *now*, cut at the end of a word."""
        playing = [self._heard_of(sentence, begun, now) for begun, sentence in self._timeline(now)]
        return " ".join(text for text in [*self._played, *playing] if text)

    def is_playing(self, now: float) -> bool:
        """Whether anything that was sent is still to be heard, by the marks or, without them, by the time."""
        return bool(self._sentences) and self.quiet_at(now) > now

    def quiet_at(self, now: float) -> float:
        """When all that was sent so far will have been played, if no mark says otherwise."""
        ends = [begun + sentence.sent_s for begun, sentence in self._timeline(now)]
        return max([now, *ends])

    @property
    def waits_for_marks(self) -> bool:
        """Whether a mark that will be believed is still to come; an interruption then calls for ``clear``."""
        return bool(self._sentences)

    def _timeline(self, now: float) -> list[tuple[float, _Sentence]]:
        """Each sentence with the time at which it began or will begin to be played."""
        timeline = []
        free_at = self._free_at
        for sentence in self._sentences.values():
            begun = max(free_at, now if sentence.began_at is None else sentence.began_at)
            timeline.append((begun, sentence))
            free_at = begun + sentence.sent_s
        return timeline

    def _heard_of(self, sentence: _Sentence, begun: float, now: float) -> str:
        """The whole words of *sentence* that were played by *now*."""
        played_s = min(now - begun, sentence.sent_s)
        if played_s <= 0:
            return ""
        # While audio still comes, what has come is not the whole of the text.
        length_s = sentence.sent_s
        if not sentence.is_whole:
            length_s = max(length_s, len(sentence.text) * self._s_a_character)
        return _words_within(sentence.text, played_s / length_s)

    def _learn_pace(self, sentence: _Sentence) -> None:
        if sentence.text and sentence.sent_bytes:
            self._s_a_character = sentence.sent_s / len(sentence.text)


def _words_within(text: str, share: float) -> str:
    """As many whole words as end within *share* of *text*."""
    limit = len(text) * share + 1e-6
    ends = [end.start() for end in _WORD_END.finditer(text) if end.start() <= limit]
    return text[: ends[-1]] if ends else ""

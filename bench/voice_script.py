"""What callers of the voice bench say, and what the simulated model answers them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.guest_questions import fresh_questions
from simulators.google_tts_audio import CHARACTER_MS

# The recogniser tells what it has heard each so many milliseconds of a voice.
INTERIM_MS = 200
# Too little for an answer to be begun.
_UNSURE = 0.1
# So that a caller is done asking within three seconds: the simulated voice takes 60 ms a character.
_LONGEST_CHARS = 48
# Words that are let out before their sentence has ended, the mark among them: the guest has said it.
_FIRST = "Thank you for your question about {mark}."
_SECOND = "We are happy to help you with that."


@dataclass(frozen=True, slots=True)
class Line:
    """A question in a caller's mouth. ``mark`` stands in it and in the answer's first sentence alone."""

    mark: str
    text: str

    @property
    def answer(self) -> str:
        """Two plain sentences that no gate holds back."""
        return f"{_FIRST.format(mark=self.mark)} {_SECOND}"


def scripts(calls: int, turns: int, seed: int) -> list[list[Line]]:
    """For each call its lines; no two lines of one *seed* are alike, and nobody asked any of them before."""
    lines = _lines(seed)
    return [list(itertools.islice(lines, turns)) for _ in range(calls)]


def model_rules(lines: Sequence[Line]) -> list[dict[str, str]]:
    """Rules of the simulated model: it answers each of *lines* with its own answer."""
    return [{"contains": line.mark, "reply": line.answer} for line in lines]


def known_utterances(lines: Sequence[Line], stability: float) -> list[dict[str, object]]:
    """Utterances that the simulated recogniser knows by their sound.

    Args:
        stability: how sure it is of all of the words before they are final, from 0 to 1; of fewer it is not.
    """
    return [
        {"text": line.text, "language": "en-US", "interims": list(_interims(line.text, stability))}
        for line in lines
    ]


def _interims(text: str, stability: float) -> Iterator[dict[str, object]]:
    """The words as they become known, from the first to the last sound."""
    words = text.split()
    steps = len(text) * CHARACTER_MS // INTERIM_MS
    for step in range(1, steps + 1):
        known = " ".join(words[: -(-len(words) * step // steps)])
        yield {"text": known, "stability": stability if known == text else _UNSURE}


def _lines(seed: int) -> Iterator[Line]:
    for mark, text in fresh_questions(seed):
        # The first voice of the bench is English; a question mark tells that it is complete.
        if text.isascii() and text.endswith("?") and len(text) <= _LONGEST_CHARS:
            yield Line(mark, text)

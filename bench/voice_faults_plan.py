"""Which faults meet calls, and when: each of a provider's at each point of a call, one call for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from simulators.google_tts_audio import CHARACTER_MS
from simulators.line_tone import LINES, sign_of

# Each call asks at most so many questions, and one that did not come to its point is made once more.
QUESTIONS, ATTEMPTS = 6, 2
GOODBYE = "Goodbye."
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Words that are let out before their sentence has ended, the mark among them: the guest has said it.
_ANSWER = "Thank you for your question about {mark}. We are happy to help you with {mark}."
_UNSURE = 0.3


class Point(StrEnum):
    """Where in a call it happens."""

    BEFORE_GREETING = "before the greeting"
    GREETING = "while the greeting plays"
    SPEAKING = "while the caller speaks"
    ASKED = "before the first token"
    WORDED = "before the first audio"
    ANSWERING = "in the middle of the answer"
    INTERRUPTING = "while the caller interrupts"
    SILENCE = "in the silence between turns"
    GOODBYE = "during the goodbye"


class Who(StrEnum):
    """Whose fault it is."""

    SPEECH = "speech-to-text"
    MODEL = "model"
    VOICE = "text-to-speech"
    DATABASE = "database"
    PROCESS = "realtime process"


# How each goes wrong, as the simulators know it: for the rest of the call, but that a connection breaks once.
TROUBLES: Mapping[Who, Mapping[str, Mapping[str, Any]]] = {
    Who.SPEECH: {
        "hang": {"kind": "hang"},
        "cut": {"kind": "cut", "times": 1},
        "unavailable": {"kind": "error", "status": "UNAVAILABLE"},
        "invalid": {"kind": "error", "status": "INVALID_ARGUMENT"},
        "slow": {"kind": "slow", "slow_s": 1.0},
    },
    Who.MODEL: {
        "hang": {"kind": "hang"},
        "cut": {"kind": "cut"},
        "error 500": {"kind": "error", "status": "500"},
        "slow": {"kind": "slow", "slow_s": 2.0},
    },
    Who.VOICE: {
        "hang": {"kind": "hang"},
        "cut": {"kind": "cut", "times": 1},
        "unavailable": {"kind": "error", "status": "UNAVAILABLE"},
        "invalid": {"kind": "error", "status": "INVALID_ARGUMENT"},
        "slow": {"kind": "slow", "slow_s": 1.0},
    },
}
# What hits a whole desk: one call at a time.
WHOLE_DESK: Mapping[Who, Sequence[str]] = {Who.DATABASE: ("locked",), Who.PROCESS: ("killed",)}


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault at one point."""

    who: Who
    kind: str
    point: Point

    def __str__(self) -> str:
        return f"{self.who} {self.kind}, {self.point}"


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks; ``mark`` stands in it, in its answer, and nowhere else."""

    mark: str

    @property
    def text(self) -> str:
        """As it is said."""
        return f"{self.mark}: Is there parking?"

    @property
    def answer(self) -> str:
        """Two plain sentences that no gate holds back."""
        return _ANSWER.format(mark=self.mark)


@dataclass(frozen=True, slots=True)
class Plan:
    """One call: what meets it, the line it comes over, and what is asked on it."""

    cell: Cell
    line: int
    questions: Sequence[Question]

    @property
    def trouble(self) -> Mapping[str, Any]:
        """What the simulator of the provider is told.

        Raises:
            KeyError: it is not a provider's fault.
        """
        marks = [question.mark for question in self.questions]
        of = [sign_of(self.line), *marks] if self.cell.who is Who.SPEECH else marks
        return {"of": of, **TROUBLES[self.cell.who][self.cell.kind]}


def plans(seed: int, who: Sequence[Who]) -> list[Plan]:
    """A call for each fault of *who* at each point, the same for the same *seed*.

    Those that break connections, which others share, come last.
    """
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    lines = iter(LINES)
    given = marks(random)
    return [
        Plan(cell, next(lines), [Question(next(given)) for _ in range(QUESTIONS * ATTEMPTS)])
        for cell in sorted(_mixed(who), key=lambda cell: cell.kind == "cut")
    ]


def known_utterances(plans: Sequence[Plan]) -> list[dict[str, object]]:
    """What the simulated recogniser knows by its sound."""
    return utterances_of([question for plan in plans for question in plan.questions])


def utterances_of(questions: Sequence[Question]) -> list[dict[str, object]]:
    """The same, of *questions*; a goodbye is known too."""
    texts = [GOODBYE, *(question.text for question in questions)]
    return [{"text": text, "interims": list(_interims(text))} for text in texts]


def model_rules(plans: Sequence[Plan]) -> list[dict[str, str]]:
    """Rules of the simulated model: each question has an answer of its own."""
    return [
        {"contains": question.mark, "reply": question.answer} for plan in plans for question in plan.questions
    ]


def _mixed(who: Sequence[Who]) -> list[Cell]:
    """All of theirs in turn: a model that failed for one call after another would soon be left alone."""
    placed = [(place / len(cells), cell) for cells in map(_cells, who) for place, cell in enumerate(cells)]
    return [cell for _, cell in sorted(placed, key=lambda one: one[0])]


def _cells(who: Who) -> list[Cell]:
    kinds = TROUBLES[who] if who in TROUBLES else WHOLE_DESK[who]
    return [Cell(who, kind, point) for point, kind in itertools.product(Point, kinds)]


def marks(random: Random) -> Iterator[str]:
    """Marks without end, as `bench.faults.crowd.MARK` reads them, each once."""
    seen: set[str] = set()
    while True:
        mark = "zq" + "".join(random.choices(_LETTERS, k=5))
        if mark not in seen:
            seen.add(mark)
            yield mark


def _interims(text: str, every_ms: int = 200) -> Iterator[dict[str, object]]:
    """The words as they become known; never so surely that an answer is begun before they are final."""
    words = text.split()
    steps = len(text) * CHARACTER_MS // every_ms
    for step in range(1, steps + 1):
        yield {"text": " ".join(words[: -(-len(words) * step // steps)]), "stability": _UNSURE}

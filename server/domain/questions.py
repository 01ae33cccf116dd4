"""Questions that the desk could not answer from what the business knows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.conversations import Reply, Turn

# A hand-over for one of these means that a document was missing.
_NOT_KNOWN = frozenset({"not_known", "not_all_known", "model_does_not_know"})

_WORD = re.compile(r"\w+")


class QuestionState(StrEnum):
    """What has become of a question."""

    OPEN = "open"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of one guest. ``guest`` is the guest's name, empty where it is not known.

    ``document_id`` is the document that the answer has become; ``answered_at`` and ``answered_by`` tell who
    answered or dismissed it.
    """

    id: int
    conversation_id: int
    guest: str
    text: str
    language: str
    state: QuestionState
    asked_at: datetime
    document_id: str | None = None
    answered_at: datetime | None = None
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions that say the same, newest first."""

    questions: Sequence[Question]

    @property
    def newest(self) -> Question:
        """The one that stands for all."""
        return self.questions[0]


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """Open questions, newest first; ``older`` is where the next page begins, if there is one."""

    groups: Sequence[QuestionGroup]
    older: int | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer of staff's has done: whom it was sent to, by the lanes that it leaves on."""

    document_id: str
    lanes: Sequence[str]


def misses_knowledge(turn: Turn, reply: Reply) -> bool:
    """Whether *reply* hands the turn over because no document answers it."""
    is_guests = not turn.is_test and turn.wishes.uses_knowledge
    return is_guests and reply.handover and reply.reason in _NOT_KNOWN


def same_words(text: str) -> str:
    """What two questions have in common that differ in case, marks and spaces alone."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def grouped(newest_first: Sequence[Question]) -> list[QuestionGroup]:
    """Questions of the same words beside one another, where the newest of them stands."""
    groups: dict[str, list[Question]] = {}
    for question in newest_first:
        # What has no words at all is like nothing else.
        groups.setdefault(same_words(question.text) or f"#{question.id}", []).append(question)
    return [QuestionGroup(questions) for questions in groups.values()]

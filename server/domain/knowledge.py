"""What a business knows, and what an answer from it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Document:
    """One thing the business has told us: a question and its answer, or a section of a page.

    ``id`` is unique within the tenant. ``language`` is ISO 639-1 of the body (``en``, ``he``), or
    ``und`` when it cannot be told.

    ``valid_from`` and ``valid_until`` are the first and the last day on which it holds, at the business:
    ``2026-06-01`` of one year, ``06-01`` of every year, empty for always. ``hours`` are when the thing that
    it tells of is open, in the syntax of OpenStreetMap (``Su-Th 07:00-10:30; Sa off``). ``source`` is the
    name of the file it came in, empty if it was written by hand. ``changed_at`` is when its text last
    changed; None before it is kept.
    """

    id: str
    title: str
    body: str
    language: str
    valid_from: str = ""
    valid_until: str = ""
    hours: str = ""
    source: str = ""
    changed_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Citation:
    """The source of an answer. ``score`` is between 0 and 1, higher is surer."""

    document: str
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A document as it was found for a question, best first."""

    document: Document
    score: float


def cited(passage: Passage) -> Citation:
    """*passage* as the source of an answer."""
    return Citation(passage.document.id, passage.document.title, passage.score)


class AnswerAction(StrEnum):
    """What the embedded answers do with a question."""

    ANSWER = "answer"
    OFFER = "offer"
    ASK_TEAM = "ask_team"


@dataclass(frozen=True, slots=True)
class KnowledgeAnswer:
    """An answer made of the business's own words alone.

    ``citations`` are the sources of what is said: one for an answer, those on offer in their numbered
    order for an offer, none when the team is asked. ``ranking`` is what was found, best first.
    ``unanswered`` are those of several questions that are left to the team. ``conflicts`` are pairs of
    documents that contradict one another, of which the first was believed: staff should know.
    """

    action: AnswerAction
    text: str
    citations: Sequence[Citation]
    ranking: Sequence[Citation]
    unanswered: Sequence[str] = ()
    conflicts: Sequence[tuple[str, str]] = ()

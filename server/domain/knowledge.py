"""What a business knows, and what an answer from it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Document:
    """One thing the business has told us: a question and its answer, or a section of a page.

    ``id`` is unique within the tenant. ``language`` is ISO 639-1 of the body (``en``, ``he``), or
    ``und`` when it cannot be told.
    """

    id: str
    title: str
    body: str
    language: str


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
    """

    action: AnswerAction
    text: str
    citations: Sequence[Citation]
    ranking: Sequence[Citation]

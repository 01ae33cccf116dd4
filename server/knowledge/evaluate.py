"""Scores answers against questions whose right documents are known."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import AnswerAction, Document, KnowledgeAnswer
from server.domain.language import detect_language, reply_language
from server.domain.tenants import Tenant
from server.errors import InvalidRequest
from server.knowledge.answer import EmbeddedAnswers

Id = Annotated[str, Field(min_length=1, max_length=128)]


class _Input(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class KnownDocument(_Input):
    """A document as the file has it."""

    id: Id
    title: str
    body: str = Field(min_length=1)


class Business(_Input):
    """A line of the file of businesses."""

    tenant: Id
    name: str
    documents: list[KnownDocument]

    def as_documents(self) -> list[Document]:
        """The documents as they are kept."""
        return [
            Document(known.id, known.title, known.body, detect_language(known.body))
            for known in self.documents
        ]


class Line(_Input):
    """One line of a conversation; ``role`` is ``guest`` or ``host``."""

    role: str = Field(pattern="^(guest|host)$")
    text: str


class Question(_Input):
    """A line of the file of questions: a conversation whose last line is the question."""

    id: Id
    source: str
    tenant: Id
    history: list[Line] = Field(min_length=1)
    gold: list[Id]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done with one question. ``documents`` are those quoted or on offer."""

    question: Question
    answer: KnowledgeAnswer
    ms: float

    @property
    def documents(self) -> list[str]:
        """The sources of the answer, or the choices in their order."""
        return [citation.document for citation in self.answer.citations]

    @property
    def verdict(self) -> str:
        """``right``, ``offered``, ``asked_team`` or ``wrong``, as `frontdesk eval` counts them."""
        if self.answer.action is AnswerAction.ASK_TEAM:
            return "asked_team"
        if not self.is_within(self.documents):
            return "wrong"
        return "right" if self.answer.action is AnswerAction.ANSWER else "offered"

    def is_within(self, documents: Sequence[str]) -> bool:
        """Whether a right document is among *documents*."""
        return not set(documents).isdisjoint(self.question.gold)

    def is_ranked_within(self, places: int) -> bool:
        """Whether a right document is among the first *places* of the ranking."""
        return self.is_within([citation.document for citation in self.answer.ranking[:places]])

    def as_line(self) -> dict[str, Any]:
        """A line of ``--out``."""
        return {
            "id": self.question.id,
            "action": self.answer.action.value,
            "documents": self.documents,
            "reply": self.answer.text,
            "ms": round(self.ms, 3),
        }


@dataclass(slots=True)
class Score:
    """Counts over questions."""

    n: int = 0
    right: int = 0
    offered: int = 0
    asked_team: int = 0
    wrong: int = 0
    top1: int = 0
    top3: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.n += 1
        setattr(self, outcome.verdict, getattr(self, outcome.verdict) + 1)
        self.top1 += outcome.is_ranked_within(1)
        self.top3 += outcome.is_ranked_within(3)


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a run by source, of the answerable and of the unanswerable, and the latency."""

    sources: Mapping[str, Score]
    answerable: Score
    unanswerable: Score
    unanswerable_answered: int
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        """As design §5 has it."""
        return {
            "sources": {source: asdict(score) for source, score in self.sources.items()},
            "latency_ms": {"p50": round(self.p50_ms, 3), "p99": round(self.p99_ms, 3)},
        }


def read_businesses(path: Path) -> dict[str, Business]:
    """Businesses by tenant.

    Raises:
        InvalidRequest: the message names the line and the remedy.
    """
    return {business.tenant: business for business in _read(path, Business)}


def read_questions(path: Path, businesses: Mapping[str, Business]) -> list[Question]:
    """Questions to *businesses*.

    Raises:
        InvalidRequest: the message names the line and the remedy.
    """
    questions = list(_read(path, Question))
    for question in questions:
        if question.tenant not in businesses:
            raise InvalidRequest(
                f"{path}: question {question.id!r} is to the tenant {question.tenant!r}, which the file of"
                " businesses does not have; add it there or take the question away"
            )
        if question.history[-1].role != "guest":
            raise InvalidRequest(
                f"{path}: the conversation of {question.id!r} does not end with the guest; its last line"
                " must be the question"
            )
    if not questions:
        raise InvalidRequest(f"{path}: there is no question in it; add one JSON object a line")
    return questions


def ask(
    answers: EmbeddedAnswers,
    tenants: Mapping[str, Tenant],
    questions: Sequence[Question],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Outcome]:
    """Ask each question of its business. The time is that of the answer alone, the index already made."""
    for question in questions:
        tenant = tenants[question.tenant]
        *before, last = question.history
        history = [HistoryLine(Speaker(line.role), line.text) for line in before]
        language = reply_language([last.text], tenant.settings.languages)
        answers.prepare(tenant, language)
        start = clock()
        answer = answers.answer(tenant, last.text, history, (), language, datetime.now(UTC))
        yield Outcome(question, answer, (clock() - start) * 1000)


def score(outcomes: Iterable[Outcome]) -> Scores:
    """Add up *outcomes*; there must be one."""
    by_source: dict[str, Score] = defaultdict(Score)
    answerable, unanswerable = Score(), Score()
    answered = 0
    times = []
    for outcome in outcomes:
        by_source[outcome.question.source].add(outcome)
        (answerable if outcome.question.gold else unanswerable).add(outcome)
        answered += not outcome.question.gold and outcome.answer.action is AnswerAction.ANSWER
        times.append(outcome.ms)
    p50, p99 = np.percentile(times, [50, 99])
    return Scores(dict(by_source), answerable, unanswerable, answered, float(p50), float(p99))


_Model = TypeVar("_Model", bound=_Input)


def _read(path: Path, model: type[_Model]) -> Iterator[_Model]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{path}: cannot be read as UTF-8 text; check the path and the encoding"
        ) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield model.model_validate(json.loads(line))
            except (json.JSONDecodeError, RecursionError) as error:
                raise InvalidRequest(
                    f"{path}, line {number}: is not JSON; write one object a line"
                ) from error
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "the line"
                raise InvalidRequest(
                    f"{path}, line {number}: {where}: {first['msg'].lower()}; see `frontdesk eval --help`"
                ) from error

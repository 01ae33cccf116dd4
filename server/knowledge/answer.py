"""Answers without a model: quote, offer a choice, or say "I don't know" and ask the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.conversations import HistoryLine
from server.domain.knowledge import AnswerAction, Citation, Document, KnowledgeAnswer, Passage
from server.domain.language import UNDETERMINED
from server.domain.tenants import Tenant
from server.knowledge.choice import chosen
from server.knowledge.phrases import phrases
from server.knowledge.retrieve import Retriever

_MOST_OFFERED = 3
_RANKED = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on a question is answered, and from which on topics are offered.

    Chosen by made questions to businesses that the fit had not seen (`bench/calibrate_answers.py`): at
    these an answer is wrong for one question in twenty. Across languages that takes a higher one.
    """

    answer: float = 0.25
    answer_across_languages: float = 0.5
    offer: float = 0.12

    def answer_from(self, passage: Passage, language: str) -> float:
        """The probability from which on *passage* is quoted to one who reads *language*."""
        return self.answer_across_languages if _is_foreign(passage.document, language) else self.answer


class EmbeddedAnswers:
    """Answers in the business's own words, or not at all."""

    def __init__(self, retriever: Retriever, thresholds: Thresholds | None = None) -> None:
        self._retriever = retriever
        self._thresholds = thresholds or Thresholds()

    def prepare(self, tenant: Tenant, language: str) -> None:
        """Make ready what answering takes, so that the first guest does not wait for it."""
        self._retriever.prepare(tenant, language)

    def answer(
        self,
        tenant: Tenant,
        question: str,
        history: Sequence[HistoryLine],
        offered: Sequence[str],
        language: str,
    ) -> KnowledgeAnswer:
        """Answer *question* to one who reads *language*.

        Args:
            history: earlier lines, oldest first; they help with a question that leans on them.
            offered: the document ids that the last reply offered, in their numbered order.

        Raises:
            StoreUnavailable: the documents cannot be read.
        """
        choice = self._choice(tenant, question, offered)
        if choice is not None:
            return _quote(Passage(choice, 1.0), [Passage(choice, 1.0)], language)
        passages = self._retriever.retrieve(tenant, question, history, _RANKED)
        if passages and passages[0].score >= self._thresholds.answer_from(passages[0], language):
            return _quote(passages[0], passages, language)
        if passages and passages[0].score >= self._thresholds.offer:
            return _offer(passages, language)
        return KnowledgeAnswer(
            AnswerAction.ASK_TEAM,
            phrases(language).ask_team,
            (),
            [_citation(passage) for passage in passages],
        )

    def _choice(self, tenant: Tenant, message: str, offered: Sequence[str]) -> Document | None:
        if not offered:
            return None
        by_id = {document.id: document for document in self._retriever.documents(tenant)}
        # A document that has gone since keeps its number.
        titles = [by_id[key].title if key in by_id else "" for key in offered]
        place = chosen(message, titles)
        return None if place is None else by_id.get(offered[place])


def _quote(passage: Passage, ranking: Sequence[Passage], language: str) -> KnowledgeAnswer:
    document = passage.document
    text = document.body
    if _is_foreign(document, language):
        text = f"{phrases(language).source_note(document.language)}\n{text}"
    return KnowledgeAnswer(
        AnswerAction.ANSWER, text, [_citation(passage)], [_citation(other) for other in ranking]
    )


def _is_foreign(document: Document, language: str) -> bool:
    return document.language not in (language, UNDETERMINED)


def _offer(ranking: Sequence[Passage], language: str) -> KnowledgeAnswer:
    # Of several documents under one heading the best stands for all.
    by_title = {passage.document.title: passage for passage in reversed(ranking)}
    topics = sorted(by_title.values(), key=lambda passage: -passage.score)[:_MOST_OFFERED]
    text = phrases(language).offer_of([passage.document.title for passage in topics])
    return KnowledgeAnswer(
        AnswerAction.OFFER,
        text,
        [_citation(passage) for passage in topics],
        [_citation(passage) for passage in ranking],
    )


def _citation(passage: Passage) -> Citation:
    return Citation(passage.document.id, passage.document.title, passage.score)

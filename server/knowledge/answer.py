"""Answers without a model: quote, offer a choice, or say "I don't know" and ask the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import AnswerAction, Document, KnowledgeAnswer, Passage, cited
from server.domain.language import UNDETERMINED
from server.domain.tenants import Tenant
from server.knowledge.choice import chosen
from server.knowledge.conflicts import Resolved, newer_of, together
from server.knowledge.opening import opening_answer
from server.knowledge.phrases import opening_phrases, phrases
from server.knowledge.question import questions
from server.knowledge.retrieve import Retriever
from server.knowledge.seasons import holds_on, next_from

_MOST_OFFERED = 3
_RANKED = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on a question is answered, and from which on topics are offered.

    `frontdesk bench answers` draws how many answers are wrong at each, of made questions to businesses that
    the weights had not seen.
    """

    answer: float = 0.55
    offer: float = 0.1


@dataclass(frozen=True, slots=True)
class _Asker:
    """The language that an answer is read in, and the time at the business."""

    language: str
    now: datetime

    @property
    def today(self) -> date:
        return self.now.date()


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
        now: datetime,
    ) -> KnowledgeAnswer:
        """Answer *question* to one who reads *language*.

        Args:
            history: earlier lines, oldest first; they help with a question that leans on them.
            offered: the document ids that the last reply offered, in their numbered order.
            now: aware; opening hours and seasons are those of the business's own day.

        Raises:
            StoreUnavailable: the documents cannot be read.
        """
        asker = _Asker(language, now.astimezone(tenant.settings.zone))
        choice = self._choice(tenant, question, offered)
        if choice is not None:
            return self._quote(Resolved([Passage(choice, 1.0)], None), question, asker)
        asked = questions(question)
        if len(asked) > 1:
            several = self._answer_each(tenant, asked, history, asker)
            if several is not None:
                return several
        return self._answer_one(tenant, question, history, asker)

    def _answer_one(
        self, tenant: Tenant, question: str, history: Sequence[HistoryLine], asker: _Asker
    ) -> KnowledgeAnswer:
        found = self._find(tenant, question, history, asker)
        if self._is_sure(found.passages):
            return self._quote(found, question, asker)
        if found.passages and found.passages[0].score >= self._thresholds.offer:
            return _offer(found.passages, asker.language)
        return KnowledgeAnswer(
            AnswerAction.ASK_TEAM,
            phrases(asker.language).ask_team,
            (),
            [cited(passage) for passage in found.passages],
        )

    def _answer_each(
        self, tenant: Tenant, asked: Sequence[str], history: Sequence[HistoryLine], asker: _Asker
    ) -> KnowledgeAnswer | None:
        """Each of several questions by itself, the rest left to the team; None if none is sure."""
        answers: dict[str, KnowledgeAnswer] = {}
        rest = []
        before = list(history)
        for question in asked:
            found = self._find(tenant, question, before, asker)
            before.append(HistoryLine(Speaker.GUEST, question))
            if self._is_sure(found.passages):
                # Two questions that one document answers have one answer.
                answers.setdefault(found.passages[0].document.id, self._quote(found, question, asker))
            else:
                rest.append(question)
        if not answers:
            return None
        texts = [answer.text for answer in answers.values()]
        if rest:
            texts.append(phrases(asker.language).ask_team_the_rest)
        return KnowledgeAnswer(
            AnswerAction.ANSWER,
            "\n\n".join(texts),
            [citation for answer in answers.values() for citation in answer.citations],
            next(iter(answers.values())).ranking,
            unanswered=tuple(rest),
            conflicts=[pair for answer in answers.values() for pair in answer.conflicts],
        )

    def _find(self, tenant: Tenant, question: str, history: Sequence[HistoryLine], asker: _Asker) -> Resolved:
        """What may answer today; of what is not in season only if it comes again and nothing else is sure."""
        ranked = together(self._retriever.retrieve(tenant, question, history, _RANKED))
        holding = [passage for passage in ranked if holds_on(passage.document, asker.today)]
        is_coming = self._is_sure(ranked) and next_from(ranked[0].document, asker.today) is not None
        if is_coming and not self._is_sure(holding):
            return Resolved(ranked, None)
        return newer_of(holding)

    def _is_sure(self, passages: Sequence[Passage]) -> bool:
        return bool(passages) and passages[0].score >= self._thresholds.answer

    def _quote(self, found: Resolved, question: str, asker: _Asker) -> KnowledgeAnswer:
        """What answers in the best passage, word for word; before it, what follows from its hours."""
        best = found.passages[0]
        lines = [
            opening_answer(best.document, question, asker.now, asker.language),
            _coming(best.document, asker),
            _source_note(best.document, asker.language),
            self._retriever.excerpt(best.document, question),
        ]
        return KnowledgeAnswer(
            AnswerAction.ANSWER,
            "\n".join(line for line in lines if line),
            [cited(best)],
            [cited(passage) for passage in found.passages],
            conflicts=[] if found.conflict is None else [found.conflict],
        )

    def _choice(self, tenant: Tenant, message: str, offered: Sequence[str]) -> Document | None:
        if not offered:
            return None
        by_id = {document.id: document for document in self._retriever.documents(tenant)}
        # A document that has gone since keeps its number.
        titles = [by_id[key].title if key in by_id else "" for key in offered]
        place = chosen(message, titles)
        return None if place is None else by_id.get(offered[place])


def _coming(document: Document, asker: _Asker) -> str:
    """From when on a document holds that does not hold today."""
    day = next_from(document, asker.today)
    if day is None:
        return ""
    return phrases(asker.language).holds_from.format(
        day=opening_phrases(asker.language).date_of(day, asker.today)
    )


def _source_note(document: Document, language: str) -> str:
    return phrases(language).source_note(document.language) if _is_foreign(document, language) else ""


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
        [cited(passage) for passage in topics],
        [cited(passage) for passage in ranking],
    )

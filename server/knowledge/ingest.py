"""Takes documents in: kept, and embedded so that the first question does not wait for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from server.domain.knowledge import Document
from server.domain.tenants import Tenant
from server.knowledge.excerpt import quotable
from server.knowledge.index import embedded_texts
from server.knowledge.vectors import Progress, embed_missing, no_progress
from server.ports.ai import Embedder
from server.ports.knowledge import Changes, KnowledgeStore


def embed_documents(
    store: KnowledgeStore,
    embedder: Embedder,
    tenant: Tenant,
    documents: Sequence[Document],
    *,
    threads: int = 1,
    progress: Progress = no_progress,
) -> None:
    """Make the vectors of *documents* that are not there yet; the documents themselves are not kept."""
    name = tenant.settings.name
    texts = [
        text for document in documents for text in (*embedded_texts(document, name), *quotable(document.body))
    ]
    embed_missing(store, embedder, texts, threads=threads, progress=progress)


def import_documents(
    store: KnowledgeStore,
    embedder: Embedder,
    tenant: Tenant,
    documents: Sequence[Document],
    *,
    whole_sources: Collection[str] = (),
    threads: int = 1,
    progress: Progress = no_progress,
) -> Changes:
    """Embed what is new of *documents*, then add or replace them by id; tell what that changed.

    Until all is embedded, guests are answered from what was there before. What the tenant has from
    *whole_sources* beside *documents* is removed. Safe to run again after an interruption: the vectors that
    are there are not made twice.

    Raises:
        NotFound: there is no such tenant; no document was kept.
    """
    embed_documents(store, embedder, tenant, documents, threads=threads, progress=progress)
    return store.put_documents(tenant.id, documents, whole_sources=whole_sources)

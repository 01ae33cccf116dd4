"""Takes documents in: kept, and embedded so that the first question does not wait for it."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.knowledge import Document
from server.domain.tenants import Tenant
from server.knowledge.index import embedded_texts
from server.knowledge.vectors import Progress, embed_missing, no_progress
from server.ports.ai import Embedder
from server.ports.knowledge import KnowledgeStore


def import_documents(
    store: KnowledgeStore,
    embedder: Embedder,
    tenant: Tenant,
    documents: Sequence[Document],
    *,
    threads: int = 1,
    progress: Progress = no_progress,
) -> int:
    """Add or replace *documents* by id and embed what is new; return how many of them changed.

    Safe to run again after an interruption: the vectors that are there are not made twice.

    Raises:
        NotFound: there is no such tenant; nothing was kept.
    """
    changed = store.put_documents(tenant.id, documents)
    name = tenant.settings.name
    texts = [text for document in documents for text in embedded_texts(document, name)]
    embed_missing(store, embedder, texts, threads=threads, progress=progress)
    return changed

"""Knowledge kept in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from server.domain.knowledge import Document
from server.errors import NotFound


class FakeKnowledgeStore:
    """Keeps the ``KnowledgeStore`` port for the tenants it is made with."""

    def __init__(self, *tenants: str) -> None:
        self._documents: dict[str, dict[str, Document]] = {tenant: {} for tenant in tenants}
        self._versions = dict.fromkeys(tenants, 0)
        self._vectors: dict[tuple[str, str], NDArray[np.float32]] = {}

    def version(self, tenant_id: str) -> int:
        """Grows with every change."""
        return self._versions.get(tenant_id, 0)

    def documents(self, tenant_id: str) -> Sequence[Document]:
        """In the order of their ids."""
        kept = self._documents.get(tenant_id, {})
        return [kept[key] for key in sorted(kept)]

    def put_documents(self, tenant_id: str, documents: Sequence[Document]) -> int:
        """Add or replace; return how many differ."""
        if tenant_id not in self._documents:
            raise NotFound(f"there is no tenant {tenant_id!r}")
        kept = self._documents[tenant_id]
        new = {document.id: document for document in documents}
        changed = {key: document for key, document in new.items() if kept.get(key) != document}
        kept.update(changed)
        self._versions[tenant_id] += bool(changed)
        return len(changed)

    def vectors(self, model: str, hashes: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Those that are kept."""
        return {key: self._vectors[model, key] for key in hashes if (model, key) in self._vectors}

    def put_vectors(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep those that are new."""
        for key, vector in vectors.items():
            self._vectors.setdefault((model, key), vector)

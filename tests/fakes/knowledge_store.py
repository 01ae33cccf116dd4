"""Knowledge kept in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from server.domain.knowledge import Document
from server.errors import NotFound
from server.ports.knowledge import Changes


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

    def put_documents(
        self, tenant_id: str, documents: Sequence[Document], *, whole_sources: Collection[str] = ()
    ) -> Changes:
        """Add or replace; remove what is missing of *whole_sources*; tell what that changed."""
        kept = self._of(tenant_id)
        given = {document.id: document for document in documents}
        changed = [key for key, document in given.items() if key in kept and kept[key] != document]
        missing = [
            key for key, document in kept.items() if document.source in whole_sources and key not in given
        ]
        changes = Changes(
            new=len(given.keys() - kept.keys()),
            changed=len(changed),
            unchanged=len(given.keys() & kept.keys()) - len(changed),
            removed=len(missing),
            taken_over=tuple(
                sorted(key for key in changed if kept[key].source not in ("", given[key].source))
            ),
        )
        kept.update(given)
        for key in missing:
            del kept[key]
        self._versions[tenant_id] += bool(changes.new or changes.changed or changes.removed)
        return changes

    def remove_documents(self, tenant_id: str, ids: Collection[str]) -> None:
        """Remove all of *ids* or none."""
        kept = self._of(tenant_id)
        if unknown := set(ids) - kept.keys():
            raise NotFound(f"there is no document {min(unknown)!r}")
        for key in set(ids):
            del kept[key]
        self._versions[tenant_id] += bool(ids)

    def _of(self, tenant_id: str) -> dict[str, Document]:
        if tenant_id not in self._documents:
            raise NotFound(f"there is no tenant {tenant_id!r}")
        return self._documents[tenant_id]

    def vectors(self, model: str, hashes: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Those that are kept."""
        return {key: self._vectors[model, key] for key in hashes if (model, key) in self._vectors}

    def put_vectors(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep those that are new."""
        for key, vector in vectors.items():
            self._vectors.setdefault((model, key), vector)

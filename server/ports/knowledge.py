"""Where a business's knowledge and its vectors are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.domain.knowledge import Document


@dataclass(frozen=True, slots=True)
class Changes:
    """What putting documents changed. ``taken_over`` are ids whose document came from another source."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    taken_over: tuple[str, ...] = ()


class KnowledgeStore(Protocol):
    """Documents by tenant; vectors by the hash of their text, shared by all tenants."""

    def version(self, tenant_id: str) -> int:
        """A number that grows with every change of the tenant's documents."""
        ...

    def documents(self, tenant_id: str) -> Sequence[Document]:
        """All documents of the tenant in the order of their ids."""
        ...

    def put_documents(
        self, tenant_id: str, documents: Sequence[Document], *, whole_sources: Collection[str] = ()
    ) -> Changes:
        """Add or replace documents by id, all at once for those who read; tell what that changed.

        Of the tenant's documents from *whole_sources*, those that are not among *documents* are removed.
        The version grows by one, and only if anything changed.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def remove_documents(self, tenant_id: str, ids: Collection[str]) -> None:
        """Remove documents; the version grows by one, if there are any *ids*.

        Raises:
            NotFound: there is no such tenant, or no document of one of *ids*; nothing was removed.
        """
        ...

    def vectors(self, model: str, hashes: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Those of *hashes* that are kept for *model*."""
        ...

    def put_vectors(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors; those that are there already stay as they are."""
        ...

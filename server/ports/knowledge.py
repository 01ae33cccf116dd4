"""Where a business's knowledge and its vectors are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.domain.knowledge import Document


class KnowledgeStore(Protocol):
    """Documents by tenant; vectors by the hash of their text, shared by all tenants."""

    def version(self, tenant_id: str) -> int:
        """A number that grows with every change of the tenant's documents."""
        ...

    def documents(self, tenant_id: str) -> Sequence[Document]:
        """All documents of the tenant in the order of their ids."""
        ...

    def put_documents(self, tenant_id: str, documents: Sequence[Document]) -> int:
        """Add or replace documents by id; return how many differ from what was there.

        The version grows only if that is not none.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def vectors(self, model: str, hashes: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Those of *hashes* that are kept for *model*."""
        ...

    def put_vectors(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors; those that are there already stay as they are."""
        ...

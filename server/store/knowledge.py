"""Documents of each business, and vectors by the hash of their text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.knowledge import Document
from server.ports.clock import Clock
from server.store.models import DocumentRow, TenantRow, VectorRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

# As little-endian float32, so that a database moves between machines.
_VECTOR = np.dtype("<f4")
# Well under the number of parameters that a statement may have, on SQLite and on PostgreSQL.
_BATCH = 500


class Knowledge:
    """The ``KnowledgeStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def version(self, tenant_id: str) -> int:
        """A number that grows with every change of the tenant's documents; 0 where there is no tenant."""
        with self._database.read() as session:
            query = select(TenantRow.knowledge_version).where(TenantRow.id == tenant_id)
            return session.scalar(query) or 0

    def documents(self, tenant_id: str) -> Sequence[Document]:
        """All documents of the tenant in the order of their ids."""
        with self._database.read() as session:
            rows = session.scalars(select(DocumentRow).where(DocumentRow.tenant_id == tenant_id)).all()
        # Sorted here: databases disagree on the order of letters.
        return sorted((_document(row) for row in rows), key=lambda document: document.id)

    def put_documents(self, tenant_id: str, documents: Sequence[Document]) -> int:
        """Add or replace documents by id; return how many differ from what was there.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.write() as session:
            tenant = get_tenant_row(session, tenant_id)
            # Locked on PostgreSQL, so that two imports at once count the version up one after the other.
            session.refresh(tenant, with_for_update=True)
            known = _hashes(session, tenant_id)
            changed = [
                document
                for document in {document.id: document for document in documents}.values()
                if known.get(document.id) != _content_hash(document)
            ]
            for document in changed:
                session.merge(self._row(tenant_id, document))
            if changed:
                tenant.knowledge_version += 1
        return len(changed)

    def vectors(self, model: str, hashes: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Those of *hashes* that are kept for *model*."""
        found: dict[str, NDArray[np.float32]] = {}
        with self._database.read() as session:
            for batch in _batches(hashes):
                query = select(VectorRow.content_hash, VectorRow.vector).where(
                    VectorRow.model == model, VectorRow.content_hash.in_(batch)
                )
                for content_hash, kept in session.execute(query):
                    found[content_hash] = np.frombuffer(kept, dtype=_VECTOR).astype(np.float32)
        return found

    def put_vectors(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors; those that are there already stay as they are."""
        # In one order for all writers: two that insert the same rows crosswise would deadlock.
        for batch in _batches(sorted(vectors)):
            rows = [
                {"model": model, "content_hash": key, "vector": vectors[key].astype(_VECTOR).tobytes()}
                for key in batch
            ]
            with self._database.write() as session:
                session.execute(self._database.insert(VectorRow).values(rows).on_conflict_do_nothing())

    def _row(self, tenant_id: str, document: Document) -> DocumentRow:
        return DocumentRow(
            tenant_id=tenant_id,
            id=document.id,
            title=document.title,
            body=document.body,
            language=document.language,
            content_hash=_content_hash(document),
            updated_at=self._clock.now(),
        )


def _document(row: DocumentRow) -> Document:
    return Document(row.id, row.title, row.body, row.language)


def _hashes(session: Session, tenant_id: str) -> dict[str, str]:
    query = select(DocumentRow.id, DocumentRow.content_hash).where(DocumentRow.tenant_id == tenant_id)
    return {row.id: row.content_hash for row in session.execute(query)}


def _content_hash(document: Document) -> str:
    content = json.dumps([document.title, document.body, document.language])
    return hashlib.sha256(content.encode()).hexdigest()


def _batches(keys: Iterable[str]) -> Iterable[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, _BATCH)):
        yield batch

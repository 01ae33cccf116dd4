"""Documents of each business, and vectors by the hash of their text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.knowledge import Document
from server.errors import NotFound
from server.ports.clock import Clock
from server.ports.knowledge import Changes
from server.store.models import DocumentRow, TenantRow, VectorRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

# As little-endian float32, so that a database moves between machines.
_VECTOR = np.dtype("<f4")
# Well under the number of parameters that a statement may have, on SQLite and on PostgreSQL.
_BATCH = 500
# What a document says. The file that it comes in is no part of that.
_CONTENT = ("title", "body", "language", "valid_from", "valid_until", "hours")


class _Kept(NamedTuple):
    """Of a document that is there: what it says, as a hash, since when, and the file it came in."""

    hash: str
    changed_at: datetime
    source: str


class Plan(NamedTuple):
    """Ids of documents that come, say something else (or come in another file), and go."""

    new: frozenset[str]
    changed: frozenset[str]
    missing: frozenset[str]


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
        return sorted((to_document(row) for row in rows), key=lambda document: document.id)

    def put_documents(
        self, tenant_id: str, documents: Sequence[Document], *, whole_sources: Collection[str] = ()
    ) -> Changes:
        """Add or replace documents by id, all at once for those who read; tell what that changed.

        Of the tenant's documents from *whole_sources*, those that are not among *documents* are removed.

        Raises:
            NotFound: there is no such tenant.
        """
        given = {document.id: document for document in documents}
        with self._database.write() as session:
            tenant = lock_knowledge(session, tenant_id)
            kept = _kept(session, tenant_id)
            plan = _planned(kept, given, whole_sources)
            # One time for all: nothing in an import is newer than the rest of it.
            now = self._clock.now()
            for key in sorted(plan.new | plan.changed):
                says_the_same = key in kept and kept[key].hash == content_hash(given[key])
                session.merge(_row(tenant_id, given[key], kept[key].changed_at if says_the_same else now))
            _delete(session, tenant_id, plan.missing)
            if plan.new or plan.changed or plan.missing:
                tenant.knowledge_version += 1
        return Changes(
            new=len(plan.new),
            changed=len(plan.changed),
            unchanged=len(given) - len(plan.new) - len(plan.changed),
            removed=len(plan.missing),
            taken_over=tuple(
                key for key in sorted(plan.changed) if kept[key].source not in ("", given[key].source)
            ),
        )

    def plan(
        self, tenant_id: str, documents: Sequence[Document], *, whole_sources: Collection[str] = ()
    ) -> Plan:
        """What `put_documents` would change now."""
        with self._database.read() as session:
            kept = _kept(session, tenant_id)
        return _planned(kept, {document.id: document for document in documents}, whole_sources)

    def remove_documents(self, tenant_id: str, ids: Collection[str]) -> None:
        """Remove documents, all of *ids* or none.

        Raises:
            NotFound: there is no such tenant, or no document of one of *ids*.
        """
        with self._database.write() as session:
            tenant = lock_knowledge(session, tenant_id)
            unknown = set(ids) - _kept(session, tenant_id).keys()
            if unknown:
                raise NotFound(
                    f"there is no document {min(unknown)!r}; `frontdesk knowledge list` shows those there are"
                )
            _delete(session, tenant_id, ids)
            tenant.knowledge_version += bool(ids)

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


def _row(tenant_id: str, document: Document, changed_at: datetime) -> DocumentRow:
    return DocumentRow(
        tenant_id=tenant_id,
        id=document.id,
        title=document.title,
        body=document.body,
        language=document.language,
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        hours=document.hours,
        source=document.source,
        content_hash=content_hash(document),
        updated_at=changed_at,
    )


def to_document(row: DocumentRow) -> Document:
    """The row as the domain knows it."""
    return Document(
        id=row.id,
        title=row.title,
        body=row.body,
        language=row.language,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        hours=row.hours,
        source=row.source,
        changed_at=row.updated_at,
    )


def lock_knowledge(session: Session, tenant_id: str) -> TenantRow:
    """The tenant, whose documents nobody else changes before the end of the transaction.

    Messages that come in meanwhile refer to the row, and need not wait.

    Raises:
        NotFound: there is none.
    """
    tenant = get_tenant_row(session, tenant_id)
    session.refresh(tenant, with_for_update={"key_share": True})
    return tenant


def _kept(session: Session, tenant_id: str) -> dict[str, _Kept]:
    query = select(
        DocumentRow.id, DocumentRow.content_hash, DocumentRow.updated_at, DocumentRow.source
    ).where(DocumentRow.tenant_id == tenant_id)
    return {row.id: _Kept(row.content_hash, row.updated_at, row.source) for row in session.execute(query)}


def _planned(
    kept: Mapping[str, _Kept], given: Mapping[str, Document], whole_sources: Collection[str]
) -> Plan:
    changed = (
        key
        for key in given.keys() & kept.keys()
        if (kept[key].hash, kept[key].source) != (content_hash(given[key]), given[key].source)
    )
    missing = (key for key in kept.keys() - given.keys() if kept[key].source in whole_sources)
    return Plan(frozenset(given.keys() - kept.keys()), frozenset(changed), frozenset(missing))


def _delete(session: Session, tenant_id: str, ids: Iterable[str]) -> None:
    for batch in _batches(sorted(ids)):
        session.execute(
            delete(DocumentRow).where(DocumentRow.tenant_id == tenant_id, DocumentRow.id.in_(batch))
        )


def content_hash(document: Document) -> str:
    """The mark of what a document says; the file that it came in is no part of that."""
    content = json.dumps([getattr(document, name) for name in _CONTENT])
    return hashlib.sha256(content.encode()).hexdigest()


def _batches(keys: Iterable[str]) -> Iterable[list[str]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, _BATCH)):
        yield batch

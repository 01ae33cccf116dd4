"""Documents as staff look at them and change them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.domain.knowledge import Document
from server.domain.modes import Actor
from server.errors import Conflict, NotFound
from server.ports.clock import Clock
from server.ports.knowledge import Changes
from server.store.audit import add_audit
from server.store.knowledge import Knowledge, content_hash, lock_knowledge, to_document
from server.store.models import DocumentRow
from server.store.session import Database

DOCUMENTS_ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document, and the mark of what it says: who changes it names the one that was seen."""

    document: Document
    mark: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents by their ids; ``after`` is where the next page begins, if there is one."""

    documents: Sequence[Document]
    after: str | None


class Documents:
    """Looks at documents, and changes them one by one or by the file; what is done is noted.

    Each change counts the knowledge version up, as an import does, and is refused if somebody else was
    quicker.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._knowledge = Knowledge(database, clock)

    def page(
        self, tenant_id: str, words: Sequence[str], after: str = "", limit: int = DOCUMENTS_ON_A_PAGE
    ) -> DocumentPage:
        """Documents behind the id *after* that hold all of *words*, in title, text, id or file's name."""
        query = select(DocumentRow).where(DocumentRow.tenant_id == tenant_id, DocumentRow.id > after)
        columns = (DocumentRow.title, DocumentRow.body, DocumentRow.id, DocumentRow.source)
        for word in words:
            query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        with self._database.read() as session:
            rows = session.scalars(query.order_by(DocumentRow.id).limit(limit + 1)).all()
        documents = [to_document(row) for row in rows[:limit]]
        return DocumentPage(documents, documents[-1].id if len(rows) > limit else None)

    def count(self, tenant_id: str) -> int:
        """How many documents the tenant has."""
        with self._database.read() as session:
            query = select(func.count()).select_from(DocumentRow).where(DocumentRow.tenant_id == tenant_id)
            return session.scalar(query) or 0

    def get(self, tenant_id: str, document_id: str) -> KeptDocument:
        """Raises NotFound: the tenant has no such document."""
        with self._database.read() as session:
            row = _find(session, tenant_id, document_id)
            return KeptDocument(to_document(row), row.content_hash)

    def add(self, tenant_id: str, document: Document, actor: Actor) -> None:
        """Add a document. One that is there already and says the same is the one that was meant.

        Raises:
            Conflict: its id is taken.
            NotFound: there is no such tenant.
        """
        with self._database.write() as session, self._database.joining(session):
            lock_knowledge(session, tenant_id)
            known = session.get(DocumentRow, (tenant_id, document.id))
            if known is not None:
                if known.content_hash != content_hash(document):
                    raise Conflict("another document has this id")
                return
            self._knowledge.put_documents(tenant_id, [document])
            self._note(session, tenant_id, actor, "document.added", document.id)

    def change(self, tenant_id: str, document: Document, seen: str, actor: Actor) -> None:
        """Replace a document by one of the same id; one that says the same by now is left as it is.

        Args:
            seen: the mark of what was there when the change was begun.

        Raises:
            Conflict: somebody else has changed it since.
            NotFound: there is none of that id (any more).
        """
        with self._database.write() as session, self._database.joining(session):
            known = _locked(session, tenant_id, document.id)
            if known.content_hash == content_hash(document):
                return
            _check_seen(known, seen)
            self._knowledge.put_documents(tenant_id, [document])
            self._note(session, tenant_id, actor, "document.changed", document.id)

    def remove(self, tenant_id: str, document_id: str, seen: str, actor: Actor) -> None:
        """Remove a document.

        Raises:
            Conflict: somebody has changed it since it was *seen*.
            NotFound: there is none of that id (any more).
        """
        with self._database.write() as session, self._database.joining(session):
            _check_seen(_locked(session, tenant_id, document_id), seen)
            self._knowledge.remove_documents(tenant_id, [document_id])
            self._note(session, tenant_id, actor, "document.removed", document_id)

    def take_in(
        self, tenant_id: str, documents: Sequence[Document], whole_sources: Collection[str], actor: Actor
    ) -> Changes:
        """As `Knowledge.put_documents`, noted as an import."""
        with self._database.write() as session, self._database.joining(session):
            changes = self._knowledge.put_documents(tenant_id, documents, whole_sources=whole_sources)
            counts = {
                "new": changes.new,
                "changed": changes.changed,
                "unchanged": changes.unchanged,
                "removed": changes.removed,
            }
            now = self._clock.now()
            add_audit(session, tenant_id, actor, "knowledge.imported", "knowledge", now, **counts)
        return changes

    def _note(self, session: Session, tenant_id: str, actor: Actor, action: str, document_id: str) -> None:
        add_audit(session, tenant_id, actor, action, f"document {document_id}", self._clock.now())


def _locked(session: Session, tenant_id: str, document_id: str) -> DocumentRow:
    # Whoever else changes documents waits here, or has been.
    lock_knowledge(session, tenant_id)
    return _find(session, tenant_id, document_id)


def _find(session: Session, tenant_id: str, document_id: str) -> DocumentRow:
    # A zero byte is the one character that PostgreSQL cannot take.
    found = None if "\0" in document_id else session.get(DocumentRow, (tenant_id, document_id))
    if found is None:
        raise NotFound("there is no such document")
    return found


def _check_seen(known: DocumentRow, seen: str) -> None:
    if known.content_hash != seen:
        raise Conflict("somebody else has changed this document meanwhile")

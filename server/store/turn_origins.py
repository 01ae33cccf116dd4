"""What turns were made of: the documents as they are now, and the calls to models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select

from server.domain.knowledge import Document
from server.domain.model_calls import ModelCall
from server.store.knowledge import to_document
from server.store.model_calls import to_model_call
from server.store.models import DocumentRow, ModelCallRow
from server.store.session import Database


class TurnOrigins:
    """Read-only. One query each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def documents(self, tenant_id: str, ids: Collection[str]) -> Mapping[str, Document]:
        """The tenant's documents that are there still, by id."""
        with self._database.read() as session:
            rows = session.scalars(
                select(DocumentRow).where(DocumentRow.tenant_id == tenant_id, DocumentRow.id.in_(ids))
            )
            return {row.id: to_document(row) for row in rows}

    def model_calls(self, tenant_id: str, turn_id: str) -> Sequence[ModelCall]:
        """The calls that were made for a turn, in their order."""
        with self._database.read() as session:
            rows = session.scalars(
                select(ModelCallRow)
                .where(ModelCallRow.tenant_id == tenant_id, ModelCallRow.turn_id == turn_id)
                .order_by(ModelCallRow.started_at, ModelCallRow.id)
            )
            return [to_model_call(row) for row in rows]

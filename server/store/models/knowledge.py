"""What a business knows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import Base, UtcDateTime


class DocumentRow(Base):
    """One document of a business's knowledge; a change replaces it."""

    __tablename__ = "documents"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    # The first and the last day on which it holds: a date, or month and day of every year.
    valid_from: Mapped[str] = mapped_column(String(10), server_default="")
    valid_until: Mapped[str] = mapped_column(String(10), server_default="")
    # In the syntax of OpenStreetMap.
    hours: Mapped[str] = mapped_column(Text, server_default="")
    # The name of the file it came in.
    source: Mapped[str] = mapped_column(String(255), server_default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VectorRow(Base):
    """One embedding, float32 little-endian; shared by all who have the same text."""

    __tablename__ = "vectors"

    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)

"""Whoever may come in, and what staff keep beside the messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import GIVEN_ONCE, Base, Json, RowId, UtcDateTime


class ApiKeyRow(Base):
    """A key of the chat API, known by its hash alone; one with ``revoked_at`` opens nothing any more."""

    __tablename__ = "api_keys"
    __table_args__ = GIVEN_ONCE

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # What its owner calls it.
    name: Mapped[str] = mapped_column(String(64), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserRow(Base):
    """A member of a business's staff who may log in to the console, until ``disabled_at``.

    A session that began before ``sessions_end_at`` is over. ``totp_secret`` is sealed; NULL where no second
    factor is asked for. ``totp_step`` is the newest that was used: none is good twice.
    """

    __tablename__ = "users"
    __table_args__ = GIVEN_ONCE

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str] = mapped_column(String(128), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    role: Mapped[str] = mapped_column(String(8), default="owner", server_default="owner")
    # Of the pages; empty: what the browser asks for.
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    sessions_end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditRow(Base):
    """Something that staff did which others may ask about. Never holds words of a guest's, nor a secret."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "tenant_id", "id"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    # As `server.domain.modes.Actor` writes itself.
    actor: Mapped[str] = mapped_column(String(160))
    action: Mapped[str] = mapped_column(String(32))
    # What it was done to, such as ``conversation 12``.
    subject: Mapped[str] = mapped_column(String(160), default="")
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoteRow(Base):
    """What staff tell one another about a conversation. No guest ever sees it."""

    __tablename__ = "conversation_notes"
    __table_args__ = (Index(None, "conversation_id", "id"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    author: Mapped[str] = mapped_column(String(128))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LabelRow(Base):
    """A word that staff have put on a conversation."""

    __tablename__ = "conversation_labels"
    __table_args__ = (Index(None, "tenant_id", "label"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    label: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))


class CannedReplyRow(Base):
    """A reply that staff write often, with placeholders."""

    __tablename__ = "canned_replies"
    __table_args__ = (Index(None, "tenant_id", "title"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    title: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DraftRow(Base):
    """What the desk would have answered, for staff to send, change or drop.

    ``inbound_id`` is the newest message that it answers: once a newer one is there, it is out of date.
    """

    __tablename__ = "drafts"
    __table_args__ = (Index(None, "conversation_id", "id"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    inbound_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16))
    citations: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    model: Mapped[str] = mapped_column(String(128), default="", server_default="")
    prompt_version: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(String(128), default="", server_default="")


class QuestionRow(Base):
    """A guest's question that the desk could not answer from what the business knows."""

    __tablename__ = "questions"
    __table_args__ = (
        Index(None, "tenant_id", "state", "id"),
        Index(None, "conversation_id", "id"),
        Index("uq_questions_turn_id", "turn_id", unique=True),
        GIVEN_ONCE,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    turn_id: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The document that the answer has become, where there is one.
    document_id: Mapped[str | None] = mapped_column(String(128))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[str] = mapped_column(String(128), default="", server_default="")

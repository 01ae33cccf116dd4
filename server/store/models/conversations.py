"""Businesses, guests, what they wrote and what was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from server.store.models.base import GIVEN_ONCE, Base, Json, RowId, UtcDateTime


class TenantRow(Base):
    """One business."""

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(Json)
    knowledge_version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GuestRow(Base):
    """One person as one business knows them. WhatsApp's LID and phone number stay together here.

    ``merge_into`` is set once it is known that another row is the same person: that row stays.
    """

    __tablename__ = "guests"
    __table_args__ = (
        UniqueConstraint("tenant_id", "lid"),
        UniqueConstraint("tenant_id", "chat_key"),
        Index(None, "tenant_id", "phone"),
        # Two first messages from a number at once must not make two guests.
        Index(
            "uq_guests_phone_without_lid",
            "tenant_id",
            "phone",
            unique=True,
            sqlite_where=text("lid IS NULL"),
            postgresql_where=text("lid IS NULL"),
        ),
        Index(
            "ix_guests_merging",
            "merge_into",
            sqlite_where=text("merge_into IS NOT NULL"),
            postgresql_where=text("merge_into IS NOT NULL"),
        ),
        GIVEN_ONCE,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    lid: Mapped[str | None] = mapped_column(String(64))
    phone: Mapped[str | None] = mapped_column(String(64))
    chat_key: Mapped[str | None] = mapped_column(String(128))
    name: Mapped[str | None] = mapped_column(String(128))
    # No foreign key: SQLite could add one only by making the table anew.
    merge_into: Mapped[int | None] = mapped_column(RowId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConversationRow(Base):
    """The thread with one guest.

    ``mode_by`` tells who set the mode last, ``hand_back_at`` when the desk takes over again by itself.
    ``guest_typing_until`` is kept up by the channel while the guest writes.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("guest_id"),
        Index(None, "tenant_id", "last_message_at"),
        Index(
            "ix_conversations_needing",
            "needs_human_since",
            sqlite_where=text("needs_human_since IS NOT NULL"),
            postgresql_where=text("needs_human_since IS NOT NULL"),
        ),
        Index(
            "ix_conversations_handing_back",
            "hand_back_at",
            sqlite_where=text("hand_back_at IS NOT NULL"),
            postgresql_where=text("hand_back_at IS NOT NULL"),
        ),
        GIVEN_ONCE,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    guest_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
    mode: Mapped[str] = mapped_column(String(8), default="ai")
    mode_by: Mapped[str] = mapped_column(String(16), default="")
    hand_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    guest_typing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since when a person is needed; NULL: none is.
    needs_human_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When somebody in it last seemed to be in danger, whatever has become of it.
    danger_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The member of staff who looks after it.
    assigned_to: Mapped[int | None] = mapped_column(RowId)
    # The newest inbound message that staff have had on their screen.
    seen_inbound_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    # Document ids that the last reply offered as numbered choices.
    offered: Mapped[list[str]] = mapped_column(Json, default=list)
    language: Mapped[str | None] = mapped_column(String(8))
    last_message_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @hybrid_property
    def needs_human(self) -> bool:
        """Whether a person is needed."""
        return self.needs_human_since is not None

    @needs_human.inplace.expression
    @classmethod
    def _needs_human(cls) -> ColumnElement[bool]:
        return cls.needs_human_since.is_not(None)

    @hybrid_property
    def is_urgent(self) -> bool:
        """Whether a person is needed because somebody may be in danger."""
        since, danger_at = self.needs_human_since, self.danger_at
        return since is not None and danger_at is not None and danger_at >= since

    @is_urgent.inplace.expression
    @classmethod
    def _is_urgent(cls) -> ColumnElement[bool]:
        return and_(cls.danger_at.is_not(None), cls.danger_at >= cls.needs_human_since)


class InboundRow(Base):
    """One message that came in; the unique key makes redelivery harmless.

    A row with ``handled_at`` NULL waits for its turn. ``covered_by`` is the reply that answers it;
    handled rows without one were not answerable, and ``unanswered_because`` says why.
    """

    __tablename__ = "inbound_messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "guest_id", "from_me", "provider_id"),
        Index(None, "conversation_id", "id"),
        Index(None, "tenant_id", "received_at"),
        # Few rows wait, and the index holds only those: turns and the sweep do not see the history.
        Index(
            "ix_inbound_messages_waiting",
            "conversation_id",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        # What a page's replies answer, in a thread of any length.
        Index(
            "ix_inbound_messages_covered_by",
            "covered_by",
            sqlite_where=text("covered_by IS NOT NULL"),
            postgresql_where=text("covered_by IS NOT NULL"),
        ),
        GIVEN_ONCE,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    guest_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
    channel: Mapped[str] = mapped_column(String(16))
    from_me: Mapped[bool]
    provider_id: Mapped[str] = mapped_column(String(128))
    # The sidecar's journal number; 0 where there is no journal.
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    # The address as the guest wrote from it: where the answer goes.
    reply_to: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    quoted: Mapped[dict[str, Any] | None] = mapped_column(Json)
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    covered_by: Mapped[int | None] = mapped_column(ForeignKey("outbox_messages.id"))
    unanswered_because: Mapped[str] = mapped_column(String(16), default="")


class OutboxRow(Base):
    """One committed message and where it has got to. ``message_id`` follows from the turn."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "message_id"),
        Index(None, "conversation_id", "id"),
        Index(None, "tenant_id", "committed_at"),
        Index(
            "ix_outbox_messages_leaving",
            "lane",
            "id",
            sqlite_where=text("state IN ('committed', 'sending')"),
            postgresql_where=text("state IN ('committed', 'sending')"),
        ),
        GIVEN_ONCE,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    # NULL for what goes to staff.
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"))
    # First in, first out within a lane: one for each conversation, one for each address of staff.
    lane: Mapped[str] = mapped_column(String(160))
    channel: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    to_address: Mapped[str] = mapped_column(String(512))
    text: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(256), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    committed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sending_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TurnRow(Base):
    """How one reply came about; ``analysis`` is written after the reply has been committed."""

    __tablename__ = "turns"
    __table_args__ = (
        Index(None, "conversation_id", "committed_at"),
        Index(None, "tenant_id", "committed_at"),
        Index(None, "call_id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    source: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    handover: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(64), default="")
    citations: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    timings_ms: Mapped[dict[str, float]] = mapped_column(Json, default=dict)
    # Moments counted from the arrival of the oldest message, in milliseconds.
    steps_ms: Mapped[dict[str, float]] = mapped_column(Json, default=dict, server_default="{}")
    # Empty and 0 where no model was asked.
    model: Mapped[str] = mapped_column(String(128), default="", server_default="")
    prompt_version: Mapped[int] = mapped_column(default=0, server_default="0")
    quick_replies: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    # The call it was spoken on, and what was meant to be said where the caller heard less.
    call_id: Mapped[str | None] = mapped_column(String(64))
    intended: Mapped[str | None] = mapped_column(Text)
    analysis: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    committed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConversationEventRow(Base):
    """What happened to a conversation beside its messages: who took it over, gave it back, merged it."""

    __tablename__ = "conversation_events"
    __table_args__ = (Index(None, "conversation_id", "id"), GIVEN_ONCE)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    kind: Mapped[str] = mapped_column(String(16))
    # "api", "console", "host_phone" or "time"; with the console, who was logged in.
    actor: Mapped[str] = mapped_column(String(160))
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LeaseRow(Base):
    """Who may work on ``key`` (a conversation, an outbox lane). ``token`` grows with every claim."""

    __tablename__ = "leases"

    key: Mapped[str] = mapped_column(String(192), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    # Only PostgreSQL looks at it, in its own time; on SQLite a file lock tells who is alive.
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token: Mapped[int] = mapped_column(BigInteger)

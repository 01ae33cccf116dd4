"""Tables. Times are aware UTC; ids of WhatsApp are the sender's and unique only within a chat."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; SQLite itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are kept with their zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite counts rows up only in a plain INTEGER primary key.
RowId = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")


class Base(DeclarativeBase):
    """All tables; constraints are named so that migrations can name them too."""

    metadata = MetaData(naming_convention=NAMING)


def table_of(row: type[Base]) -> Table:
    """The table itself, for statements that are compiled once and must be quick."""
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - no class of ours maps anything else
    return table


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
            "ix_conversations_handing_back",
            "hand_back_at",
            sqlite_where=text("hand_back_at IS NOT NULL"),
            postgresql_where=text("hand_back_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    guest_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
    mode: Mapped[str] = mapped_column(String(8), default="ai")
    mode_by: Mapped[str] = mapped_column(String(16), default="")
    hand_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    guest_typing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    needs_human: Mapped[bool] = mapped_column(default=False)
    # The newest inbound message that staff have had on their screen.
    seen_inbound_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    # Document ids that the last reply offered as numbered choices.
    offered: Mapped[list[str]] = mapped_column(Json, default=list)
    language: Mapped[str | None] = mapped_column(String(8))
    last_message_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InboundRow(Base):
    """One message that came in; the unique key makes redelivery harmless.

    A row with ``handled_at`` NULL waits for its turn. ``covered_by`` is the reply that answers it;
    handled rows without one were not answerable, and ``unanswered_because`` says why.
    """

    __tablename__ = "inbound_messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "guest_id", "from_me", "provider_id"),
        Index(None, "conversation_id", "id"),
        # Few rows wait, and the index holds only those: turns and the sweep do not see the history.
        Index(
            "ix_inbound_messages_waiting",
            "conversation_id",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
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
        Index(
            "ix_outbox_messages_leaving",
            "lane",
            "id",
            sqlite_where=text("state IN ('committed', 'sending')"),
            postgresql_where=text("state IN ('committed', 'sending')"),
        ),
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
    __table_args__ = (Index(None, "conversation_id", "committed_at"), Index(None, "call_id"))

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


class ModelCallRow(Base):
    """One call to a language model, ended. Written after the reply, so it refers to no turn by a key."""

    __tablename__ = "model_calls"
    __table_args__ = (Index(None, "started_at"), Index(None, "turn_id"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    turn_id: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_token_ms: Mapped[float | None]
    total_ms: Mapped[float]
    waited_ms: Mapped[float]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class CallRow(Base):
    """A phone call. The id is Twilio's CallSid."""

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "conversation_id", "started_at"),
        Index(None, "tenant_id", "started_at"),
        Index(
            "ix_calls_continuing",
            "continue_at",
            sqlite_where=text("continue_at IS NOT NULL"),
            postgresql_where=text("continue_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    # As the network told it; empty where it was withheld.
    caller: Mapped[str] = mapped_column(String(64))
    called: Mapped[str] = mapped_column(String(64))
    # What it goes on with once its media socket is closed.
    next_step: Mapped[str] = mapped_column(String(16))
    to_say: Mapped[str] = mapped_column(Text, default="")
    # Of the secret that opens its media socket, until it has.
    token_hash: Mapped[str | None] = mapped_column(String(64))
    token_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str] = mapped_column(String(32), default="")
    seconds: Mapped[int | None]
    # When it is looked whether it broke off; NULL before its end, and once that was done.
    continue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecordingRow(Base):
    """A recording of a call. There is a row before there is a file, and each is deleted by its own age."""

    __tablename__ = "recordings"
    __table_args__ = (Index(None, "call_id"), Index(None, "begun_at"))

    # Of its file; made at random, so that no other ever has the same.
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"))
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL while it is being made, and for good if that broke off.
    seconds: Mapped[float | None]


class SpendRow(Base):
    """What models have cost on one day of a business: in all (conversation 0), and for each conversation."""

    __tablename__ = "spend"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    # Of the business's zone, such as 2026-11-21.
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cost_micros: Mapped[int] = mapped_column(BigInteger)


class RateBucketRow(Base):
    """How far one provider key's limits are used up, for all processes together.

    ``*_at`` are the moments at which the bucket is full again, in seconds of a clock that all share.
    """

    __tablename__ = "rate_buckets"

    # A hash: keys are secrets.
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests_at: Mapped[float]
    tokens_at: Mapped[float]


class ConversationEventRow(Base):
    """What happened to a conversation beside its messages: who took it over, gave it back, merged it."""

    __tablename__ = "conversation_events"
    __table_args__ = (Index(None, "conversation_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    kind: Mapped[str] = mapped_column(String(16))
    # "api", "console", "host_phone" or "time"; with the console, who was logged in.
    actor: Mapped[str] = mapped_column(String(160))
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WhatsAppNumberRow(Base):
    """Which sidecar holds a business's number. PostgreSQL only: elsewhere there is one sidecar.

    Written by the sidecars. Every write of theirs for the tenant carries ``token``, which grows with
    each claim.
    """

    __tablename__ = "whatsapp_numbers"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    # Wanted: linked, or being linked. A number that nobody wants is claimed by nobody.
    is_wanted: Mapped[bool]
    owner: Mapped[str | None] = mapped_column(String(96))
    # Where the owner listens, as Flask reaches it.
    url: Mapped[str | None] = mapped_column(String(256))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token: Mapped[int] = mapped_column(BigInteger)


class WhatsAppSidecarRow(Base):
    """A sidecar that is alive: where a number that nobody holds yet can be linked. PostgreSQL only."""

    __tablename__ = "whatsapp_sidecars"

    name: Mapped[str] = mapped_column(String(96), primary_key=True)
    url: Mapped[str] = mapped_column(String(256))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WhatsAppEntryRow(Base):
    """One entry of a number's store: its identity, Signal keys, journal and sends. PostgreSQL only.

    ``table_name``, ``key`` and ``value`` are the sidecar's own words, see services/whatsapp/src/store.js.
    """

    __tablename__ = "whatsapp_entries"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class LineReportRow(Base):
    """What was last told of a business's number: a sidecar that tells nothing more has died."""

    __tablename__ = "line_reports"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    is_linked: Mapped[bool]
    # NULL: it was open.
    down_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LeaseRow(Base):
    """Who may work on ``key`` (a conversation, an outbox lane). ``token`` grows with every claim."""

    __tablename__ = "leases"

    key: Mapped[str] = mapped_column(String(192), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(64))
    # Only PostgreSQL looks at it, in its own time; on SQLite a file lock tells who is alive.
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token: Mapped[int] = mapped_column(BigInteger)


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


class ApiKeyRow(Base):
    """A key of the chat API, known by its hash alone."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UserRow(Base):
    """A member of a business's staff who may log in to the console."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str] = mapped_column(String(128), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

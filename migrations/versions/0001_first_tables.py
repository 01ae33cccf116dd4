"""The first tables: tenants, guests, inbox, outbox, leases, knowledge, keys and users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(JSONB, "postgresql")
# SQLite counts rows up only in a plain INTEGER primary key.
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("key", sa.String(length=192), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_leases")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("knowledge_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )
    op.create_table(
        "vectors",
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "content_hash", name=op.f("pk_vectors")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_keys_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "documents",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_documents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_documents")),
    )
    op.create_table(
        "guests",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("lid", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=64), nullable=True),
        sa.Column("chat_key", sa.String(length=128), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_guests_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
        sa.UniqueConstraint("tenant_id", "chat_key", name=op.f("uq_guests_tenant_id_chat_key")),
        sa.UniqueConstraint("tenant_id", "lid", name=op.f("uq_guests_tenant_id_lid")),
    )
    with op.batch_alter_table("guests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guests_tenant_id_phone"), ["tenant_id", "phone"], unique=False)
        batch_op.create_index(
            "uq_guests_phone_without_lid",
            ["tenant_id", "phone"],
            unique=True,
            sqlite_where=sa.text("lid IS NULL"),
            postgresql_where=sa.text("lid IS NULL"),
        )

    op.create_table(
        "users",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_users_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("guest_id", RowId, nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("needs_human", sa.Boolean(), nullable=False),
        sa.Column("offered", Json, nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_conversations_guest_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_conversations_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("guest_id", name=op.f("uq_conversations_guest_id")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_conversations_tenant_id_last_message_at"),
            ["tenant_id", "last_message_at"],
            unique=False,
        )

    op.create_table(
        "turns",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("handover", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("citations", Json, nullable=False),
        sa.Column("timings_ms", Json, nullable=False),
        sa.Column("analysis", Json, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_turns_conversation_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_turns_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_turns_conversation_id_committed_at"),
            ["conversation_id", "committed_at"],
            unique=False,
        )

    op.create_table(
        "outbox_messages",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=True),
        sa.Column("turn_id", sa.String(length=64), nullable=True),
        sa.Column("lane", sa.String(length=160), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("to_address", sa.String(length=512), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=256), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_outbox_messages_conversation_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outbox_messages_tenant_id")),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_outbox_messages_turn_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint(
            "tenant_id", "channel", "message_id", name=op.f("uq_outbox_messages_tenant_id_channel_message_id")
        ),
    )
    with op.batch_alter_table("outbox_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outbox_messages_conversation_id_id"), ["conversation_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_outbox_messages_leaving",
            ["lane", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('committed', 'sending')"),
            postgresql_where=sa.text("state IN ('committed', 'sending')"),
        )

    op.create_table(
        "inbound_messages",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("guest_id", RowId, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("from_me", sa.Boolean(), nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("reply_to", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quoted", Json, nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covered_by", RowId, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_inbound_messages_conversation_id")
        ),
        sa.ForeignKeyConstraint(
            ["covered_by"], ["outbox_messages.id"], name=op.f("fk_inbound_messages_covered_by")
        ),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_inbound_messages_guest_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_inbound_messages_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_messages")),
        sa.UniqueConstraint(
            "tenant_id",
            "channel",
            "guest_id",
            "from_me",
            "provider_id",
            name=op.f("uq_inbound_messages_tenant_id_channel_guest_id_from_me_provider_id"),
        ),
    )
    with op.batch_alter_table("inbound_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_inbound_messages_conversation_id_id"), ["conversation_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_inbound_messages_waiting",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("inbound_messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_inbound_messages_waiting",
            sqlite_where=sa.text("handled_at IS NULL"),
            postgresql_where=sa.text("handled_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_inbound_messages_conversation_id_id"))

    op.drop_table("inbound_messages")
    with op.batch_alter_table("outbox_messages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_messages_leaving",
            sqlite_where=sa.text("state IN ('committed', 'sending')"),
            postgresql_where=sa.text("state IN ('committed', 'sending')"),
        )
        batch_op.drop_index(batch_op.f("ix_outbox_messages_conversation_id_id"))

    op.drop_table("outbox_messages")
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turns_conversation_id_committed_at"))

    op.drop_table("turns")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversations_tenant_id_last_message_at"))

    op.drop_table("conversations")
    op.drop_table("users")
    with op.batch_alter_table("guests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_guests_phone_without_lid",
            sqlite_where=sa.text("lid IS NULL"),
            postgresql_where=sa.text("lid IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_guests_tenant_id_phone"))

    op.drop_table("guests")
    op.drop_table("documents")
    op.drop_table("api_keys")
    op.drop_table("vectors")
    op.drop_table("tenants")
    op.drop_table("leases")

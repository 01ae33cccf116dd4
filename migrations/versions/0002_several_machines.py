"""Guests that merge, modes that end by themselves, and numbers that move between sidecars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Columns are added in place: SQLite would make a table anew otherwise, which its foreign keys forbid.
    op.add_column("conversations", sa.Column("mode_by", sa.String(16), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("hand_back_at", TIME, nullable=True))
    op.add_column("conversations", sa.Column("guest_typing_until", TIME, nullable=True))
    _partial_index("ix_conversations_handing_back", "conversations", "hand_back_at")
    op.add_column("guests", sa.Column("merge_into", ROW_ID, nullable=True))
    _partial_index("ix_guests_merging", "guests", "merge_into")
    op.add_column(
        "inbound_messages", sa.Column("unanswered_because", sa.String(16), nullable=False, server_default="")
    )
    op.drop_index("ix_inbound_messages_waiting", "inbound_messages")
    _waiting_index("conversation_id", "id")
    op.create_table(
        "conversation_events",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("conversation_id", ROW_ID, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index(
        "ix_conversation_events_conversation_id_id", "conversation_events", ["conversation_id", "id"]
    )
    op.create_table(
        "whatsapp_numbers",
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(96), nullable=True),
        sa.Column("url", sa.String(256), nullable=True),
        sa.Column("held_until", TIME, nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "whatsapp_sidecars",
        sa.Column("name", sa.String(96), primary_key=True),
        sa.Column("url", sa.String(256), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
    )
    op.create_table(
        "whatsapp_entries",
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("table_name", sa.String(16), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("whatsapp_entries")
    op.drop_table("whatsapp_sidecars")
    op.drop_table("whatsapp_numbers")
    op.drop_table("conversation_events")
    op.drop_index("ix_inbound_messages_waiting", "inbound_messages")
    _waiting_index("due_at")
    op.drop_column("inbound_messages", "unanswered_because")
    op.drop_index("ix_guests_merging", "guests")
    op.drop_column("guests", "merge_into")
    op.drop_index("ix_conversations_handing_back", "conversations")
    op.drop_column("conversations", "guest_typing_until")
    op.drop_column("conversations", "hand_back_at")
    op.drop_column("conversations", "mode_by")


def _partial_index(name: str, table: str, column: str) -> None:
    present = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], sqlite_where=present, postgresql_where=present)


def _waiting_index(*columns: str) -> None:
    waiting = sa.text("handled_at IS NULL")
    op.create_index(
        "ix_inbound_messages_waiting",
        "inbound_messages",
        list(columns),
        sqlite_where=waiting,
        postgresql_where=waiting,
    )

"""Notes, labels, assignments, canned replies and drafts

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import Json, RowId, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("conversations", sa.Column("assigned_to", RowId, nullable=True))
    op.create_table(
        "conversation_notes",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversation_notes"),
        *_keys("conversation_notes"),
    )
    op.create_index(
        "ix_conversation_notes_conversation_id_id", "conversation_notes", ["conversation_id", "id"]
    )
    op.create_table(
        "conversation_labels",
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "label", name="pk_conversation_labels"),
        *_keys("conversation_labels"),
    )
    op.create_index("ix_conversation_labels_tenant_id_label", "conversation_labels", ["tenant_id", "label"])
    op.create_table(
        "canned_replies",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canned_replies"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_canned_replies_tenant_id"),
    )
    op.create_index("ix_canned_replies_tenant_id_title", "canned_replies", ["tenant_id", "title"])
    op.create_table(
        "drafts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("inbound_id", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("citations", Json, nullable=False),
        sa.Column("model", sa.String(128), nullable=False, server_default=""),
        sa.Column("prompt_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("decided_at", UtcDateTime, nullable=True),
        sa.Column("decided_by", sa.String(128), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        *_keys("drafts"),
    )
    op.create_index("ix_drafts_conversation_id_id", "drafts", ["conversation_id", "id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("drafts", "canned_replies", "conversation_labels", "conversation_notes"):
        op.drop_table(table)
    op.drop_column("conversations", "assigned_to")


def _keys(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant_id"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=f"fk_{table}_conversation_id"
        ),
    ]

"""Questions that the desk could not answer

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import RowId, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "questions",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("document_id", sa.String(128), nullable=True),
        sa.Column("answered_at", UtcDateTime, nullable=True),
        sa.Column("answered_by", sa.String(128), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_questions_tenant_id"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_questions_conversation_id"
        ),
    )
    op.create_index("ix_questions_tenant_id_state_id", "questions", ["tenant_id", "state", "id"])
    op.create_index("ix_questions_conversation_id_id", "questions", ["conversation_id", "id"])
    op.create_index("uq_questions_turn_id", "questions", ["turn_id"], unique=True)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("questions")

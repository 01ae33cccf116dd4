"""Phone calls, and which turns were spoken

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import RowId, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "calls",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("caller", sa.String(64), nullable=False),
        sa.Column("called", sa.String(64), nullable=False),
        sa.Column("next_step", sa.String(16), nullable=False),
        sa.Column("to_say", sa.Text, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=True),
        sa.Column("token_until", UtcDateTime, nullable=True),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("ended_because", sa.String(32), nullable=False),
        sa.Column("seconds", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_calls_tenant_id"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name="fk_calls_conversation_id"),
    )
    op.create_index("ix_calls_conversation_id_started_at", "calls", ["conversation_id", "started_at"])
    op.create_index("ix_calls_tenant_id_started_at", "calls", ["tenant_id", "started_at"])
    op.add_column("turns", sa.Column("call_id", sa.String(64), nullable=True))
    op.add_column("turns", sa.Column("intended", sa.Text, nullable=True))
    op.create_index("ix_turns_call_id", "turns", ["call_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_turns_call_id", "turns")
    for column in ("intended", "call_id"):
        op.drop_column("turns", column)
    op.drop_table("calls")

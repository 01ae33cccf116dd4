"""Calls to models, what they cost, rate limits, and how a turn's reply came about

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import Json, RowId, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("turns", sa.Column("steps_ms", Json, nullable=False, server_default="{}"))
    op.add_column("turns", sa.Column("model", sa.String(128), nullable=False, server_default=""))
    op.add_column("turns", sa.Column("prompt_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("quick_replies", Json, nullable=False, server_default="[]"))
    op.create_table(
        "model_calls",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("first_token_ms", sa.Double, nullable=True),
        sa.Column("total_ms", sa.Double, nullable=False),
        sa.Column("waited_ms", sa.Double, nullable=False),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_calls"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_model_calls_tenant_id"),
    )
    op.create_index("ix_model_calls_started_at", "model_calls", ["started_at"])
    op.create_index("ix_model_calls_turn_id", "model_calls", ["turn_id"])
    op.create_table(
        "spend",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("cost_micros", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "conversation_id", name="pk_spend"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_spend_tenant_id"),
    )
    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("requests_at", sa.Double, nullable=False),
        sa.Column("tokens_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_buckets"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("rate_buckets", "spend", "model_calls"):
        op.drop_table(table)
    for column in ("quick_replies", "prompt_version", "model", "steps_ms"):
        op.drop_column("turns", column)

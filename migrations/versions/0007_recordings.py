"""Recordings of calls

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "recordings",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("begun_at", UtcDateTime, nullable=False),
        sa.Column("seconds", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_recordings"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_recordings_tenant_id"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_recordings_call_id"),
    )
    op.create_index("ix_recordings_call_id", "recordings", ["call_id"])
    op.create_index("ix_recordings_begun_at", "recordings", ["begun_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("recordings")

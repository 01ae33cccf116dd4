"""When it is looked whether a call left something to be written

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PRESENT = sa.text("continue_at IS NOT NULL")


def upgrade() -> None:
    """Add it."""
    op.add_column("calls", sa.Column("continue_at", UtcDateTime, nullable=True))
    op.create_index(
        "ix_calls_continuing",
        "calls",
        ["continue_at"],
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_calls_continuing", "calls")
    op.drop_column("calls", "continue_at")

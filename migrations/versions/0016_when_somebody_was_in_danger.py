"""When somebody in a conversation last seemed to be in danger

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those that wait now, what the desk's replies tell."""
    op.add_column("conversations", sa.Column("danger_at", UtcDateTime, nullable=True))
    op.execute(
        "UPDATE conversations SET danger_at = ("
        "SELECT max(committed_at) FROM turns "
        "WHERE turns.conversation_id = conversations.id "
        "AND turns.committed_at >= conversations.needs_human_since "
        "AND substr(turns.reason, 1, 10) = 'emergency_') "
        "WHERE needs_human_since IS NOT NULL"
    )


def downgrade() -> None:
    """Drop it: the replies tell."""
    op.drop_column("conversations", "danger_at")

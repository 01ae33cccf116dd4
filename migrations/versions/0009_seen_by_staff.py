"""Up to which message staff have seen a conversation

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; what came in before counts as seen."""
    op.add_column(
        "conversations", sa.Column("seen_inbound_id", sa.BigInteger, nullable=False, server_default="0")
    )
    op.execute(
        "UPDATE conversations SET seen_inbound_id = COALESCE("
        "(SELECT MAX(id) FROM inbound_messages WHERE conversation_id = conversations.id), 0)"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("conversations", "seen_inbound_id")

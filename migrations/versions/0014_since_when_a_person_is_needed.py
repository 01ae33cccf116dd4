"""Since when a conversation needs a person, and what happened on a day

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.models import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BY_TIME = (
    ("inbound_messages", "received_at"),
    ("outbox_messages", "committed_at"),
    ("turns", "committed_at"),
)


def upgrade() -> None:
    """The time takes the place of the flag; of what waits already, the last message's is the best known."""
    if op.get_bind().dialect.name == "postgresql":
        # A million messages take longer than any statement of a page may.
        op.execute("SET LOCAL statement_timeout = 0")
    op.add_column("conversations", sa.Column("needs_human_since", UtcDateTime, nullable=True))
    op.execute("UPDATE conversations SET needs_human_since = last_message_at WHERE needs_human")
    op.drop_column("conversations", "needs_human")
    op.create_index(
        "ix_conversations_needing",
        "conversations",
        ["needs_human_since"],
        sqlite_where=sa.text("needs_human_since IS NOT NULL"),
        postgresql_where=sa.text("needs_human_since IS NOT NULL"),
    )
    for table, column in _BY_TIME:
        op.create_index(f"ix_{table}_tenant_id_{column}", table, ["tenant_id", column])


def downgrade() -> None:
    """The flag again."""
    for table, column in _BY_TIME:
        op.drop_index(f"ix_{table}_tenant_id_{column}", table)
    op.drop_index("ix_conversations_needing", "conversations")
    op.add_column(
        "conversations", sa.Column("needs_human", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.execute("UPDATE conversations SET needs_human = (needs_human_since IS NOT NULL)")
    op.drop_column("conversations", "needs_human_since")

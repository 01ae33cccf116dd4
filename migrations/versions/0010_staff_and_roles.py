"""Roles and second factors of staff, names of API keys, and what staff did

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store.models import Json, RowId, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; whoever may log in already is an owner."""
    for table, column in _columns():
        op.add_column(table, column)
    op.create_table(
        "audit_events",
        sa.Column("id", RowId, nullable=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_audit_events_tenant_id"),
    )
    op.create_index("ix_audit_events_tenant_id_id", "audit_events", ["tenant_id", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("audit_events")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("users", sa.Column("role", sa.String(8), nullable=False, server_default="owner")),
        ("users", sa.Column("language", sa.String(8), nullable=False, server_default="")),
        ("users", sa.Column("totp_secret", sa.LargeBinary, nullable=True)),
        ("users", sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0")),
        ("users", sa.Column("sessions_end_at", UtcDateTime, nullable=True)),
        ("users", sa.Column("disabled_at", UtcDateTime, nullable=True)),
        ("api_keys", sa.Column("name", sa.String(64), nullable=False, server_default="")),
        ("api_keys", sa.Column("revoked_at", UtcDateTime, nullable=True)),
    ]

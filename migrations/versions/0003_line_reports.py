"""What was last told of each number, so that a sidecar that has died is missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "line_reports",
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("is_linked", sa.Boolean(), nullable=False),
        sa.Column("down_since", TIME, nullable=True),
        sa.Column("reported_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("line_reports")

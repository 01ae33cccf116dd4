"""Where a document came from, when it holds, and when what it tells of is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXTS = {
    "valid_from": sa.String(10),
    "valid_until": sa.String(10),
    "hours": sa.Text(),
    "source": sa.String(255),
}


def upgrade() -> None:
    for name, kind in TEXTS.items():
        op.add_column("documents", sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    for name in TEXTS:
        op.drop_column("documents", name)

"""Search over messages, and which messages a reply covers

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from alembic import op
from sqlalchemy.exc import DBAPIError, ProgrammingError

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Both come with PostgreSQL, and since its version 13 whoever may make tables may add them, where the
# provider has them at all.
EXTENSIONS = ("pg_trgm", "btree_gin")
TABLES = ("inbound_messages", "outbox_messages")

_log = structlog.get_logger(__name__)


def upgrade() -> None:
    """Add the indices; without the extensions search is only slower."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if is_postgres:
        # A million messages take longer than any statement of a page may.
        op.execute("SET LOCAL statement_timeout = 0")
    op.create_index(
        "ix_inbound_messages_covered_by",
        "inbound_messages",
        ["covered_by"],
        sqlite_where=sa.text("covered_by IS NOT NULL"),
        postgresql_where=sa.text("covered_by IS NOT NULL"),
        if_not_exists=True,
    )
    if is_postgres:
        _index_texts(op.get_bind())


def downgrade() -> None:
    """Drop them; the extensions may be others' too."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"DROP INDEX IF EXISTS search_{table}")
    op.drop_index("ix_inbound_messages_covered_by", "inbound_messages")


def _index_texts(connection: sa.Connection) -> None:
    try:
        with connection.begin_nested():
            for name in EXTENSIONS:
                connection.execute(sa.text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
    except DBAPIError:
        _log.warning("search.not_indexed", why="no extensions", needed=EXTENSIONS)
        return
    try:
        with connection.begin_nested():
            for table in TABLES:
                connection.execute(
                    sa.text(
                        f"CREATE INDEX IF NOT EXISTS search_{table} ON {table} "
                        "USING gin (tenant_id, text gin_trgm_ops)"
                    )
                )
    except ProgrammingError:
        # Somebody keeps them in a schema that this user does not look into.
        _log.warning("search.not_indexed", why="extensions out of sight", needed=EXTENSIONS)

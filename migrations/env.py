"""Runs migrations on a connection that is handed in, or on the database of the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from server.settings import read_settings
from server.store.models import Base
from server.store.session import Database


def run(connection: Connection) -> None:
    """Migrate in one transaction; SQLite changes a table by making it anew."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    with Database(read_settings().database).engine.connect() as opened:
        run(opened)
        opened.commit()

"""Which calls were recorded."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete, update

from server.ports.clock import Clock
from server.store.models import RecordingRow
from server.store.session import Database

_NAME_BYTES = 16


class Recordings:
    """The ``RecordingStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, tenant_id: str, call_id: str) -> str:
        """A call is being recorded from now on."""
        name = secrets.token_hex(_NAME_BYTES)
        with self._database.write() as session:
            session.add(
                RecordingRow(name=name, tenant_id=tenant_id, call_id=call_id, begun_at=self._clock.now())
            )
        return name

    def finish(self, name: str, seconds: float) -> None:
        """The recording is whole."""
        with self._database.write() as session:
            session.execute(update(RecordingRow).where(RecordingRow.name == name).values(seconds=seconds))

    def forget(self, before: datetime) -> int:
        """Delete those that were begun before then."""
        with self._database.write() as session:
            deleted = session.scalars(
                delete(RecordingRow).where(RecordingRow.begun_at < before).returning(RecordingRow.name)
            )
            return len(deleted.all())

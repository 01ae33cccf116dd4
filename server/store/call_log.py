"""Read-only views of calls: what was said on them, and their recordings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.call_views import CallView, RecordingView, SpokenTurn
from server.domain.knowledge import Citation
from server.errors import NotFound
from server.store.call_turns import SPOKEN_TURNS
from server.store.models import CallRow, RecordingRow, TurnRow
from server.store.session import Database


class CallQueries:
    """The ``CallLog`` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def call(self, tenant_id: str, call_id: str) -> CallView:
        """A call of the tenant's; three queries.

        Raises:
            NotFound: the tenant has no such call.
        """
        with self._database.read() as session:
            row = session.get(CallRow, call_id)
            if row is None or row.tenant_id != tenant_id:
                raise NotFound("there is no such call")
            return CallView(
                id=row.id,
                tenant_id=row.tenant_id,
                conversation_id=row.conversation_id,
                caller=row.caller,
                called=row.called,
                started_at=row.started_at,
                ended_at=row.ended_at,
                ended_because=row.ended_because,
                seconds=row.seconds,
                turns=_turns(session, row.id),
                recordings=_recordings(session, row.id),
            )


def _turns(session: Session, call_id: str) -> Sequence[SpokenTurn]:
    rows = session.execute(
        SPOKEN_TURNS.where(TurnRow.call_id == call_id).order_by(TurnRow.started_at, TurnRow.committed_at)
    )
    return [_turn(row, told, words or "") for row, told, words in rows]


def _turn(row: TurnRow, told: str, words: str) -> SpokenTurn:
    return SpokenTurn(
        at=row.started_at,
        words=words,
        told=told,
        intended=row.intended,
        source=row.source,
        language=row.language,
        handover=row.handover,
        reason=row.reason,
        citations=[Citation(**citation) for citation in row.citations],
        steps_ms=row.steps_ms,
    )


def _recordings(session: Session, call_id: str) -> Sequence[RecordingView]:
    rows = session.scalars(
        select(RecordingRow)
        .where(RecordingRow.call_id == call_id)
        .order_by(RecordingRow.begun_at, RecordingRow.name)
    )
    return [RecordingView(row.name, row.begun_at, row.seconds) for row in rows]

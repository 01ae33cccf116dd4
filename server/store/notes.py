"""What staff tell one another about a conversation. It never leaves the house."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.phrases import Phrase
from server.domain.views import NoteView
from server.errors import UnprocessableRequest
from server.ports.clock import Clock
from server.store.locked import locked_conversation
from server.store.models import NoteRow
from server.store.session import Database

LONGEST_NOTE = 4_000
# Far more than stand between the messages of a page, so that one query is enough.
NOTES_ON_A_PAGE = 200


class Notes:
    """Keeps the notes of conversations."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, tenant_id: str, conversation_id: int, author: str, text: str) -> None:
        """Put *text* into the conversation, for the team alone.

        Raises:
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: it is empty or too long.
        """
        if not 0 < len(text) <= LONGEST_NOTE:
            raise UnprocessableRequest(
                Phrase("go back and write 1 to {most:,} characters", most=LONGEST_NOTE)
            )
        with self._database.write() as session:
            locked_conversation(session, tenant_id, conversation_id)
            session.add(
                NoteRow(
                    tenant_id=tenant_id,
                    conversation_id=conversation_id,
                    author=author,
                    text=text,
                    at=self._clock.now(),
                )
            )


def notes_between(
    session: Session,
    tenant_id: str,
    conversation_id: int,
    since: datetime | None,
    until: datetime | None,
) -> Sequence[NoteView]:
    """The notes of a conversation from *since* on and before *until*, newest first; None is no limit."""
    notes = select(NoteRow).where(NoteRow.tenant_id == tenant_id, NoteRow.conversation_id == conversation_id)
    if since is not None:
        notes = notes.where(NoteRow.at >= since)
    if until is not None:
        notes = notes.where(NoteRow.at < until)
    rows = session.scalars(notes.order_by(NoteRow.id.desc()).limit(NOTES_ON_A_PAGE))
    return [NoteView(row.id, row.at, row.author, row.text) for row in rows]


def move_notes(session: Session, leaving_id: int, staying_id: int) -> None:
    """Give a conversation's notes to the one that it is joined with."""
    session.execute(
        update(NoteRow).where(NoteRow.conversation_id == leaving_id).values(conversation_id=staying_id)
    )

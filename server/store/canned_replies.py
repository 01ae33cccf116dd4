"""The replies that a business's staff write often."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.canned import PLACEHOLDERS, CannedReply, unknown_placeholders
from server.domain.modes import Actor
from server.domain.phrases import Phrase
from server.errors import NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.models import CannedReplyRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

LONGEST_TITLE = 80
LONGEST_REPLY = 4_000
MOST_REPLIES = 200


class CannedReplies:
    """Lists and changes canned replies."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def all(self, tenant_id: str) -> Sequence[CannedReply]:
        """The tenant's, by their titles."""
        with self._database.read() as session:
            rows = session.scalars(select(CannedReplyRow).where(CannedReplyRow.tenant_id == tenant_id)).all()
        # Sorted here: databases disagree on the order of letters.
        return sorted((_to_reply(row) for row in rows), key=lambda reply: (reply.title.casefold(), reply.id))

    def get(self, tenant_id: str, reply_id: int) -> CannedReply:
        """Raises NotFound: the tenant has no such reply."""
        with self._database.read() as session:
            return _to_reply(_row(session, tenant_id, reply_id))

    def add(self, tenant_id: str, title: str, text: str, actor: Actor) -> int:
        """Add a reply; its id.

        Raises:
            NotFound: there is no such tenant.
            UnprocessableRequest: the message says what to mend.
        """
        title, text = _checked(title, text)
        with self._database.write() as session:
            # Locked: two that are added at once count one another.
            session.refresh(get_tenant_row(session, tenant_id), with_for_update=True)
            mine = CannedReplyRow.tenant_id == tenant_id
            if session.execute(select(func.count()).where(mine)).scalar_one() >= MOST_REPLIES:
                raise UnprocessableRequest(
                    Phrase("go back and delete a reply first: {most} is the most", most=MOST_REPLIES)
                )
            row = CannedReplyRow(tenant_id=tenant_id, title=title, text=text, updated_at=self._clock.now())
            session.add(row)
            session.flush()
            self._note(session, row, actor, "reply.added")
            return row.id

    def change(self, tenant_id: str, reply_id: int, title: str, text: str, actor: Actor) -> None:
        """Replace title and text.

        Raises:
            NotFound: the tenant has no such reply.
            UnprocessableRequest: the message says what to mend.
        """
        title, text = _checked(title, text)
        with self._database.write() as session:
            row = _row(session, tenant_id, reply_id)
            row.title, row.text, row.updated_at = title, text, self._clock.now()
            self._note(session, row, actor, "reply.changed")

    def delete(self, tenant_id: str, reply_id: int, actor: Actor) -> None:
        """Remove a reply.

        Raises:
            NotFound: the tenant has no such reply.
        """
        with self._database.write() as session:
            row = _row(session, tenant_id, reply_id)
            self._note(session, row, actor, "reply.deleted")
            session.delete(row)

    def _note(self, session: Session, row: CannedReplyRow, actor: Actor, action: str) -> None:
        add_audit(
            session, row.tenant_id, actor, action, f"reply {row.id}", self._clock.now(), title=row.title
        )


def _row(session: Session, tenant_id: str, reply_id: int) -> CannedReplyRow:
    row = session.get(CannedReplyRow, reply_id)
    if row is None or row.tenant_id != tenant_id:
        raise NotFound("there is no such reply")
    return row


def _to_reply(row: CannedReplyRow) -> CannedReply:
    return CannedReply(row.id, row.title, row.text)


def _checked(title: str, text: str) -> tuple[str, str]:
    title = " ".join(title.split())
    if not 0 < len(title) <= LONGEST_TITLE or not title.isprintable():
        raise UnprocessableRequest(
            Phrase("go back and give it a title of 1 to {most} characters", most=LONGEST_TITLE)
        )
    if not 0 < len(text) <= LONGEST_REPLY:
        raise UnprocessableRequest(Phrase("go back and write 1 to {most:,} characters", most=LONGEST_REPLY))
    unknown = unknown_placeholders(text)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise UnprocessableRequest(
            Phrase(
                "nothing is known as {unknown}; what can be filled in: {known}",
                unknown=", ".join(unknown),
                known=known,
            )
        )
    return title, text

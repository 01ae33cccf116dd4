"""A guest is one guest: WhatsApp's two names of a person joined, and two conversations made one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session, aliased

from server.domain.conversations import Lease, Mode
from server.domain.messages import GuestAddress, conversation_lane
from server.ports.clock import Clock
from server.ports.store import Merge
from server.store.drafts import move_drafts
from server.store.guests import find_conversation
from server.store.labels import move_labels
from server.store.leases import check_lease
from server.store.models import (
    CallRow,
    ConversationEventRow,
    ConversationRow,
    GuestRow,
    InboundRow,
    OutboxRow,
    QuestionRow,
    TurnRow,
)
from server.store.notes import move_notes
from server.store.session import Database


class Identities:
    """The ``IdentityStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def link(self, tenant_id: str, lid: str, phone: str) -> None:
        """The two JIDs are one person."""
        with self._database.write() as session:
            find_conversation(session, tenant_id, GuestAddress(reply_to=lid, lid=lid, phone=phone))

    def note_typing(self, tenant_id: str, jid: str, until: datetime | None) -> None:
        """The guest is writing, until *until* unless told again; None: has stopped."""
        with self._database.write() as session:
            guest = select(GuestRow.id).where(
                GuestRow.tenant_id == tenant_id, or_(GuestRow.lid == jid, GuestRow.phone == jid)
            )
            session.execute(
                update(ConversationRow)
                .where(ConversationRow.guest_id.in_(guest))
                .values(guest_typing_until=until)
            )

    def due_merges(self, limit: int) -> Sequence[int]:
        """Guests that turned out to be somebody whom we know under another row."""
        with self._database.read() as session:
            return session.scalars(
                select(GuestRow.id)
                .where(GuestRow.merge_into.is_not(None))
                # Along the index of those that merge: by their ids alone all guests would be read.
                .order_by(GuestRow.merge_into, GuestRow.id)
                .limit(limit)
            ).all()

    def find_merge(self, guest_id: int) -> Merge | None:
        """What is to be merged for the guest; None if nothing is."""
        leaving, staying = aliased(ConversationRow), aliased(ConversationRow)
        with self._database.read() as session:
            found = session.execute(
                select(leaving.id, staying.id)
                .join(GuestRow, GuestRow.id == leaving.guest_id)
                .join(staying, staying.guest_id == GuestRow.merge_into)
                .where(GuestRow.id == guest_id)
            ).one_or_none()
            return None if found is None else Merge(guest_id, leaving=found[0], staying=found[1])

    def merge(self, leases: Sequence[Lease], merge: Merge) -> None:
        """Make one conversation of two; what waits in either waits once."""
        with self._database.write() as session:
            for lease in leases:
                check_lease(session, lease)
            # Locked, so that a message that is being saved comes before the move or finds the new place.
            rows = session.scalars(
                select(ConversationRow)
                .where(ConversationRow.id.in_([merge.leaving, merge.staying]))
                .order_by(ConversationRow.id)
                .with_for_update()
            )
            conversations = {row.id: row for row in rows}
            if len(conversations) < 2:
                return
            leaving, staying = conversations[merge.leaving], conversations[merge.staying]
            _drop_repeats(session, leaving, staying)
            _move(session, leaving, staying)
            move_drafts(session, leaving.id, staying.id, self._clock.now())
            _join(leaving, staying)
            session.add(_event(leaving, staying, self._clock.now()))
            session.flush()
            session.execute(delete(ConversationRow).where(ConversationRow.id == leaving.id))
            session.execute(delete(GuestRow).where(GuestRow.id == merge.guest_id))


def _drop_repeats(session: Session, leaving: ConversationRow, staying: ConversationRow) -> None:
    """A message that came under both names is one message: handled if it was handled under either."""
    repeat, kept = aliased(InboundRow), aliased(InboundRow)
    pairs = session.execute(
        select(repeat, kept)
        .join(
            kept,
            and_(
                kept.tenant_id == repeat.tenant_id,
                kept.channel == repeat.channel,
                kept.from_me == repeat.from_me,
                kept.provider_id == repeat.provider_id,
            ),
        )
        .where(repeat.guest_id == leaving.guest_id, kept.guest_id == staying.guest_id)
    ).all()
    for gone, stays in pairs:
        if stays.handled_at is None:
            stays.handled_at, stays.covered_by = gone.handled_at, gone.covered_by
            stays.unanswered_because = gone.unanswered_because
        session.delete(gone)
    session.flush()


def _move(session: Session, leaving: ConversationRow, staying: ConversationRow) -> None:
    session.execute(
        update(InboundRow)
        .where(InboundRow.conversation_id == leaving.id)
        .values(conversation_id=staying.id, guest_id=staying.guest_id)
    )
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.conversation_id == leaving.id)
        .values(conversation_id=staying.id, lane=conversation_lane(staying.id))
    )
    for table in (TurnRow, CallRow, ConversationEventRow, QuestionRow):
        session.execute(
            update(table).where(table.conversation_id == leaving.id).values(conversation_id=staying.id)
        )
    move_notes(session, leaving.id, staying.id)
    move_labels(session, leaving, staying)


def _join(leaving: ConversationRow, staying: ConversationRow) -> None:
    """What was said last counts; a person at work in either is at work in both."""
    # What was new in either of them is new.
    staying.seen_inbound_id = min(staying.seen_inbound_id, leaving.seen_inbound_id)
    if leaving.last_message_at > staying.last_message_at:
        staying.last_message_at = leaving.last_message_at
        staying.offered = leaving.offered
        staying.language = leaving.language or staying.language
    needed = [one.needs_human_since for one in (staying, leaving) if one.needs_human_since is not None]
    in_danger = [one.danger_at for one in (staying, leaving) if one.is_urgent and one.danger_at is not None]
    staying.needs_human_since = min(needed, default=None)
    staying.danger_at = max(in_danger, default=None)
    if Mode(staying.mode) is Mode.AI and Mode(leaving.mode) is not Mode.AI:
        staying.mode, staying.mode_by = leaving.mode, leaving.mode_by
        staying.hand_back_at = leaving.hand_back_at


def _event(leaving: ConversationRow, staying: ConversationRow, now: datetime) -> ConversationEventRow:
    return ConversationEventRow(
        tenant_id=staying.tenant_id,
        conversation_id=staying.id,
        kind="merge",
        actor="whatsapp",
        details={"conversation": leaving.id},
        at=now,
    )

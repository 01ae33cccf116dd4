"""All that is kept of one guest: handed out, and erased.

Erased is every row that belongs to the guest's conversation, and what staff were told of it. There stay the
sums of what models cost a business a day, and calls to models without the turn that they were made for.
Documents of knowledge stay: they are the business's own, whoever's question they were written for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Table, delete, func, or_, select, union, update
from sqlalchemy.orm import Session

from server.domain.audit import AuditAction
from server.domain.conversations import Lease, conversation_key, lane_key
from server.domain.messages import MEDIA, Channel, OutboundKind, conversation_lane, media_of
from server.domain.modes import Actor
from server.domain.phrases import Phrase
from server.domain.views import GuestView
from server.errors import Conflict, NotFound
from server.ports.clock import Clock
from server.ports.guests import Holdings
from server.store.audit import add_audit
from server.store.leases import check_lease
from server.store.models import (
    Base,
    CallRow,
    ConversationEventRow,
    ConversationRow,
    DraftRow,
    GuestRow,
    InboundRow,
    LabelRow,
    ModelCallRow,
    NoteRow,
    OutboxRow,
    QuestionRow,
    RecordingRow,
    TenantRow,
    TurnRow,
    table_of,
)
from server.store.session import Database
from server.store.tenants import to_tenant
from server.store.views import to_guest_view
from server.translations import plain_text, told_in

# Twilio hangs up by then: a call without an end is one of which it has not told.
LONGEST_CALL = timedelta(hours=4)
# Whatever belongs to a conversation, those first that refer to others.
_OF_CONVERSATIONS = [
    table for table in reversed(Base.metadata.sorted_tables) if "conversation_id" in table.columns
]
# How the desk does its work, which tells nothing of the guest; and secrets.
_INTERNAL = frozenset({
    "tenant_id", "lane", "sequence", "attempts", "due_at", "continue_at", "next_step", "to_say", "token_hash",
    "token_until", "merge_into", "seen_inbound_id", "guest_typing_until", "offered",
})  # fmt: skip

# Of a report that quoted the guest among others.
_ERASED = (
    Phrase("Morning report"),
    Phrase("It quoted a guest who has been erased since. The console shows it without them."),
)


@dataclass(frozen=True, slots=True)
class GuestSummary:
    """A guest, and how much is kept: rows by kind, files that were sent along, and recordings."""

    guest: GuestView
    conversation_ids: Sequence[int]
    counts: Mapping[str, int]


class GuestData:
    """The ``GuestDataStore`` port, and what staff see of it."""

    # What is handed out, by its name in the file.
    EXPORTED: ClassVar[Mapping[str, type[Base]]] = {
        "messages_in": InboundRow,
        "messages_out": OutboxRow,
        "turns": TurnRow,
        "calls": CallRow,
        "events": ConversationEventRow,
        "notes": NoteRow,
        "labels": LabelRow,
        "drafts": DraftRow,
        "questions": QuestionRow,
    }

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def summary(self, tenant_id: str, guest_id: int) -> GuestSummary:
        """How much is kept of the guest.

        Raises:
            NotFound: the tenant has no such guest.
        """
        with self._database.read() as session:
            guests = _same_person(session, tenant_id, guest_id)
            conversations = _conversation_ids(session, guests)
            counts = {name: _count(session, table, conversations) for name, table in self.EXPORTED.items()}
            counts["files"] = len(_sent_along(session, conversations))
            counts["recordings"] = len(_recordings(session, conversations))
            guest = next(guest for guest in guests if guest.id == guest_id)
            return GuestSummary(to_guest_view(guest), conversations, counts)

    def export(self, tenant_id: str, guest_id: int, actor: Actor) -> Mapping[str, Any]:
        """All that is kept of the guest, by kind, oldest first."""
        now = self._clock.now()
        with self._database.write() as session:
            guests = _same_person(session, tenant_id, guest_id)
            conversations = _conversation_ids(session, guests)
            exported = {
                "exported_at": now.isoformat(),
                "business": to_tenant(session.get_one(TenantRow, tenant_id)).settings.name,
                "guests": [_plain(guest) for guest in guests],
                "conversations": _of(session, ConversationRow, ConversationRow.id, conversations),
                **{
                    name: _of(session, table, table.__table__.c.conversation_id, conversations)
                    for name, table in self.EXPORTED.items()
                },
                "files": _sent_along(session, conversations),
                "recordings": [_plain(row) for row in _recordings(session, conversations)],
                "told_to_staff": [
                    _plain(row)
                    for row in _notices(session, tenant_id, guests, conversations)
                    # That quotes other guests too.
                    if row.kind != OutboundKind.REPORT
                ],
            }
            subject = f"guest {guest_id}"
            add_audit(session, tenant_id, actor, AuditAction.GUEST_EXPORTED, subject, now)
        return exported

    def holdings(self, tenant_id: str, guest_id: int) -> Holdings:
        """What must be held to erase the guest."""
        with self._database.read() as session:
            guests = _same_person(session, tenant_id, guest_id)
            return _holdings(session, tenant_id, guests, self._clock.now())

    def erase(self, leases: Sequence[Lease], tenant_id: str, guest_id: int, actor: Actor) -> Holdings:
        """Delete all of the guest's, in one transaction."""
        now = self._clock.now()
        with self._database.write() as session:
            for lease in leases:
                check_lease(session, lease)
            guests = _same_person(session, tenant_id, guest_id)
            conversations = _conversation_ids(session, guests)
            # A message that is being saved comes before this, or finds nobody and makes a new guest.
            session.scalars(
                select(ConversationRow.id)
                .where(ConversationRow.id.in_(conversations))
                .order_by(ConversationRow.id)
                .with_for_update()
            ).all()
            found = _holdings(session, tenant_id, guests, now)
            if not {lease.key for lease in leases} >= set(found.lease_keys):
                raise Conflict(Phrase("more has come in at this moment: try again"))
            notices = [row.id for row in _notices(session, tenant_id, guests, conversations)]
            # A report's row stays, as it tells that the day's has been sent.
            is_report = OutboxRow.kind == OutboundKind.REPORT
            reports = update(OutboxRow).where(OutboxRow.id.in_(notices), is_report)
            settings = to_tenant(session.get_one(TenantRow, tenant_id)).settings
            session.execute(reports.values(text=plain_text(_ERASED, told_in(settings))))
            session.execute(delete(OutboxRow).where(OutboxRow.id.in_(notices), ~is_report))
            _delete_conversations(session, conversations)
            session.execute(delete(GuestRow).where(GuestRow.id.in_([guest.id for guest in guests])))
            add_audit(session, tenant_id, actor, AuditAction.GUEST_ERASED, f"guest {guest_id}", now)
        return found


def _same_person(session: Session, tenant_id: str, guest_id: int) -> Sequence[GuestRow]:
    """The guest, and the other rows that are known to be the same person and wait to be joined."""
    guest = session.get(GuestRow, guest_id)
    if guest is None or guest.tenant_id != tenant_id:
        raise NotFound("there is no such guest")
    known: list[GuestRow] = []
    found = [guest]
    # One may wait to be joined with another that waits itself.
    while len(found) > len(known):
        known = found
        ids = {row.id for row in known} | {row.merge_into for row in known if row.merge_into is not None}
        same = select(GuestRow).where(
            GuestRow.tenant_id == tenant_id, or_(GuestRow.id.in_(ids), GuestRow.merge_into.in_(ids))
        )
        found = list(session.scalars(same.order_by(GuestRow.id)))
    return found


def _conversation_ids(session: Session, guests: Sequence[GuestRow]) -> Sequence[int]:
    of_them = ConversationRow.guest_id.in_([guest.id for guest in guests])
    return session.scalars(select(ConversationRow.id).where(of_them).order_by(ConversationRow.id)).all()


def _holdings(session: Session, tenant_id: str, guests: Sequence[GuestRow], now: datetime) -> Holdings:
    """Raises Conflict while the guest is on the phone."""
    conversations = _conversation_ids(session, guests)
    _refuse_calls(session, conversations, now)
    notices = _notices(session, tenant_id, guests, conversations)
    lanes = {conversation_lane(conversation_id) for conversation_id in conversations}
    lanes |= {row.lane for row in notices}
    return Holdings(
        lease_keys=sorted({*map(conversation_key, conversations), *map(lane_key, lanes)}),
        message_ids=_sent_along(session, conversations),
        recordings=[row.name for row in _recordings(session, conversations)],
        addresses=_addresses(session, guests, conversations),
        told_ids=[row.message_id for row in notices if row.channel == Channel.WHATSAPP],
    )


def _addresses(session: Session, guests: Sequence[GuestRow], conversations: Sequence[int]) -> Sequence[str]:
    """The JIDs of somebody who was on WhatsApp; none of one who never was."""
    came = select(InboundRow.reply_to).where(
        InboundRow.conversation_id.in_(conversations), InboundRow.channel == Channel.WHATSAPP
    )
    left = select(OutboxRow.to_address).where(
        OutboxRow.conversation_id.in_(conversations), OutboxRow.channel == Channel.WHATSAPP
    )
    used = set(session.scalars(union(came, left)))
    if not used:
        return []
    known = {name for guest in guests for name in (guest.phone, guest.lid) if name is not None}
    return sorted(used | known)


def _sent_along(session: Session, conversations: Sequence[int]) -> Sequence[int]:
    """The messages that came with a file."""
    rows = session.execute(
        select(InboundRow.id, InboundRow.details)
        .where(InboundRow.conversation_id.in_(conversations))
        .order_by(InboundRow.id)
    )
    return [message_id for message_id, details in rows if media_of(details) is not None]


def _count(session: Session, table: type[Base], conversations: Sequence[int]) -> int:
    of_them = table.__table__.c.conversation_id.in_(conversations)
    return session.scalar(select(func.count()).select_from(table).where(of_them)) or 0


def _refuse_calls(session: Session, conversations: Sequence[int], now: datetime) -> None:
    calls = select(CallRow.id).where(
        CallRow.conversation_id.in_(conversations),
        # The end of one that was cut off may still be answered in writing.
        or_(CallRow.ended_at.is_(None), CallRow.continue_at.is_not(None)),
        CallRow.started_at > now - LONGEST_CALL,
    )
    if session.scalars(calls.limit(1)).first() is not None:
        raise Conflict(Phrase("the guest is on the phone, or was a moment ago: try again after the call"))


def _recordings(session: Session, conversations: Sequence[int]) -> Sequence[RecordingRow]:
    calls = select(CallRow.id).where(CallRow.conversation_id.in_(conversations))
    recordings = select(RecordingRow).where(RecordingRow.call_id.in_(calls))
    return session.scalars(recordings.order_by(RecordingRow.begun_at, RecordingRow.name)).all()


def _notices(
    session: Session, tenant_id: str, guests: Sequence[GuestRow], conversations: Sequence[int]
) -> Sequence[OutboxRow]:
    """What staff were told of these guests: it belongs to no conversation and quotes one all the same."""
    marks = [*_links(conversations), *_numbers(guests)]
    if not marks:
        return []
    rows = session.scalars(
        select(OutboxRow)
        .where(
            OutboxRow.tenant_id == tenant_id,
            OutboxRow.conversation_id.is_(None),
            or_(*(OutboxRow.text.contains(mark, autoescape=True) for mark in marks)),
        )
        .order_by(OutboxRow.id)
    )
    # Of 12 and 123 each is meant alone.
    whole = re.compile("|".join(rf"(?<!\d){re.escape(mark)}(?!\d)" for mark in marks))
    return [row for row in rows if whole.search(row.text)]


def _links(conversations: Sequence[int]) -> Iterator[str]:
    for conversation_id in conversations:
        yield f"/console/conversations/{conversation_id}"


def _numbers(guests: Sequence[GuestRow]) -> Iterator[str]:
    for guest in guests:
        for name in (guest.phone, guest.lid):
            # A JID begins with its digits.
            digits = re.match(r"\d+", name or "")
            if digits is not None:
                yield digits[0]


def _delete_conversations(session: Session, conversations: Sequence[int]) -> None:
    turns = select(TurnRow.id).where(TurnRow.conversation_id.in_(conversations))
    session.execute(
        update(ModelCallRow)
        .where(ModelCallRow.turn_id.in_(turns))
        .values(turn_id="")
        .execution_options(synchronize_session=False)
    )
    calls = select(CallRow.id).where(CallRow.conversation_id.in_(conversations))
    session.execute(
        delete(RecordingRow)
        .where(RecordingRow.call_id.in_(calls))
        .execution_options(synchronize_session=False)
    )
    for table in _OF_CONVERSATIONS:
        session.execute(delete(table).where(table.c.conversation_id.in_(conversations)))
    session.execute(delete(table_of(ConversationRow)).where(ConversationRow.id.in_(conversations)))


def _of(session: Session, table: type[Base], column: Any, ids: Sequence[int]) -> list[Any]:
    """The rows of *table* whose *column* is among *ids*, oldest first as far as it numbers them."""
    order = list(table.__table__.primary_key)
    return [_plain(row) for row in session.scalars(select(table).where(column.in_(ids)).order_by(*order))]


def _plain(row: Base) -> dict[str, Any]:
    """A row as JSON has it."""
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - no class of ours maps anything else
    values = {column.key: getattr(row, column.key) for column in table.columns if column.key not in _INTERNAL}
    return {name: _shown(value) for name, value in values.items() if value not in (None, "")}


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        # What opens the file on WhatsApp's servers; the file itself is listed by its message's id.
        return {name: part for name, part in value.items() if name != MEDIA}
    return value

"""Read-only views for the console. Every query names the tenant; none grows with the rows of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from server.domain.call_views import RecordingView
from server.domain.conversations import Mode, Speaker
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.knowledge import Citation
from server.domain.messages import (
    TRANSCRIPT,
    Channel,
    DeliveryState,
    MessageKind,
    OutboundKind,
    file_name_of,
    media_of,
)
from server.domain.modes import EventKind
from server.domain.views import (
    CallLine,
    ConversationPage,
    ConversationSummary,
    EventView,
    FileOrigin,
    GuestView,
    InboundView,
    OutboundView,
    Preview,
    ThreadLine,
    ThreadPage,
    TurnView,
    Wanted,
)
from server.errors import NotFound
from server.ports.conversations import CONVERSATIONS_ON_A_PAGE, LINES_ON_A_PAGE
from server.store.models import (
    CallRow,
    ConversationEventRow,
    ConversationRow,
    GuestRow,
    InboundRow,
    OutboxRow,
    RecordingRow,
    TurnRow,
    UtcDateTime,
)
from server.store.session import Database

# Far more than happens between the lines of a page, so that one query is enough.
EVENTS_ON_A_PAGE = 200
# What is asked most is looked for among so many of the newest messages, however many there are in all.
LATELY = 20_000
LONGEST_ASKED = 200
# So many guests make a question a common one.
ASKED_BY = 3

Message = TypeVar("Message", InboundRow, OutboxRow)

# A conversation, its guest, and its newest message of each table.
Found = Row[ConversationRow, GuestRow, InboundRow | None, OutboxRow | None]


class ConsoleQueries:
    """What the console reads, and the ``ConversationLog`` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def conversations(
        self,
        tenant_id: str,
        wanted: Wanted,
        before: ListCursor | None,
        limit: int = CONVERSATIONS_ON_A_PAGE,
    ) -> ConversationPage:
        """A page of the tenant's conversations, newest first. One query."""
        query = _with_newest_messages(tenant_id, wanted.channel)
        if wanted.needs_human:
            query = query.where(ConversationRow.needs_human)
        if wanted.mode is not None:
            query = query.where(ConversationRow.mode == wanted.mode)
        if wanted.language is not None:
            query = query.where(ConversationRow.language == wanted.language)
        if wanted.text:
            query = query.where(_holds(tenant_id, wanted.text))
        if before is not None:
            place = tuple_(literal(before.at, UtcDateTime()), literal(before.id))
            query = query.where(tuple_(ConversationRow.last_message_at, ConversationRow.id) < place)
        query = query.order_by(ConversationRow.last_message_at.desc(), ConversationRow.id.desc())
        with self._database.read() as session:
            rows = session.execute(query.limit(limit + 1)).all()
        page = [_to_summary(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return ConversationPage(page, None)
        return ConversationPage(page, str(ListCursor(page[-1].last_message_at, page[-1].id)))

    def most_asked(self, tenant_id: str, limit: int) -> Sequence[tuple[Channel, str]]:
        """What several guests have lately written word for word, the commonest first."""
        times = func.count()
        newest = select(func.max(InboundRow.id)).scalar_subquery()
        query = (
            select(InboundRow.channel, InboundRow.text)
            .where(
                InboundRow.id > newest - LATELY,
                InboundRow.tenant_id == tenant_id,
                InboundRow.kind == MessageKind.TEXT,
                InboundRow.from_me.is_(False),
                func.length(InboundRow.text) <= LONGEST_ASKED,
            )
            .group_by(InboundRow.channel, InboundRow.text)
            .having(func.count(InboundRow.conversation_id.distinct()) >= ASKED_BY)
            .order_by(times.desc(), InboundRow.text)
            .limit(limit)
        )
        with self._database.read() as session:
            return [(Channel(channel), text) for channel, text in session.execute(query)]

    def thread(
        self,
        tenant_id: str,
        conversation_id: int,
        before: ThreadCursor = NEWEST,
        limit: int = LINES_ON_A_PAGE,
    ) -> ThreadPage:
        """The newest lines of a conversation, or those before a cursor; seven queries, nine with a cursor.

        Args:
            limit: messages on the page. What happened between them comes on top.

        Raises:
            NotFound: the tenant has no such conversation.
        """
        with self._database.read() as session:
            conversation = session.execute(
                _with_newest_messages(tenant_id).where(ConversationRow.id == conversation_id)
            ).one_or_none()
            if conversation is None:
                raise NotFound("there is no such conversation")
            came_in = session.scalars(
                _newest_first(InboundRow, tenant_id, conversation_id, before.inbound_id, limit + 1)
            ).all()
            went_out = session.scalars(
                _newest_first(OutboxRow, tenant_id, conversation_id, before.outbox_id, limit + 1)
            ).all()
            rows = list(_merged(came_in, went_out))
            shown = rows[:limit]
            has_older = len(rows) > limit
            lines = list(_to_lines(session, tenant_id, conversation_id, shown)[::-1])
            since = lines[0].at if has_older else None
            until = None if before == NEWEST else _page_end(session, tenant_id, conversation_id, before)
            events = session.scalars(_events(tenant_id, conversation_id, since, until)).all()
            calls = session.execute(_calls(tenant_id, conversation_id, since, until)).all()
        older = str(_cursor_after(shown, before)) if has_older else None
        between: list[EventView | CallLine] = [*_to_calls(calls), *(_to_event(row) for row in events)]
        between.sort(key=lambda one: one.at, reverse=True)
        return ThreadPage(_to_summary(conversation), list(_woven(lines, between)), older)

    def file_origin(self, tenant_id: str, conversation_id: int, message_id: int) -> FileOrigin:
        """The message of the conversation's that came with a file.

        Raises:
            NotFound: the tenant has no such message there, or it came without one.
        """
        with self._database.read() as session:
            row = session.get(InboundRow, message_id)
            is_theirs = row is not None and (row.tenant_id, row.conversation_id) == (
                tenant_id,
                conversation_id,
            )
            if row is None or not is_theirs or media_of(row.details) is None:
                raise NotFound("there is no such file")
            return FileOrigin(row.received_at, file_name_of(row.details), row.details)


def _with_newest_messages(
    tenant_id: str, channel: Channel | None = None
) -> Select[ConversationRow, GuestRow, InboundRow | None, OutboxRow | None]:
    """Conversations; with *channel* those whose newest message came or went over it."""
    newest_in, newest_out = aliased(InboundRow), aliased(OutboxRow)
    query = (
        select(ConversationRow, GuestRow, newest_in, newest_out)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .outerjoin(newest_in, newest_in.id == _newest_id(InboundRow))
        .outerjoin(newest_out, newest_out.id == _newest_id(OutboxRow))
        .where(ConversationRow.tenant_id == tenant_id)
    )
    if channel is None:
        return query
    is_answered = newest_out.committed_at >= newest_in.received_at
    over = case(
        (newest_in.id.is_(None) | is_answered, newest_out.channel),
        else_=newest_in.channel,
    )
    return query.where(over == channel)


def _newest_id(table: type[Message]) -> ScalarSelect[int]:
    # One step into the index (conversation_id, id), however long the conversation is.
    return (
        select(table.id)
        .where(table.conversation_id == ConversationRow.id, table.tenant_id == ConversationRow.tenant_id)
        .order_by(table.id.desc())
        .limit(1)
        .correlate(ConversationRow)
        .scalar_subquery()
    )


def _holds(tenant_id: str, text: str) -> ColumnElement[bool]:
    places = [
        GuestRow.name.icontains(text, autoescape=True),
        GuestRow.chat_key.icontains(text, autoescape=True),
        *(
            ConversationRow.id.in_(
                select(table.conversation_id).where(
                    table.tenant_id == tenant_id, table.text.icontains(text, autoescape=True)
                )
            )
            for table in (InboundRow, OutboxRow)
        ),
    ]
    if re.fullmatch(r"[+\d\s().-]+", text):
        # As people write numbers: 054-123 4567 is kept as 972541234567@s.whatsapp.net.
        digits = re.sub(r"\D", "", text).lstrip("0")
        if digits:
            places.append(GuestRow.phone.contains(digits))
    return or_(*places)


def _newest_first(
    table: type[Message], tenant_id: str, conversation_id: int, before_id: int, limit: int
) -> Select[Message]:
    return (
        select(table)
        .where(table.tenant_id == tenant_id, table.conversation_id == conversation_id, table.id < before_id)
        .order_by(table.id.desc())
        .limit(limit)
    )


def _merged(came_in: Sequence[InboundRow], went_out: Sequence[OutboxRow]) -> Iterator[InboundRow | OutboxRow]:
    """Both, newest first. Each keeps its own order even where its times do not: a cursor can rely on it."""
    inbound, outbound = list(came_in[::-1]), list(went_out[::-1])
    while inbound or outbound:
        if not outbound or (inbound and inbound[-1].received_at > outbound[-1].committed_at):
            yield inbound.pop()
        else:
            yield outbound.pop()


def _cursor_after(shown: Sequence[InboundRow | OutboxRow], before: ThreadCursor) -> ThreadCursor:
    # Where a page shows nothing of a table, the table's place stays where it was.
    inbound = [row.id for row in shown if isinstance(row, InboundRow)]
    outbox = [row.id for row in shown if isinstance(row, OutboxRow)]
    return ThreadCursor(min(inbound, default=before.inbound_id), min(outbox, default=before.outbox_id))


def _page_end(
    session: Session, tenant_id: str, conversation_id: int, before: ThreadCursor
) -> datetime | None:
    """When the oldest line of the page was written that *before* is the end of."""
    times = [
        session.scalars(
            select(column).where(
                table.id == row_id, table.tenant_id == tenant_id, table.conversation_id == conversation_id
            )
        ).one_or_none()
        for table, column, row_id in (
            (InboundRow, InboundRow.received_at, before.inbound_id),
            (OutboxRow, OutboxRow.committed_at, before.outbox_id),
        )
    ]
    return min((at for at in times if at is not None), default=None)


def _events(
    tenant_id: str, conversation_id: int, since: datetime | None, until: datetime | None
) -> Select[ConversationEventRow]:
    events = select(ConversationEventRow).where(
        ConversationEventRow.tenant_id == tenant_id, ConversationEventRow.conversation_id == conversation_id
    )
    if since is not None:
        events = events.where(ConversationEventRow.at >= since)
    if until is not None:
        events = events.where(ConversationEventRow.at < until)
    return events.order_by(ConversationEventRow.id.desc()).limit(EVENTS_ON_A_PAGE)


def _calls(
    tenant_id: str, conversation_id: int, since: datetime | None, until: datetime | None
) -> Select[CallRow, RecordingRow | None]:
    """Calls newest first, each with its recordings, oldest first."""
    calls = (
        select(CallRow, RecordingRow)
        .outerjoin(RecordingRow, RecordingRow.call_id == CallRow.id)
        .where(CallRow.tenant_id == tenant_id, CallRow.conversation_id == conversation_id)
    )
    if since is not None:
        calls = calls.where(CallRow.started_at >= since)
    if until is not None:
        calls = calls.where(CallRow.started_at < until)
    return calls.order_by(CallRow.started_at.desc(), CallRow.id, RecordingRow.begun_at).limit(
        EVENTS_ON_A_PAGE
    )


def _to_calls(rows: Sequence[Row[CallRow, RecordingRow | None]]) -> Iterator[CallLine]:
    for call, found in groupby(rows, key=lambda row: row[0]):
        recordings = [
            RecordingView(one.name, one.begun_at, one.seconds) for _, one in found if one is not None
        ]
        yield CallLine(id=call.id, at=call.started_at, seconds=call.seconds, recordings=recordings)


def _woven(lines: Sequence[ThreadLine], newest_first: Sequence[EventView | CallLine]) -> Iterator[ThreadLine]:
    """Both, oldest first. Messages keep their own order even where their times do not."""
    waiting = list(newest_first)
    for line in lines:
        while waiting and waiting[-1].at <= line.at:
            yield waiting.pop()
        yield line
    yield from waiting[::-1]


def _to_lines(
    session: Session, tenant_id: str, conversation_id: int, rows: Sequence[InboundRow | OutboxRow]
) -> Sequence[ThreadLine]:
    outbox = [row for row in rows if isinstance(row, OutboxRow)]
    turns = session.scalars(
        select(TurnRow).where(
            TurnRow.tenant_id == tenant_id, TurnRow.id.in_([row.turn_id for row in outbox if row.turn_id])
        )
    )
    turn_by_id = {turn.id: turn for turn in turns}
    wrote_at = _guest_wrote_at(session, tenant_id, conversation_id, [row.id for row in outbox])
    return [
        _to_inbound(row)
        if isinstance(row, InboundRow)
        else _to_outbound(row, turn_by_id.get(row.turn_id or ""), wrote_at.get(row.id))
        for row in rows
    ]


def _guest_wrote_at(
    session: Session, tenant_id: str, conversation_id: int, outbox_ids: Sequence[int]
) -> dict[int, datetime]:
    rows = session.execute(
        select(InboundRow.covered_by, func.min(InboundRow.received_at))
        .where(
            InboundRow.tenant_id == tenant_id,
            # What the index is for: a reply covers messages of its own conversation only.
            InboundRow.conversation_id == conversation_id,
            InboundRow.covered_by.in_(outbox_ids),
        )
        .group_by(InboundRow.covered_by)
    )
    return {outbox_id: at for outbox_id, at in rows if outbox_id is not None}


def _to_summary(found: Found) -> ConversationSummary:
    conversation, guest, came_in, went_out = found
    newest = next(_merged([came_in] if came_in else [], [went_out] if went_out else []), None)
    fallback = Channel.CHAT if guest.chat_key else Channel.WHATSAPP
    return ConversationSummary(
        id=conversation.id,
        guest=_to_guest(guest),
        channel=Channel(newest.channel) if newest is not None else fallback,
        mode=Mode(conversation.mode),
        hand_back_at=conversation.hand_back_at,
        needs_human=conversation.needs_human,
        language=conversation.language,
        last_message_at=conversation.last_message_at,
        new_message_id=_new_message_id(conversation, came_in),
        preview=None if newest is None else _to_preview(newest),
    )


def _new_message_id(conversation: ConversationRow, newest: InboundRow | None) -> int | None:
    if newest is None or newest.from_me or newest.id <= conversation.seen_inbound_id:
        return None
    return newest.id


def _to_guest(row: GuestRow) -> GuestView:
    # A JID: digits, perhaps a device after a colon, and the server.
    digits = re.match(r"\d+", row.phone or "")
    return GuestView(
        id=row.id,
        name=row.name,
        phone=f"+{digits[0]}" if digits else None,
        chat_key=row.chat_key,
    )


def _to_preview(row: InboundRow | OutboxRow) -> Preview:
    if isinstance(row, OutboxRow):
        return Preview(Speaker.HOST, MessageKind.TEXT, row.text, DeliveryState(row.state))
    speaker = Speaker.HOST if row.from_me else Speaker.GUEST
    return Preview(speaker, MessageKind(row.kind), row.text, None)


def _to_inbound(row: InboundRow) -> InboundView:
    return InboundView(
        id=row.id,
        at=row.received_at,
        sent_at=row.sent_at,
        kind=MessageKind(row.kind),
        text=row.text,
        quoted_text=None if row.quoted is None else row.quoted.get("text"),
        from_me=row.from_me,
        is_waiting=row.handled_at is None,
        unanswered_because=row.unanswered_because,
        is_automatic=bool(row.details.get("automatic")),
        has_file=media_of(row.details) is not None,
        file_name=file_name_of(row.details),
        is_transcript=bool(row.details.get(TRANSCRIPT)),
    )


def _to_event(row: ConversationEventRow) -> EventView:
    mode = row.details.get("mode")
    return EventView(
        at=row.at, kind=EventKind(row.kind), actor=row.actor, mode=None if mode is None else Mode(mode)
    )


def _to_outbound(row: OutboxRow, turn: TurnRow | None, guest_wrote_at: datetime | None) -> OutboundView:
    return OutboundView(
        id=row.id,
        message_id=row.message_id,
        at=row.committed_at,
        kind=OutboundKind(row.kind),
        text=row.text,
        state=DeliveryState(row.state),
        reason=row.reason,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        guest_wrote_at=guest_wrote_at,
        is_spoken=row.channel == Channel.VOICE,
        turn=None if turn is None else _to_turn(turn),
    )


def _to_turn(row: TurnRow) -> TurnView:
    return TurnView(
        source=row.source,
        language=row.language,
        handover=row.handover,
        reason=row.reason,
        citations=[Citation(**citation) for citation in row.citations],
        timings_ms=row.timings_ms,
        analysis=row.analysis or {},
    )

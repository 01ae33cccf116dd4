"""Read-only views for the console. Every query names the tenant; none grows with the rows of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from server.domain.call_views import RecordingView
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.messages import (
    Channel,
    MessageKind,
    file_name_of,
    media_of,
)
from server.domain.views import (
    CallLine,
    ConversationPage,
    EventView,
    FileOrigin,
    NoteView,
    OutboundView,
    ThreadLine,
    ThreadPage,
    Wanted,
)
from server.errors import NotFound
from server.ports.conversations import CONVERSATIONS_ON_A_PAGE, LINES_ON_A_PAGE
from server.store.guests_only import is_from_a_guests_thread
from server.store.labels import assigned_to, labelled, marks_of
from server.store.models import (
    CallRow,
    ConversationEventRow,
    ConversationRow,
    InboundRow,
    OutboxRow,
    RecordingRow,
    TurnRow,
)
from server.store.notes import notes_between
from server.store.search import gather, in_messages_or_notes, in_name_or_number
from server.store.session import Database
from server.store.summaries import (
    Message,
    in_order,
    is_new,
    is_one_of,
    marked,
    merged,
    places,
    to_summary,
    walk,
    with_newest_messages,
)
from server.store.views import to_event, to_inbound, to_outbound

# Far more than happens between the lines of a page, so that one query is enough.
EVENTS_ON_A_PAGE = 200
# What is asked most is looked for among so many of the newest messages, however many there are in all.
LATELY = 20_000
LONGEST_ASKED = 200
# So many guests make a question a common one.
ASKED_BY = 3

# What stands between the messages of a thread.
Between = EventView | CallLine | NoteView
# The notes of a tenant's conversation from one time to another.
NotesOf = Callable[[Session, str, int, datetime | None, datetime | None], Sequence[NoteView]]


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
        """A page of the tenant's conversations, newest first. Two queries, three for those of one label.

        What only messages tell (a text, the channel of the newest, whether staff have seen it) takes a few
        more, for which see `server.store.summaries.walk` and `server.store.search.gather`.
        """
        quick, slow = self._quick(tenant_id, wanted), [is_new()] if wanted.is_new else []
        with self._database.read() as session:
            if wanted.text:
                on_guest = in_name_or_number(wanted.text)
                known = gather(session, tenant_id, wanted.text)
                if known is None:
                    slow.append(or_(on_guest, in_messages_or_notes(tenant_id, wanted.text)))
                else:
                    quick.append(or_(on_guest, is_one_of(known)))
            newest = with_newest_messages(tenant_id, wanted.channel).where(*slow)
            if slow or wanted.channel is not None:
                rows = walk(session, quick, newest, before, limit + 1)
            else:
                ids = places(quick, before).limit(limit + 1).with_only_columns(ConversationRow.id)
                rows = session.execute(in_order(newest.where(ConversationRow.id.in_(ids)))).all()
            marks = marks_of(session, tenant_id, [row[0].id for row in rows[:limit]])
        page = marked([to_summary(row) for row in rows[:limit]], marks)
        if len(rows) <= limit:
            return ConversationPage(page, None)
        return ConversationPage(page, str(ListCursor(page[-1].last_message_at, page[-1].id)))

    def _quick(self, tenant_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
        """What the conversations' own rows tell, or a list of few."""
        conditions = [ConversationRow.tenant_id == tenant_id]
        if wanted.needs_human:
            conditions.append(ConversationRow.needs_human_since.is_not(None))
        if wanted.mode is not None:
            conditions.append(ConversationRow.mode == wanted.mode)
        if wanted.language is not None:
            conditions.append(ConversationRow.language == wanted.language)
        if wanted.label:
            conditions.append(labelled(self._database, tenant_id, wanted.label))
        if wanted.assigned is not None:
            conditions.append(assigned_to(wanted.assigned))
        return conditions

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
                # Nor is it a guest's what staff try.
                is_from_a_guests_thread(),
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
        """The newest lines of a conversation, or those before a cursor, as the guest may see them; eight
        queries, ten with a cursor.

        Args:
            limit: messages on the page. What happened between them comes on top.

        Raises:
            NotFound: the tenant has no such conversation.
        """
        return self._thread(tenant_id, conversation_id, before, limit, _no_notes)

    def thread_with_notes(
        self,
        tenant_id: str,
        conversation_id: int,
        before: ThreadCursor = NEWEST,
        limit: int = LINES_ON_A_PAGE,
    ) -> ThreadPage:
        """As `thread`, with what staff told one another; one query more."""
        return self._thread(tenant_id, conversation_id, before, limit, notes_between)

    def _thread(
        self, tenant_id: str, conversation_id: int, before: ThreadCursor, limit: int, notes_of: NotesOf
    ) -> ThreadPage:
        with self._database.read() as session:
            conversation = session.execute(
                with_newest_messages(tenant_id).where(ConversationRow.id == conversation_id)
            ).one_or_none()
            if conversation is None:
                raise NotFound("there is no such conversation")
            came_in = session.scalars(
                _newest_first(InboundRow, tenant_id, conversation_id, before.inbound_id, limit + 1)
            ).all()
            went_out = session.scalars(
                _newest_first(OutboxRow, tenant_id, conversation_id, before.outbox_id, limit + 1)
            ).all()
            rows = list(merged(came_in, went_out))
            shown = rows[:limit]
            has_older = len(rows) > limit
            lines = list(_to_lines(session, tenant_id, conversation_id, shown)[::-1])
            since = lines[0].at if has_older else None
            until = None if before == NEWEST else _page_end(session, tenant_id, conversation_id, before)
            events = session.scalars(_events(tenant_id, conversation_id, since, until)).all()
            calls = session.execute(_calls(tenant_id, conversation_id, since, until)).all()
            notes = notes_of(session, tenant_id, conversation_id, since, until)
            marks = marks_of(session, tenant_id, [conversation_id])
        older = str(_cursor_after(shown, before)) if has_older else None
        between: list[Between] = [*_to_calls(calls), *(to_event(row) for row in events), *notes]
        between.sort(key=lambda one: one.at, reverse=True)
        (summary,) = marked([to_summary(conversation)], marks)
        return ThreadPage(summary, list(_woven(lines, between)), older)

    def reply(self, tenant_id: str, conversation_id: int, outbox_id: int) -> OutboundView:
        """One message that went out, as `thread` shows it. Three queries.

        Raises:
            NotFound: the tenant has no such message there.
        """
        with self._database.read() as session:
            row = session.get(OutboxRow, outbox_id)
            if row is None or (row.tenant_id, row.conversation_id) != (tenant_id, conversation_id):
                raise NotFound("there is no such message")
            turn = None if row.turn_id is None else session.get(TurnRow, row.turn_id)
            wrote_at = _guest_wrote_at(session, tenant_id, conversation_id, [row.id])
            return to_outbound(row, turn, wrote_at.get(row.id))

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


def _newest_first(
    table: type[Message], tenant_id: str, conversation_id: int, before_id: int, limit: int
) -> Select[Message]:
    return (
        select(table)
        .where(table.tenant_id == tenant_id, table.conversation_id == conversation_id, table.id < before_id)
        .order_by(table.id.desc())
        .limit(limit)
    )


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


def _no_notes(*_place: object) -> Sequence[NoteView]:
    return ()


def _woven(lines: Sequence[ThreadLine], newest_first: Sequence[Between]) -> Iterator[ThreadLine]:
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
        to_inbound(row)
        if isinstance(row, InboundRow)
        else to_outbound(row, turn_by_id.get(row.turn_id or ""), wrote_at.get(row.id))
        for row in rows
    ]


def _guest_wrote_at(
    session: Session, tenant_id: str, conversation_id: int, outbox_ids: Sequence[int]
) -> dict[int, datetime]:
    rows = session.execute(
        select(InboundRow.covered_by, func.min(InboundRow.received_at))
        .where(
            InboundRow.tenant_id == tenant_id,
            InboundRow.conversation_id == conversation_id,
            InboundRow.covered_by.in_(outbox_ids),
        )
        .group_by(InboundRow.covered_by)
    )
    return {outbox_id: at for outbox_id, at in rows if outbox_id is not None}

"""Conversations as the list shows them: each with its newest message, the newest conversation first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    case,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from server.domain.conversations import Mode
from server.domain.cursors import ListCursor
from server.domain.messages import Channel
from server.domain.views import ConversationSummary
from server.store.labels import Marks
from server.store.models import ConversationRow, GuestRow, InboundRow, OutboxRow, UtcDateTime
from server.store.views import to_guest_view, to_preview

# So many conversations are looked at in one query, however many there are.
LARGEST_PORTION = 5_000

Message = TypeVar("Message", InboundRow, OutboxRow)

# A conversation, its guest, and its newest message of each table.
Found = Row[ConversationRow, GuestRow, InboundRow | None, OutboxRow | None]
Newest = Select[ConversationRow, GuestRow, InboundRow | None, OutboxRow | None]
Listed = TypeVar("Listed", bound=Select[*tuple[Any, ...]])


def is_one_of(ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a conversation is among *ids*, of which there may be many."""
    # Written out: SQLite takes a limited number of parameters.
    return ConversationRow.id.in_(bindparam("ids", sorted(ids), expanding=True, literal_execute=True))


def places(conditions: Sequence[ColumnElement[bool]], before: ListCursor | None) -> Select[int, datetime]:
    """Where conversations stand in the list that ends at the cursor."""
    query = (
        select(ConversationRow.id, ConversationRow.last_message_at)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(*conditions)
    )
    if before is not None:
        place = tuple_(literal(before.at, UtcDateTime()), literal(before.id))
        query = query.where(tuple_(ConversationRow.last_message_at, ConversationRow.id) < place)
    return in_order(query)


def in_order(query: Listed) -> Listed:
    """*query*, the newest first."""
    return query.order_by(ConversationRow.last_message_at.desc(), ConversationRow.id.desc())


def walk(
    session: Session,
    quick: Sequence[ColumnElement[bool]],
    newest: Newest,
    before: ListCursor | None,
    limit: int,
) -> Sequence[Found]:
    """The first of *newest* among the conversations that meet *quick*, *limit* at most.

    A planner cannot tell how few conversations fill a page, and would look at the messages of all. So they
    are taken in portions, each twice as large as the one before.
    """
    found: list[Found] = []
    size = 2 * limit
    while len(found) < limit:
        portion = session.execute(places(quick, before).limit(size)).all()
        ids = [place.id for place in portion]
        found += session.execute(in_order(newest.where(ConversationRow.id.in_(ids)))).all()
        if len(portion) < size:
            break
        before = ListCursor(portion[-1].last_message_at, portion[-1].id)
        size = min(2 * size, LARGEST_PORTION)
    return found[:limit]


def with_newest_messages(tenant_id: str, channel: Channel | None = None) -> Newest:
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


def is_new() -> ColumnElement[bool]:
    """Whether the newest that came in is a guest's and no member of staff has seen it."""
    newest = aliased(InboundRow)
    is_unseen = newest.id > ConversationRow.seen_inbound_id
    return (
        select(newest.id)
        .where(newest.id == _newest_id(InboundRow), newest.from_me.is_(False), is_unseen)
        .exists()
    )


def merged(came_in: Sequence[InboundRow], went_out: Sequence[OutboxRow]) -> Iterator[InboundRow | OutboxRow]:
    """Both, newest first. Each keeps its own order even where its times do not: a cursor can rely on it."""
    inbound, outbound = list(came_in[::-1]), list(went_out[::-1])
    while inbound or outbound:
        if not outbound or (inbound and inbound[-1].received_at > outbound[-1].committed_at):
            yield inbound.pop()
        else:
            yield outbound.pop()


def marked(
    summaries: Sequence[ConversationSummary], marks: Mapping[int, Marks]
) -> Sequence[ConversationSummary]:
    """With what staff have put on each."""
    found = ((summary, marks.get(summary.id, Marks())) for summary in summaries)
    return [replace(summary, labels=mark.labels, assignee=mark.assignee) for summary, mark in found]


def to_summary(found: Found) -> ConversationSummary:
    """A line of the list, without what staff have put on it: see `marked`."""
    conversation, guest, came_in, went_out = found
    newest = next(merged([came_in] if came_in else [], [went_out] if went_out else []), None)
    fallback = Channel.CHAT if guest.chat_key else Channel.WHATSAPP
    return ConversationSummary(
        id=conversation.id,
        guest=to_guest_view(guest),
        channel=Channel(newest.channel) if newest is not None else fallback,
        mode=Mode(conversation.mode),
        hand_back_at=conversation.hand_back_at,
        guest_typing_until=conversation.guest_typing_until,
        needs_human_since=conversation.needs_human_since,
        language=conversation.language,
        last_message_at=conversation.last_message_at,
        new_message_id=_new_message_id(conversation, came_in),
        preview=None if newest is None else to_preview(newest),
    )


def _new_message_id(conversation: ConversationRow, newest: InboundRow | None) -> int | None:
    if newest is None or newest.from_me or newest.id <= conversation.seen_inbound_id:
        return None
    return newest.id

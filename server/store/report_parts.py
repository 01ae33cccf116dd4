"""What the queries of reports have in common: what counts as said, and spans of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Float, and_, case, cast, exists, extract, func
from sqlalchemy.orm import InstrumentedAttribute, aliased

from server.domain.messages import DeliveryState, MessageKind, OutboundKind
from server.domain.reports import Span
from server.store.guests_only import is_from_a_guests_thread, is_to_a_guest
from server.store.models import InboundRow, OutboxRow
from server.store.session import Database

# These have told nobody anything.
_UNSAID = (DeliveryState.FAILED, DeliveryState.CANCELLED)
# A reaction answers nothing, and what we cannot read may be no words at all.
_NO_WORD = (MessageKind.REACTION, MessageKind.OTHER)
_SECONDS_A_DAY = 86_400.0

Moment = ColumnElement[datetime] | InstrumentedAttribute[datetime]


def within(moment: Moment, span: Span) -> ColumnElement[bool]:
    """Whether *moment* belongs to it."""
    return and_(moment >= span.start, moment < span.end)


def came_in(tenant_id: str, span: Span) -> ColumnElement[bool]:
    """Of inbound rows: those of the span, without those of tests."""
    return and_(
        InboundRow.tenant_id == tenant_id,
        within(InboundRow.received_at, span),
        is_from_a_guests_thread(),
    )


def went_out(tenant_id: str, span: Span) -> ColumnElement[bool]:
    """Of outbox rows: those of the span to guests, without those of tests."""
    return and_(
        OutboxRow.tenant_id == tenant_id,
        within(OutboxRow.committed_at, span),
        OutboxRow.conversation_id.is_not(None),
        is_to_a_guest(),
    )


def is_said(kind: OutboundKind, row: type[OutboxRow] = OutboxRow) -> ColumnElement[bool]:
    """Whether it is of that kind and has been told to the guest, or will be."""
    return and_(row.kind == kind, row.state.not_in(_UNSAID))


def is_of_a_guest() -> ColumnElement[bool]:
    """Of inbound rows: whether it is a guest's message; a reaction is none."""
    return and_(InboundRow.from_me.is_(False), InboundRow.kind != MessageKind.REACTION)


def is_typed_on_phone(row: type[InboundRow] = InboundRow) -> ColumnElement[bool]:
    """Whether a person wrote it on the business's own phone: not the app by itself, and no echo of ours."""
    ours = aliased(OutboxRow)
    is_echo = exists().where(
        ours.tenant_id == row.tenant_id, ours.channel == row.channel, ours.message_id == row.provider_id
    )
    return and_(
        row.from_me,
        row.kind.not_in(_NO_WORD),
        row.details["automatic"].as_boolean().is_distinct_from(True),
        ~is_echo,
    )


def count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows meet *condition*."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def place_among(moment: Moment, begins: Sequence[datetime]) -> ColumnElement[int]:
    """The number of the last of the spans that *begins* has the beginnings of and *moment* is in."""
    earlier = [(moment < begin, place) for place, begin in enumerate(begins, start=-1)]
    return case(*earlier, else_=len(begins) - 1)


def seconds_between(database: Database, begins: Moment, ends: Moment) -> ColumnElement[float]:
    """As a number, to the thousandth at least."""
    if database.is_sqlite:
        return (func.julianday(ends) - func.julianday(begins)) * _SECONDS_A_DAY
    return cast(extract("epoch", ends - begins), Float)

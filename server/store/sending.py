"""What a business's lines have carried lately, for whoever looks at its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from server.domain.ban_risk import SendingFacts
from server.domain.messages import Channel, DeliveryState
from server.store.guests_only import is_a_guests_call
from server.store.models import CallRow, ConversationRow, GuestRow, InboundRow, OutboxRow
from server.store.session import Database

# What was sent lately is looked for among so many of the newest messages, however many there are in all.
LATELY = 20_000
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_DELIVERED_WITHIN = timedelta(minutes=10)

_TAKEN = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
# Twilio's words for a call that came about and was hung up.
ENDED_WELL = ("", "completed")


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Calls since a moment, how many of them did not come about or broke, and when the last ever came in."""

    count: int
    ended_badly: int
    last_at: datetime | None


class SendingQueries:
    """Counts. Every query names the tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def whatsapp(self, tenant_id: str, now: datetime) -> SendingFacts:
        """What the business's number has sent in the last 24 hours, to guests and to staff."""
        is_taken = OutboxRow.state.in_(_TAKEN)
        is_sent_long_ago = and_(
            OutboxRow.state == DeliveryState.SENT, OutboxRow.sent_at < now - _DELIVERED_WITHIN
        )
        # As the sidecar's refusals are kept: "code 463".
        is_refused = and_(OutboxRow.state == DeliveryState.FAILED, OutboxRow.reason.contains("code "))
        is_time_lock = and_(OutboxRow.state == DeliveryState.FAILED, OutboxRow.reason.endswith("code 463"))
        newest = select(func.max(OutboxRow.id)).scalar_subquery()
        counts = select(
            _count(is_taken).label("sent"),
            _count(and_(is_taken, OutboxRow.sent_at >= now - _HOUR)).label("last_hour"),
            _count(and_(is_taken, ~_has_written())).label("strangers"),
            _count(OutboxRow.state.in_((DeliveryState.DELIVERED, DeliveryState.READ))).label("delivered"),
            _count(is_sent_long_ago).label("undelivered"),
            _count(is_time_lock).label("time_locks"),
            _count(and_(is_refused, ~is_time_lock)).label("refused"),
        ).where(
            OutboxRow.id > newest - LATELY,
            OutboxRow.tenant_id == tenant_id,
            OutboxRow.channel == Channel.WHATSAPP,
            OutboxRow.committed_at >= now - _DAY,
        )
        with self._database.read() as session:
            return SendingFacts(**session.execute(counts).one()._mapping)

    def calls(self, tenant_id: str, since: datetime) -> CallFacts:
        """The business's calls from *since* on."""
        ended_badly = CallRow.ended_because.not_in(ENDED_WELL)
        counts = select(func.count(), _count(ended_badly)).where(
            CallRow.tenant_id == tenant_id, CallRow.started_at >= since, is_a_guests_call()
        )
        newest = select(CallRow.started_at).where(CallRow.tenant_id == tenant_id, is_a_guests_call())
        with self._database.read() as session:
            count, bad = session.execute(counts).one()
            last_at = session.scalars(newest.order_by(CallRow.started_at.desc()).limit(1)).one_or_none()
        return CallFacts(count, bad, last_at)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _has_written() -> ColumnElement[bool]:
    """Whether whom an outbox row goes to has ever written to the business: a guest, or one of its staff."""
    in_thread = exists().where(
        InboundRow.conversation_id == OutboxRow.conversation_id,
        InboundRow.channel == Channel.WHATSAPP,
        InboundRow.from_me.is_(False),
    )
    from_number = exists().where(
        GuestRow.tenant_id == OutboxRow.tenant_id,
        GuestRow.phone == OutboxRow.to_address,
        ConversationRow.guest_id == GuestRow.id,
        InboundRow.conversation_id == ConversationRow.id,
        InboundRow.channel == Channel.WHATSAPP,
        InboundRow.from_me.is_(False),
    )
    return case((OutboxRow.conversation_id.is_(None), from_number), else_=in_thread)

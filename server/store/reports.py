"""A business's day in numbers. Each takes a few grouped queries over the rows of the day, however many
messages there are in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Select, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from server.domain.conversations import Unanswered
from server.domain.messages import Channel, DeliveryState, OutboundKind
from server.domain.model_calls import CallOutcome
from server.domain.reports import (
    AnswerTimes,
    BusinessDay,
    CallFigures,
    Cost,
    DayFigures,
    DayTraffic,
    FirstSteps,
    HourFigures,
    MorningReport,
    OpenNow,
    Span,
    Traffic,
    answer_times,
    business_day_of,
)
from server.domain.tenants import Tenant
from server.ports.clock import Clock
from server.store.guests_only import is_a_guest, is_a_guests_call
from server.store.models import (
    CallRow,
    ConversationRow,
    DocumentRow,
    GuestRow,
    InboundRow,
    LineReportRow,
    ModelCallRow,
    OutboxRow,
    SpendRow,
    TurnRow,
)
from server.store.report_lists import complaints_of, missed_calls_of, open_now, promises_of
from server.store.report_parts import (
    came_in,
    count_if,
    is_of_a_guest,
    is_said,
    is_typed_on_phone,
    place_among,
    seconds_between,
    went_out,
    within,
)
from server.store.sending import ENDED_WELL
from server.store.session import Database
from server.store.tenants import get_tenant_row, to_tenant

# The sum of a whole business stands under this one.
_BUSINESS = 0
# What guests wrote and was left to people.
_LEFT_TO_STAFF = (Unanswered.HUMAN, Unanswered.PAUSED, Unanswered.STALE)
# Nobody answers a need of a day after so long: what is said then is about something else.
_ANSWERED_WITHIN = timedelta(days=7)
_NO_FAILURE = (CallOutcome.ANSWERED, CallOutcome.DROPPED)


class Reports:
    """Days of a business, and what is open there. Every query names the tenant."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def today(self, tenant_id: str) -> BusinessDay:
        """The day it is where the business is.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.read() as session:
            tenant = to_tenant(get_tenant_row(session, tenant_id))
        return business_day_of(self._clock.now(), tenant.settings.zone)

    def figures(self, tenant_id: str, day: BusinessDay) -> DayFigures:
        """The day in numbers.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.read() as session:
            return self._figures(session, to_tenant(get_tenant_row(session, tenant_id)), day)

    def trend(self, tenant_id: str, days: Sequence[BusinessDay]) -> Sequence[DayTraffic]:
        """The messages of *days*, which follow one another."""
        span = Span(days[0].span.start, days[-1].span.end)
        with self._database.read() as session:
            counted = _traffic(session, tenant_id, span, [day.span.start for day in days])
        return [DayTraffic(day, traffic) for day, traffic in zip(days, counted, strict=True)]

    def now(self, tenant_id: str) -> OpenNow:
        """What waits for people."""
        with self._database.read() as session:
            return open_now(session, tenant_id, self._clock.now())

    def first_steps(self, tenant_id: str) -> FirstSteps:
        """What the business has done to begin with.

        Raises:
            NotFound: there is no such tenant.
        """
        conversation = (
            select(ConversationRow.id)
            .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
            .where(ConversationRow.tenant_id == tenant_id, is_a_guest())
            .limit(1)
        )
        document = select(DocumentRow.id).where(DocumentRow.tenant_id == tenant_id).limit(1)
        with self._database.read() as session:
            settings = to_tenant(get_tenant_row(session, tenant_id)).settings
            line = session.get(LineReportRow, tenant_id)
            return FirstSteps(
                has_line=bool(settings.phone_numbers) or (line is not None and line.is_linked),
                has_knowledge=session.scalar(document) is not None,
                has_guests=session.scalar(conversation) is not None,
            )

    def report(self, tenant_id: str, day: BusinessDay) -> MorningReport:
        """The day as staff read it the next morning.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.read() as session:
            complaints, count = complaints_of(session, tenant_id, day)
            return MorningReport(
                figures=self._figures(session, to_tenant(get_tenant_row(session, tenant_id)), day),
                promises=promises_of(session, tenant_id, day),
                complaint_count=count,
                complaints=complaints,
                missed_calls=missed_calls_of(session, tenant_id, day),
                now=open_now(session, tenant_id, self._clock.now()),
            )

    def _figures(self, session: Session, tenant: Tenant, day: BusinessDay) -> DayFigures:
        span = day.span
        guests, new_guests, languages = _guests(session, tenant.id, span)
        by_hour = self._desk_seconds(session, tenant.id, day)
        return DayFigures(
            day=day,
            hours=[
                HourFigures(hour, traffic, median(by_hour[hour]) if by_hour[hour] else None)
                for hour, traffic in enumerate(_traffic(session, tenant.id, span, day.hours))
            ],
            channels=_channels(session, tenant.id, span),
            languages=languages,
            handovers=_handovers(session, tenant.id, span),
            guests=guests,
            new_guests=new_guests,
            failed=_failed(session, tenant.id, span),
            desk_times=answer_times([seconds for times in by_hour.values() for seconds in times]),
            staff_times=self._staff_times(session, tenant.id, span),
            calls=_calls(session, tenant.id, span),
            cost=_cost(session, tenant, day),
        )

    def _desk_seconds(
        self, session: Session, tenant_id: str, day: BusinessDay
    ) -> defaultdict[int, list[float]]:
        """How long each of the desk's answers took, by the hour it was given in."""
        asked_at = (
            select(func.min(InboundRow.received_at))
            .where(InboundRow.covered_by == OutboxRow.id)
            .scalar_subquery()
        )
        out_at = func.coalesce(OutboxRow.sent_at, OutboxRow.committed_at)
        answers = (
            select(
                place_among(OutboxRow.committed_at, day.hours).label("hour"),
                seconds_between(self._database, asked_at, out_at).label("seconds"),
            )
            .where(
                went_out(tenant_id, day.span),
                is_said(OutboundKind.REPLY),
                # What is said on the phone takes as long as it takes to say.
                OutboxRow.channel != Channel.VOICE,
                or_(OutboxRow.sent_at.is_not(None), OutboxRow.channel == Channel.CHAT),
            )
            .subquery()
        )
        by_hour: defaultdict[int, list[float]] = defaultdict(list)
        for hour, seconds in session.execute(select(answers).where(answers.c.seconds.is_not(None))):
            by_hour[hour].append(max(0.0, seconds))
        return by_hour

    def _staff_times(self, session: Session, tenant_id: str, span: Span) -> AnswerTimes:
        """From when a person was needed to the first word of one, once for each word."""
        until_answered = Span(span.start, span.end + _ANSWERED_WITHIN)
        lines = union_all(
            _needs_by_reply(tenant_id, span),
            _needs_by_message(tenant_id, span),
            _words_in_console(tenant_id, until_answered),
            _words_on_phone(tenant_id, until_answered),
        ).subquery()
        next_word = func.min(case((lines.c.is_word == 1, lines.c.at))).over(
            partition_by=lines.c.conversation_id, order_by=lines.c.at, rows=(0, None)
        )
        needs = select(lines.c.conversation_id, lines.c.is_word, lines.c.at, next_word.label("word_at"))
        found = needs.subquery()
        took = seconds_between(self._database, func.min(found.c.at), found.c.word_at)
        answered = (
            select(took)
            .where(found.c.is_word == 0, found.c.word_at.is_not(None))
            .group_by(found.c.conversation_id, found.c.word_at)
        )
        return answer_times([max(0.0, seconds) for seconds in session.scalars(answered)])


# A conversation, whether it is a word of staff's or a need of one, and when.
_Line = Select[int | None, int, datetime]


def _needs_by_reply(tenant_id: str, span: Span) -> _Line:
    return (
        select(OutboxRow.conversation_id, literal(0).label("is_word"), OutboxRow.committed_at.label("at"))
        .join(TurnRow, TurnRow.id == OutboxRow.turn_id)
        .where(went_out(tenant_id, span), is_said(OutboundKind.REPLY), TurnRow.handover)
    )


def _needs_by_message(tenant_id: str, span: Span) -> _Line:
    return select(
        InboundRow.conversation_id, literal(0).label("is_word"), InboundRow.received_at.label("at")
    ).where(came_in(tenant_id, span), InboundRow.unanswered_because.in_(_LEFT_TO_STAFF))


def _words_in_console(tenant_id: str, span: Span) -> _Line:
    return select(
        OutboxRow.conversation_id, literal(1).label("is_word"), OutboxRow.committed_at.label("at")
    ).where(went_out(tenant_id, span), is_said(OutboundKind.STAFF))


def _words_on_phone(tenant_id: str, span: Span) -> _Line:
    return select(
        InboundRow.conversation_id, literal(1).label("is_word"), InboundRow.received_at.label("at")
    ).where(came_in(tenant_id, span), is_typed_on_phone())


def _traffic(session: Session, tenant_id: str, span: Span, begins: Sequence[datetime]) -> Sequence[Traffic]:
    """The messages of *span*, by the parts of it that *begins* has the beginnings of."""
    inbound = (
        select(
            place_among(InboundRow.received_at, begins).label("place"),
            count_if(is_of_a_guest()),
            count_if(is_typed_on_phone()),
        )
        .where(came_in(tenant_id, span))
        .group_by("place")
    )
    outbound = (
        select(
            place_among(OutboxRow.committed_at, begins).label("place"),
            count_if(is_said(OutboundKind.REPLY)),
            count_if(is_said(OutboundKind.STAFF)),
        )
        .where(went_out(tenant_id, span))
        .group_by("place")
    )
    came = {place: (guests, typed) for place, guests, typed in session.execute(inbound)}
    went = {place: (desk, staff) for place, desk, staff in session.execute(outbound)}
    nothing = (0, 0)
    return [
        Traffic(
            guests=came.get(place, nothing)[0],
            desk=went.get(place, nothing)[0],
            staff=came.get(place, nothing)[1] + went.get(place, nothing)[1],
        )
        for place in range(len(begins))
    ]


def _channels(session: Session, tenant_id: str, span: Span) -> Mapping[str, int]:
    times = func.count()
    return _by_number(
        session,
        select(InboundRow.channel, times)
        .where(came_in(tenant_id, span), is_of_a_guest())
        .group_by(InboundRow.channel)
        .order_by(times.desc(), InboundRow.channel),
    )


def _handovers(session: Session, tenant_id: str, span: Span) -> Mapping[str, int]:
    times = func.count()
    return _by_number(
        session,
        select(TurnRow.reason, times)
        .join(OutboxRow, OutboxRow.turn_id == TurnRow.id)
        .where(went_out(tenant_id, span), is_said(OutboundKind.REPLY), TurnRow.handover)
        .group_by(TurnRow.reason)
        .order_by(times.desc(), TurnRow.reason),
    )


def _by_number(session: Session, counts: Select[str, int]) -> Mapping[str, int]:
    return dict(session.execute(counts).all())


def _guests(session: Session, tenant_id: str, span: Span) -> tuple[int, int, Mapping[str, int]]:
    """Who wrote: how many, how many of them were new, and by language."""
    times = func.count(ConversationRow.id.distinct())
    counts = (
        select(
            func.coalesce(ConversationRow.language, "").label("language"),
            times,
            func.count(case((within(GuestRow.created_at, span), GuestRow.id)).distinct()),
        )
        .join(InboundRow, InboundRow.conversation_id == ConversationRow.id)
        .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
        .where(came_in(tenant_id, span), is_of_a_guest())
        .group_by("language")
        .order_by(times.desc(), "language")
    )
    rows = session.execute(counts).all()
    languages = {language: count for language, count, _ in rows}
    return sum(languages.values()), sum(new for _, _, new in rows), languages


def _failed(session: Session, tenant_id: str, span: Span) -> int:
    failed = select(func.count()).where(went_out(tenant_id, span), OutboxRow.state == DeliveryState.FAILED)
    return session.scalar(failed) or 0


def _calls(session: Session, tenant_id: str, span: Span) -> CallFigures:
    is_taken = CallRow.ended_because.in_(ENDED_WELL)
    counts = select(
        count_if(is_taken), func.coalesce(func.sum(case((is_taken, CallRow.seconds))), 0), count_if(~is_taken)
    ).where(CallRow.tenant_id == tenant_id, within(CallRow.started_at, span), is_a_guests_call())
    taken, seconds, missed = session.execute(counts).one()
    return CallFigures(taken, seconds, missed)


def _cost(session: Session, tenant: Tenant, day: BusinessDay) -> Cost:
    spent = select(SpendRow.cost_micros).where(
        SpendRow.tenant_id == tenant.id,
        SpendRow.day == day.date.isoformat(),
        SpendRow.conversation_id == _BUSINESS,
    )
    calls = select(func.count(), count_if(ModelCallRow.outcome.not_in(_NO_FAILURE))).where(
        ModelCallRow.tenant_id == tenant.id, within(ModelCallRow.started_at, day.span)
    )
    count, failed = session.execute(calls).one()
    return Cost(session.scalar(spent) or 0, tenant.settings.daily_budget_usd, count, failed)

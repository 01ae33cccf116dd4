"""What happened at the desk on a day of the business, and what is open now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import ceil
from statistics import median
from zoneinfo import ZoneInfo

from server.domain.phrases import Phrase
from server.domain.spending import MICROS
from server.domain.tenants import TenantSettings
from server.domain.views import GuestView
from server.errors import UnprocessableRequest

HOURS = 24

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Nobody had a desk before; and not every zone has a time for each moment of the first years.
_FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, which is not part of it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A day by the clock of a business: from midnight to midnight there, whatever the clocks do meanwhile."""

    date: date
    zone: ZoneInfo

    @property
    def span(self) -> Span:
        """From its first moment to the next day's, UTC."""
        return Span(self.hours[0], self.shifted(1).hours[0])

    @property
    def hours(self) -> Sequence[datetime]:
        """When each hour of the clock begins, UTC. One that the clock leaves out has no length, and one that
        it shows twice is two hours long: there are always `HOURS`.
        """
        return [_on_the_clock(self.date, hour, self.zone) for hour in range(HOURS)]

    def shifted(self, days: int) -> BusinessDay:
        """The day so many later, or with a negative number earlier."""
        return BusinessDay(self.date + timedelta(days=days), self.zone)


def business_day_of(moment: datetime, zone: ZoneInfo) -> BusinessDay:
    """The day that *moment* belongs to."""
    return BusinessDay(moment.astimezone(zone).date(), zone)


def read_day(text: str, today: BusinessDay) -> BusinessDay:
    """The day that *text* names (``2026-11-21``); the day before *today* if it is empty.

    Raises:
        UnprocessableRequest: it names none, or one that has not begun.
    """
    if not text:
        return today.shifted(-1)
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year < _FIRST_YEAR:
        raise UnprocessableRequest(
            Phrase("the day must be written as year, month and day, such as {example}", example=today.date)
        )
    if day > today.date:
        raise UnprocessableRequest(
            Phrase("that day has not begun yet: the latest report is that of {day}", day=today.date)
        )
    return BusinessDay(day, today.zone)


def due_report(settings: TenantSettings, now: datetime) -> BusinessDay | None:
    """The day whose report staff are to have by now: yesterday, from ``morning_report_at`` until midnight.

    None if they want none, or it is too early.
    """
    if not settings.morning_report_at:
        return None
    today = business_day_of(now, settings.zone)
    at = time.fromisoformat(settings.morning_report_at)
    due_at = datetime.combine(today.date, at, settings.zone)
    return today.shifted(-1) if now >= due_at.astimezone(UTC) else None


def _on_the_clock(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Seconds from a need to the answer, of so many answers; None where there was none."""

    count: int
    median_s: float | None
    p95_s: float | None


def answer_times(seconds: Sequence[float]) -> AnswerTimes:
    """What *seconds* come to; the 95th percentile is the time that 95 of 100 answers did not exceed."""
    if not seconds:
        return AnswerTimes(0, None, None)
    in_order = sorted(seconds)
    return AnswerTimes(len(in_order), median(in_order), in_order[ceil(0.95 * len(in_order)) - 1])


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages of a span: from guests, and answers of the desk and of people."""

    guests: int = 0
    desk: int = 0
    staff: int = 0

    @property
    def answers(self) -> int:
        """Of the desk and of people together."""
        return self.desk + self.staff

    @property
    def desk_share(self) -> float | None:
        """The desk's part of all answers, 0 to 1; None without answers."""
        return self.desk / self.answers if self.answers else None


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One hour of the clock; ``median_s`` is the desk's answer time, None without an answer."""

    hour: int
    traffic: Traffic
    median_s: float | None


@dataclass(frozen=True, slots=True)
class DayTraffic:
    """One day's messages."""

    day: BusinessDay
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls that came about, how long they took together, and those that did not come about or broke."""

    taken: int = 0
    seconds: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What models have cost; a budget of 0 is none. ``failed`` is how many calls to them did."""

    spent_micros: int
    budget_usd: float
    model_calls: int
    failed: int

    @property
    def spent_usd(self) -> float:
        """In dollars."""
        return self.spent_micros / MICROS

    @property
    def share(self) -> float | None:
        """Of the budget, 1 being all of it; None without one."""
        return self.spent_usd / self.budget_usd if self.budget_usd > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """A day in numbers; `docs/overview.md` says what each of them is.

    ``languages`` has guests by the language of their conversation, empty where it is not known; ``handovers``
    has replies that called the team, by reason. Both are by number, the largest first.
    """

    day: BusinessDay
    hours: Sequence[HourFigures]
    channels: Mapping[str, int]
    languages: Mapping[str, int]
    handovers: Mapping[str, int]
    guests: int
    new_guests: int
    failed: int
    desk_times: AnswerTimes
    staff_times: AnswerTimes
    calls: CallFigures
    cost: Cost

    @property
    def traffic(self) -> Traffic:
        """Of the whole day."""
        hours = [one.traffic for one in self.hours]
        return Traffic(
            sum(one.guests for one in hours), sum(one.desk for one in hours), sum(one.staff for one in hours)
        )


class PromiseState(StrEnum):
    """What has become of a promise."""

    OPEN = "open"
    # People wrote to the guest after it.
    WRITTEN = "written"
    # Staff answered the question for all guests.
    ANSWERED = "answered"
    # Staff decided that the question needs no answer.
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A reply that said "I have asked the team". ``asked`` are the guest's words; ``settled_by`` is empty
    where nobody knows who it was.
    """

    conversation_id: int
    guest: GuestView
    asked: str
    reason: str
    made_at: datetime
    state: PromiseState
    settled_at: datetime | None = None
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class Promises:
    """How many were made and are open, and the first of each, oldest first."""

    made: int
    open_count: int
    open: Sequence[Promise]
    settled: Sequence[Promise]

    @property
    def settled_count(self) -> int:
        """How many are not open any more."""
        return self.made - self.open_count


@dataclass(frozen=True, slots=True)
class WaitingGuest:
    """A conversation that needs a person, and what its guest had said last when one was first needed."""

    conversation_id: int
    guest: GuestView
    since: datetime
    words: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that no document answers."""

    id: int
    conversation_id: int
    guest: GuestView
    text: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a guest wrote who sounded displeased."""

    conversation_id: int
    guest: GuestView
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A call that did not come about or broke; ``because`` is the network's word."""

    conversation_id: int
    guest: GuestView
    at: datetime
    because: str


@dataclass(frozen=True, slots=True)
class LineNow:
    """What was last told of the WhatsApp number; ``down_since`` is None while it is open."""

    is_linked: bool
    down_since: datetime | None
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNow:
    """What waits for people: conversations by the longest wait, questions by the newest. Lists hold the first
    of them, counts all. ``line`` is None where no number was ever linked.
    """

    at: datetime
    waiting_count: int
    waiting: Sequence[WaitingGuest]
    question_count: int
    questions: Sequence[OpenQuestion]
    draft_count: int
    line: LineNow | None


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Which of the first steps a business has taken."""

    has_line: bool
    has_knowledge: bool
    has_guests: bool

    @property
    def is_new(self) -> bool:
        """Whether it has to be told what to do first. Guests may come without a number, by the chat API."""
        return not (self.has_knowledge and self.has_guests)


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningReport:
    """A day as staff read it the next morning, with what is open now."""

    figures: DayFigures
    promises: Promises
    complaint_count: int
    complaints: Sequence[Complaint]
    missed_calls: Sequence[MissedCall]
    now: OpenNow

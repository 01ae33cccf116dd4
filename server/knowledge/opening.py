"""Questions about being open, answered from a document's hours and the calendar.

Every number said is one of the hours or of the calendar; everything else is a phrase.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.domain.knowledge import Document
from server.knowledge.moments import (
    Moment,
    Part,
    asked_moment,
    asks_about_opening,
    asks_whether,
    names_other_times,
    part_bounds,
)
from server.knowledge.phrases import OpeningPhrases, opening_phrases
from server.knowledge.seasons import holds_on
from server.knowledge.timetable import SMALL_HOURS, Interval, Timetable

_LONGEST_NAME = 60
# A title that asks names nothing.
_QUESTION = re.compile(
    r"\?\s*$|^\s*(?:when|what|which|where|who|how|is|are|do|does|can|may|will|until|מתי|מה|איפה|האם|איך|כמה|עד|ממתי"
    r"|באיזו|באיזה|אפשר|יש)\b",
    re.IGNORECASE,
)
_ONE_DAY = timedelta(1)


def opening_answer(document: Document, question: str, now: datetime, language: str) -> str | None:
    """Whether or when what *document* tells of is open, in a sentence or two.

    A question that names no moment is answered for now and today. None if it does not ask that, if it asks
    of days gone by or of no single moment ("on weekends"), if the document does not hold on the day, or if
    its hours cannot be told in times of the clock. An answer from hours that speak of public holidays says
    that these may differ: we have no calendar of them.

    Args:
        now: aware, in the business's zone.
    """
    if not document.hours or names_other_times(question):
        return None
    moment = asked_moment(question, now)
    # "Can we swim on Saturday?" asks for Saturday's hours; without a day it need not.
    if not asks_about_opening(question) and (moment is None or not asks_whether(question)):
        return None
    day = moment.day if moment else now.date()
    timetable = Timetable.read(document.hours)
    if timetable is None or day < now.date() or not holds_on(document, day):
        return None
    answer = _Answer(document, timetable, opening_phrases(language), now.replace(tzinfo=None))
    said = answer.to(moment)
    return f"{said} {answer.phrases.holidays_may_differ}" if timetable.misses_holidays else said


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer in the making; ``now`` is naive, on the business's clock."""

    document: Document
    timetable: Timetable
    phrases: OpeningPhrases
    now: datetime

    @property
    def today(self) -> date:
        return self.now.date()

    def to(self, moment: Moment | None) -> str:
        if moment is None:
            return self._headed("", self._state_now(with_hours=True))
        if moment.is_now:
            return self._headed("", self._state_now(with_hours=False))
        day = self.phrases.day(moment.day, self.today)
        if moment.at is not None:
            return self._headed(day, self._at(datetime.combine(moment.day, moment.at)))
        if moment.part is not None:
            heading = f"{day}, {self.phrases.parts[moment.part]}"
            return self._headed(heading, self._in_part(moment.part, moment.day))
        return self._headed(day, self._on(moment.day))

    def _headed(self, heading: str, said: str) -> str:
        name = _name(self.document.title)
        before = ", ".join(part for part in (name, heading) if part)
        text = f"{before}: {said}" if before else said
        return text if name else _capital(text)

    def _state_now(self, *, with_hours: bool) -> str:
        """Open or closed and until when; *with_hours* for one who asks from when until when."""
        current = self.timetable.at(self.now)
        note = _in_brackets(current.comment)
        if current.is_closed:
            return f"{self.phrases.closed_now.format(note=note)} {self._next(with_hours=with_hours)}".strip()
        if current.is_unsure:
            return self.phrases.unsure_now.format(note=note)
        until = self.timetable.open_until(self.now)
        if until is None:
            return self.phrases.always_open.format(note=note)
        said = self.phrases.open_now.format(until=self._until(until), note=note)
        return f"{said} {self._hours_of(self.today)}" if with_hours else said

    def _next(self, *, with_hours: bool) -> str:
        """When it opens again, as far as the document holds."""
        coming = self.timetable.next_open(self.now)
        if coming is None or not holds_on(self.document, coming.start.date()):
            return ""
        day, at = coming.start.date(), coming.start.time()
        if with_hours or coming.is_unsure or at == time():
            return self._hours_of(day)
        when = self.phrases.at_on_day.format(day=self.phrases.day(day, self.today), time=f"{at:%H:%M}")
        return self.phrases.opens.format(at=when)

    def _hours_of(self, day: date) -> str:
        hours = self._listed(self.timetable.on(day), day)
        return _capital(self.phrases.next_hours.format(day=self.phrases.day(day, self.today), hours=hours))

    def _until(self, until: datetime) -> str:
        if until <= _midnight(self.today) + _ONE_DAY + SMALL_HOURS:
            return self.phrases.until.format(time=self.phrases.clock(until.time()))
        if until.time() == time():
            day = self.phrases.day(until.date() - _ONE_DAY, self.today)
            return self.phrases.until_day_ends.format(day=day)
        day = self.phrases.day(until.date(), self.today)
        when = self.phrases.at_on_day.format(day=day, time=f"{until:%H:%M}")
        return self.phrases.until.format(time=when)

    def _at(self, moment: datetime) -> str:
        stretch = self.timetable.at(moment)
        if stretch.is_closed:
            return self._closed(moment.date())
        # After midnight it is the night before that is open, and its hours are told.
        began = stretch.start.date()
        day = began if moment.date() - began == _ONE_DAY else moment.date()
        template = self.phrases.unsure_then if stretch.is_unsure else self.phrases.open_then
        return template.format(hours=self._listed([stretch], day))

    def _in_part(self, part: Part, day: date) -> str:
        start, end = part_bounds(part, day)
        stretches = [one for one in self.timetable.on(day) if one.start < end and one.end > start]
        return f"{self._listed(stretches, day)}." if stretches else self._closed(day)

    def _on(self, day: date) -> str:
        stretches = self.timetable.on(day)
        return f"{self._listed(stretches, day)}." if stretches else self._closed(day)

    def _closed(self, day: date) -> str:
        """That it is closed when asked for, and when on that day it is not."""
        stretches = self.timetable.on(day)
        if stretches:
            return self.phrases.closed_then.format(hours=self._listed(stretches, day))
        note = _in_brackets(self.timetable.at(_midnight(day) + _ONE_DAY / 2).comment)
        return self.phrases.closed_all_day.format(note=note)

    def _listed(self, stretches: Sequence[Interval], day: date) -> str:
        return ", ".join(self._stretch(stretch, day) for stretch in stretches)

    def _stretch(self, stretch: Interval, day: date) -> str:
        notes = [stretch.comment, self.phrases.unsure if stretch.is_unsure else ""]
        return self._span(stretch, day) + _in_brackets(", ".join(note for note in notes if note))

    def _span(self, stretch: Interval, day: date) -> str:
        """From when to when a stretch is, as seen on *day*."""
        start, end = _midnight(day), _midnight(day) + _ONE_DAY
        if stretch.start <= start and stretch.end >= end:
            return self.phrases.all_day
        last = self.phrases.clock(stretch.end.time())
        if stretch.start <= start:
            return self.phrases.until.format(time=last)
        if stretch.end > end + SMALL_HOURS:
            return self.phrases.from_time.format(time=f"{stretch.start:%H:%M}")
        return self.phrases.stretch.format(start=f"{stretch.start:%H:%M}", end=last)


def _name(title: str) -> str:
    name = title.strip().rstrip(":.").rstrip()
    return "" if len(name) > _LONGEST_NAME or _QUESTION.search(name) else name


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _in_brackets(note: str) -> str:
    return f" ({note})" if note else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""When something is open, from its hours in OpenStreetMap's syntax, on the business's own clock.

All times are naive local ones: opening hours are wall-clock times, also on the days on which the clock is
changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import starmap

from opening_hours import (  # type: ignore[attr-defined]  # its stubs leave the exceptions out
    OpeningHours,
    ParserError,
    State,
)

_MAX_HOURS = 2_000
# A change further away than a year is none that a guest asks for; looking for it could take a second.
_LOOK_AHEAD = timedelta(366)
_AROUND = timedelta(2)
_COMMENT = re.compile(r'"[^"]*"')
# Times that need the place on Earth, or that are no end: what they would come out as is a guess.
_NO_CLOCK_TIMES = re.compile(r"sunrise|sunset|dawn|dusk|\d\s*\+|\d:\d\d\s*/", re.IGNORECASE)
_HOLIDAYS = re.compile(r"\b[PS]H\b")
# What is open into the small hours belongs to the day before.
SMALL_HOURS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one state; ``comment`` is the business's own word on it."""

    start: datetime
    end: datetime
    state: State
    comment: str

    @property
    def is_closed(self) -> bool:
        """Whether it is closed for sure."""
        return self.state == State.CLOSED

    @property
    def is_unsure(self) -> bool:
        """Whether the hours say that it may be closed all the same."""
        return self.state == State.UNKNOWN


class Timetable:
    """The hours of one thing; ``misses_holidays`` if they speak of holidays, which we have no calendar of."""

    def __init__(self, hours: OpeningHours, misses_holidays: bool) -> None:
        self._hours = hours
        self.misses_holidays = misses_holidays

    @classmethod
    def read(cls, hours: str) -> Timetable | None:
        """None if *hours* cannot be read, or cannot be told in times of the clock ("until sunset")."""
        rules = _COMMENT.sub("", hours)
        if len(hours) > _MAX_HOURS or _NO_CLOCK_TIMES.search(rules):
            return None
        try:
            parsed = OpeningHours(hours, max_interval_days=_LOOK_AHEAD.days)
        except ParserError:
            return None
        return cls(parsed, _HOLIDAYS.search(rules) is not None)

    def at(self, moment: datetime) -> Interval:
        """The stretch that *moment* is in; its start and end are told up to two days away."""
        around = self._stretches(moment - _AROUND, moment + _AROUND)
        return next(stretch for stretch in around if stretch.start <= moment < stretch.end)

    def on(self, day: date) -> list[Interval]:
        """The stretches of *day* in which it is not closed, by their start.

        What is left of the night before counts only if it is all there is.
        """
        start = datetime.combine(day, time())
        end = start + timedelta(1)
        around = self._stretches(start - _AROUND, end + _AROUND)
        open_ones = [
            stretch
            for stretch in around
            if not stretch.is_closed and stretch.start < end and stretch.end > start
        ]
        own = [stretch for stretch in open_ones if not _is_night_before(stretch, start)]
        return own or open_ones

    def open_until(self, moment: datetime) -> datetime | None:
        """Until when it stays open for sure, if it is at *moment*; None if for a year and more."""
        stretches = self._stretches(moment, moment + _LOOK_AHEAD)
        return next((stretch.start for stretch in stretches if stretch.state != State.OPEN), None)

    def next_open(self, moment: datetime) -> Interval | None:
        """The first stretch from *moment* on that is not closed; None if there is none within a year."""
        return next(self.open_from(moment), None)

    def open_from(self, moment: datetime) -> Iterator[Interval]:
        """The stretches from *moment* on that are not closed, for a year; the first may have begun before."""
        stretches = self._stretches(moment, moment + _LOOK_AHEAD)
        return (stretch for stretch in stretches if not stretch.is_closed)

    def _stretches(self, start: datetime, end: datetime) -> Iterator[Interval]:
        return starmap(Interval, self._hours.intervals(start, end))


def _is_night_before(stretch: Interval, midnight: datetime) -> bool:
    return stretch.start < midnight and stretch.end <= midnight + SMALL_HOURS

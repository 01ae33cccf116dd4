"""Tells staff again of who waits for a person, and then whoever is next in line."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from server.domain.reminders import Reminder, Waiting
from server.knowledge.office_hours import OfficeHours, office_hours
from server.ports.clock import Clock
from server.ports.queue import WorkQueue
from server.ports.reminders import ReminderStore

LOOK_EVERY_S = 5.0
# Who may be in danger is spoken of each minute, so often at the least, whatever the office hours are.
URGENT_EVERY = timedelta(minutes=1)
URGENT_TIMES = 10
# The last reminder that was due while nothing ran is made up for during so much of the office hours, as long
# as it takes until a message that cannot be sent is given up.
MADE_UP_FOR = timedelta(hours=12)
# Nobody who has waited for longer is looked at when a process starts.
LONGEST = timedelta(days=31)
# Nobody is told sooner. By then a conversation is saved that was to wait since then.
_SHORTEST = timedelta(minutes=1)
# What two conversations that became one have waited together began before.
_LOOKED_BACK = timedelta(minutes=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the reminders of one conversation are due, and from when on none is told any more."""

    due: Sequence[datetime]
    over_at: datetime

    def number_at(self, now: datetime) -> int:
        """Which of them is the newest that is due, from 1; 0 if none is."""
        return 0 if now >= self.over_at else bisect_right(self.due, now)


class Reminders:
    """Looks who waits, in every process; what was told already, the store knows."""

    def __init__(self, store: ReminderStore, lanes: WorkQueue, clock: Clock) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._looked_at = -math.inf
        # Who has waited since before it has nothing more to come.
        self._first: datetime | None = None
        # What this process has told, so that it need not ask the database again.
        self._told: dict[tuple[int, datetime], int] = {}

    def look(self) -> None:
        """Tell staff what is due: a chore of the sweep, which looks every `LOOK_EVERY_S` at the most.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if self._clock.monotonic() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = self._clock.monotonic()
        now = self._clock.now()
        last = now - _SHORTEST
        # A clock that was set back would leave out whoever waits by it.
        if self._first is None or self._first > last:
            self._first = now - LONGEST
        waiting = self._store.waiting(self._first, last)
        self._told = {_key(one): self._told.get(_key(one), 0) for one in waiting}
        for one in waiting:
            self._tell(one, now)
        unfinished = [one.since for one in waiting if self._has_more(one, now)]
        self._first = min([last - _LOOKED_BACK, *unfinished])

    def _has_more(self, waiting: Waiting, now: datetime) -> bool:
        schedule = schedule_of(waiting)
        return now < schedule.over_at and self._told[_key(waiting)] < len(schedule.due)

    def _tell(self, waiting: Waiting, now: datetime) -> None:
        number = schedule_of(waiting).number_at(now)
        if number <= self._told[_key(waiting)] or waiting.is_seen_to or _is_put_off(waiting, now):
            return
        lanes = self._store.remind(Reminder(waiting, number, people_to_tell(waiting, number)))
        self._told[_key(waiting)] = number
        if lanes:
            log.info("reminder.due", conversation=waiting.conversation_id, number=number, lanes=len(lanes))
        for lane in lanes:
            self._lanes.put(lane)


def people_to_tell(waiting: Waiting, number: int) -> Sequence[str] | None:
    """Whom the *number*-th reminder goes to; None is the team.

    First the team, then one after another of those who are next in line. Where somebody may be in danger all
    who have heard of it hear it again.
    """
    settings = waiting.tenant.settings
    if number == 1:
        return None
    if waiting.is_urgent:
        return (*settings.staff_numbers, *settings.staff_emails, *settings.next_in_line[: number - 1])
    return settings.next_in_line[number - 2 : number - 1]


def schedule_of(waiting: Waiting) -> Schedule:
    """When staff are to be told again of *waiting*."""
    settings = waiting.tenant.settings
    times = 1 + len(settings.next_in_line)
    if settings.remind_after_minutes == 0:
        return Schedule((), waiting.since)
    if waiting.is_urgent:
        return _schedule(waiting.since, URGENT_EVERY, max(times, URGENT_TIMES), None)
    every = timedelta(minutes=settings.remind_after_minutes)
    return _schedule(waiting.since, every, times, office_hours(settings))


@lru_cache(10_000)
def _schedule(since: datetime, every: timedelta, times: int, hours: OfficeHours | None) -> Schedule:
    lengths = [*(every * number for number in range(1, times + 1)), every * times + MADE_UP_FOR]
    moments = [] if hours is None else [hours.when_passed(since, length) for length in lengths]
    within = [moment for moment in moments if moment is not None]
    # Hours that never come would leave a guest waiting for ever.
    *due, over_at = within if len(within) == len(lengths) else [since + length for length in lengths]
    return Schedule(due, over_at)


def _is_put_off(waiting: Waiting, now: datetime) -> bool:
    hours = None if waiting.is_urgent else office_hours(waiting.tenant.settings)
    return hours is not None and hours.opens_next(now) is not None


def _key(waiting: Waiting) -> tuple[int, datetime]:
    return waiting.conversation_id, waiting.since

"""When people of a business's team are there, on the business's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from server.domain.tenants import TenantSettings
from server.knowledge.timetable import Timetable


def office_timetable(hours: str) -> Timetable | None:
    """The hours, as documents have theirs: "Su-Th 08:00-18:00; Fr 08:00-13:00".

    None if they cannot be told for sure: they cannot be read, speak of holidays, which we have no calendar
    of, or leave something to a comment.
    """
    timetable = Timetable.read(hours)
    return None if timetable is None or timetable.misses_holidays or '"' in hours else timetable


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """The hours in a time zone. What they are asked is an aware time, what they tell is one of UTC."""

    timetable: Timetable
    zone: ZoneInfo

    def are_on(self, now: datetime) -> bool:
        """Whether somebody is there *now*, or may be."""
        return not self.timetable.at(self._wall_clock(now)).is_closed

    def opens_next(self, now: datetime) -> datetime | None:
        """When they begin again; None if they are on *now*, or do not begin within a year."""
        local = self._wall_clock(now)
        stretch = self.timetable.next_open(local)
        if stretch is None or stretch.start <= local:
            return None
        return self._no_earlier_than(now, stretch.start)

    def when_passed(self, since: datetime, office_time: timedelta) -> datetime | None:
        """The moment by which so much of the hours has passed since *since*; None if none within a year.

        It is a moment within them: what passes just as they end has passed when they begin again.
        """
        left = office_time
        for stretch in self.timetable.open_from(self._wall_clock(since)):
            start = self._no_earlier_than(since, stretch.start)
            end = self._no_earlier_than(start, stretch.end)
            if end - start > left:
                return start + left
            left -= end - start
        return None

    def _wall_clock(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def _no_earlier_than(self, moment: datetime, local: datetime) -> datetime:
        """When the wall clock shows *local*, from *moment* on: an hour may come twice."""
        first, second = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first if first >= moment else max(moment.astimezone(UTC), second)


def office_hours(settings: TenantSettings) -> OfficeHours | None:
    """Those of a business; None if it has none, or they cannot be told for sure."""
    timetable = _known_timetable(settings.office_hours) if settings.office_hours else None
    return None if timetable is None else OfficeHours(timetable, settings.zone)


_known_timetable = lru_cache(1_000)(office_timetable)

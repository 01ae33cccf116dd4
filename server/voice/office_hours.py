"""When a business's own telephone rings before the desk answers."""

from __future__ import annotations

from datetime import datetime

from server.domain.tenants import TenantSettings
from server.knowledge.timetable import Timetable


def rings_first(settings: TenantSettings, now: datetime) -> bool:
    """Whether a call that comes in *now* (aware) rings there first: in the office hours, if there are any."""
    if not (settings.rings_first and settings.transfer_number):
        return False
    timetable = office_timetable(settings.office_hours)
    if timetable is None:
        return True
    return not timetable.at(now.astimezone(settings.zone).replace(tzinfo=None)).is_closed


def office_timetable(hours: str) -> Timetable | None:
    """The hours, as documents have theirs: "Su-Th 08:00-18:00; Fr 08:00-13:00".

    None if they cannot be told for sure: they cannot be read, speak of holidays, which we have no calendar
    of, or leave something to a comment.
    """
    timetable = Timetable.read(hours)
    return None if timetable is None or timetable.misses_holidays or '"' in hours else timetable

"""The business's own telephone rings first only in its office hours, whatever the clock is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.tenants import TenantSettings
from server.knowledge.office_hours import office_timetable
from server.voice.office_hours import rings_first

OFFICE = "Su-Th 08:00-18:00; Fr 08:00-13:00"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_MINUTES = 24 * 60


def rings(hours: str, moment: str, zone: str = "Asia/Jerusalem", **changes: Any) -> bool:
    """Whether it does at *moment* of the business's own clock."""
    values: dict[str, Any] = {"transfer_number": "+972500000000", "rings_first": True} | changes
    tenant = TenantSettings(name="Harbour House", time_zone=zone, office_hours=hours, **values)
    return rings_first(tenant, datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))


@pytest.mark.parametrize(
    ("moment", "is_in_them"),
    [
        ("2026-11-22 07:59", False),  # a Sunday
        ("2026-11-22 08:00", True),
        ("2026-11-22 17:59", True),
        ("2026-11-22 18:00", False),
        ("2026-11-27 12:59", True),
        ("2026-11-27 13:00", False),
        ("2026-11-28 10:00", False),
    ],
)
def test_it_rings_in_the_office_hours_alone(moment: str, is_in_them: bool) -> None:
    assert rings(OFFICE, moment) is is_in_them


def test_without_office_hours_it_always_rings() -> None:
    assert rings("", "2026-11-28 03:00")


@pytest.mark.parametrize("changes", [{"rings_first": False}, {"transfer_number": ""}])
def test_who_has_no_telephone_or_does_not_want_it_is_never_rung(changes: dict[str, Any]) -> None:
    assert not rings(OFFICE, "2026-11-22 10:00", **changes)
    assert not rings("", "2026-11-22 10:00", **changes)


def test_a_night_watch_ends_on_the_next_day() -> None:
    assert rings("Fr 22:00-06:00", "2026-11-27 23:00")
    assert rings("Fr 22:00-06:00", "2026-11-28 05:59")
    assert not rings("Fr 22:00-06:00", "2026-11-28 06:00")
    assert not rings("Fr 22:00-06:00", "2026-11-27 05:00")


@pytest.mark.parametrize(
    ("zone", "utc", "is_in_them"),
    [
        # Jerusalem is two hours ahead in winter, three in summer; New York changes on other days.
        ("Asia/Jerusalem", "2026-03-26 05:59", False),
        ("Asia/Jerusalem", "2026-03-26 06:00", True),
        ("Asia/Jerusalem", "2026-03-29 05:00", True),
        ("Asia/Jerusalem", "2026-03-29 04:59", False),
        ("America/New_York", "2026-03-05 12:59", False),
        ("America/New_York", "2026-03-09 12:00", True),
    ],
)
def test_the_hours_are_of_the_wall_clock_on_both_sides_of_a_change(
    zone: str, utc: str, is_in_them: bool
) -> None:
    tenant = TenantSettings(
        name="Harbour House",
        time_zone=zone,
        office_hours="Mo-Su 08:00-18:00",
        rings_first=True,
        transfer_number="+972500000000",
    )
    assert rings_first(tenant, datetime.fromisoformat(utc).replace(tzinfo=UTC)) is is_in_them


@pytest.mark.parametrize(
    "hours",
    ["", "sun-thu 08:00-18:00", "Su-Th 8-18", "Mo-Fr 25:00-26:00", "PH off", '"by appointment"', "x" * 3_000],
)
def test_what_cannot_be_told_for_sure_is_no_hours(hours: str) -> None:
    assert office_timetable(hours) is None


@dataclass(frozen=True)
class Span:
    """From a minute of some days, for so many minutes: past midnight too."""

    first: int
    last: int
    start: int
    length: int

    @property
    def days(self) -> Sequence[int]:
        return [(self.first + step) % 7 for step in range((self.last - self.first) % 7 + 1)]

    def __str__(self) -> str:
        end = (self.start + self.length) % DAY_MINUTES
        days = DAYS[self.first] if self.first == self.last else f"{DAYS[self.first]}-{DAYS[self.last]}"
        return f"{days} {self.start // 60:02}:{self.start % 60:02}-{end // 60:02}:{end % 60:02}"

    def holds(self, moment: datetime) -> bool:
        """By counting."""
        minute = moment.hour * 60 + moment.minute
        today = moment.weekday() in self.days and self.start <= minute < self.start + self.length
        yesterday = (
            moment.weekday() - 1
        ) % 7 in self.days and minute < self.start + self.length - DAY_MINUTES
        return today or yesterday


days = st.integers(0, 6)
spans = st.builds(Span, days, days, st.integers(0, DAY_MINUTES - 1), st.integers(1, DAY_MINUTES - 1))
moments = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31"))


@settings(max_examples=60)
@given(span=spans, moment=moments)
def test_any_span_of_a_week_holds_when_counting_says_so(span: Span, moment: datetime) -> None:
    timetable = office_timetable(str(span))
    assert timetable is not None
    at = moment.replace(second=0, microsecond=0)
    for when in (at, at - timedelta(minutes=at.minute - span.start % 60)):
        assert timetable.at(when).is_closed is not span.holds(when)


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_no_text_breaks_it(hours: str) -> None:
    timetable = office_timetable(hours)
    if timetable is not None:
        timetable.at(datetime.fromisoformat("2026-11-22 10:00"))

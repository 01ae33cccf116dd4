"""Days of a business's clock, and what numbers come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.reports import (
    HOURS,
    BusinessDay,
    Cost,
    Traffic,
    answer_times,
    business_day_of,
    read_day,
)
from server.errors import UnprocessableRequest

ROME = ZoneInfo("Europe/Rome")
TODAY = BusinessDay(date(2026, 11, 21), ROME)
ZONES = st.sampled_from(
    [
        "Europe/Rome",
        "Asia/Jerusalem",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Cairo",
        "America/Santiago",
        "Pacific/Apia",
    ]
).map(ZoneInfo)
DATES = st.dates(date(2000, 1, 2), date(2035, 1, 1))


@given(DATES, ZONES)
def test_the_hours_of_a_day_cover_it_whole_and_in_order(day: date, zone: ZoneInfo) -> None:
    found = BusinessDay(day, zone)
    assert len(found.hours) == HOURS
    edges = [*found.hours, found.span.end]
    assert edges == sorted(edges)
    assert edges[0] == found.span.start
    assert found.span.end == found.shifted(1).span.start


@given(DATES, st.times(), ZONES)
def test_a_moment_is_within_its_day(day: date, at: time, zone: ZoneInfo) -> None:
    moment = datetime.combine(day, at, UTC)
    span = business_day_of(moment, zone).span
    assert span.start <= moment < span.end


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)])
def test_a_day_is_as_long_as_the_clock_makes_it(day: str, hours: int) -> None:
    span = BusinessDay(date.fromisoformat(day), ROME).span
    assert span.end - span.start == timedelta(hours=hours)


def test_a_day_is_read_and_yesterday_is_meant_without_one() -> None:
    assert read_day("2026-11-03", TODAY) == BusinessDay(date(2026, 11, 3), ROME)
    assert read_day("2026-11-21", TODAY) == TODAY
    assert read_day("", TODAY) == TODAY.shifted(-1)


@given(st.text(min_size=1, max_size=12))
def test_what_is_no_day_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(UnprocessableRequest, match="2026-11-21"):
        read_day(f"{text}x", TODAY)


def test_of_a_hundred_answers_ninety_five_took_no_longer() -> None:
    times = answer_times([float(number) for number in range(100, 0, -1)])
    assert (times.count, times.median_s, times.p95_s) == (100, 50.5, 95.0)
    assert answer_times([7.0]).p95_s == 7.0
    assert answer_times([]).median_s is None


def test_shares_are_of_what_there_is() -> None:
    assert Traffic(desk=3, staff=1).desk_share == 0.75
    assert Traffic(guests=5).desk_share is None
    assert Cost(2_500_000, 5.0, 1, 0).share == 0.5
    assert Cost(2_500_000, 0.0, 1, 0).share is None

"""When the team is there again, and how much of its hours has passed, whatever the clock is doing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.domain.tenants import TenantSettings
from server.knowledge.office_hours import OfficeHours, office_hours

WEEK = "Su-Th 08:00-18:00; Fr 08:00-13:00"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ZONES = ("Asia/Jerusalem", "America/New_York", "UTC")


def hours(written: str, zone: str = "Asia/Jerusalem") -> OfficeHours:
    found = office_hours(TenantSettings(name="Harbour House", time_zone=zone, office_hours=written))
    assert found is not None
    return found


def local(moment: str, zone: str = "Asia/Jerusalem", fold: int = 0) -> datetime:
    """*moment* of the business's clock; with *fold* the second time that it shows it."""
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "back"),
    [
        ("2026-11-22 07:59", "2026-11-22 08:00"),  # a Sunday
        ("2026-11-22 18:00", "2026-11-23 08:00"),
        ("2026-11-27 13:00", "2026-11-29 08:00"),
        ("2026-11-28 23:59", "2026-11-29 08:00"),
    ],
)
def test_out_of_the_hours_it_is_told_when_they_begin(now: str, back: str) -> None:
    assert hours(WEEK).opens_next(local(now)) == local(back)


def test_within_the_hours_there_is_nothing_to_tell() -> None:
    for now in ("2026-11-22 08:00", "2026-11-22 17:59", "2026-11-27 12:59"):
        assert hours(WEEK).opens_next(local(now)) is None
        assert hours(WEEK).are_on(local(now))


def test_hours_that_never_begin_have_no_beginning() -> None:
    assert hours("off").opens_next(local("2026-11-22 10:00")) is None
    assert hours("off").when_passed(local("2026-11-22 10:00"), timedelta(minutes=5)) is None


@pytest.mark.parametrize("written", ["", "sun-thu 8-18", "Mo-Fr 08:00-18:00; PH off", '"by appointment"'])
def test_hours_that_cannot_be_told_for_sure_are_none(written: str) -> None:
    assert office_hours(TenantSettings(name="Harbour House", office_hours=written)) is None


@pytest.mark.parametrize(
    ("since", "minutes", "then"),
    [
        ("2026-11-22 10:00", 5, "2026-11-22 10:05"),
        ("2026-11-21 10:00", 5, "2026-11-22 08:05"),
        ("2026-11-22 17:58", 5, "2026-11-23 08:03"),
        ("2026-11-22 17:55", 5, "2026-11-23 08:00"),
        ("2026-11-27 12:00", 61, "2026-11-29 08:01"),
        ("2026-11-22 08:00", 600 + 600 + 1, "2026-11-24 08:01"),
    ],
)
def test_only_time_within_the_hours_passes(since: str, minutes: int, then: str) -> None:
    assert hours(WEEK).when_passed(local(since), timedelta(minutes=minutes)) == local(then)


def test_an_hour_that_is_left_out_in_spring_does_not_pass() -> None:
    # Jerusalem goes from 02:00 to 03:00.
    passed = hours("Mo-Su 00:00-24:00").when_passed(local("2026-03-27 01:30"), timedelta(hours=1))
    assert passed == local("2026-03-27 03:30")


def test_an_hour_that_comes_twice_in_autumn_passes_twice() -> None:
    # Jerusalem goes from 02:00 back to 01:00.
    passed = hours("Mo-Su 00:00-24:00").when_passed(local("2026-10-25 00:30"), timedelta(hours=2))
    assert passed == local("2026-10-25 01:30", fold=1)


def test_in_the_second_of_two_same_hours_the_beginning_is_still_to_come() -> None:
    now = local("2026-10-25 01:30", fold=1)
    assert hours("Mo-Su 01:45-18:00").opens_next(now) == local("2026-10-25 01:45", fold=1)


@st.composite
def written_hours(draw: st.DrawFn) -> str:
    """Some hours of some days of the week."""
    rules = []
    for day in draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=4, unique=True)):
        first, last = sorted(draw(st.lists(st.integers(0, 1_439), min_size=2, max_size=2, unique=True)))
        rules.append(f"{day} {first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}")
    return "; ".join(rules)


moments = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31"))


@given(written=written_hours(), zone=st.sampled_from(ZONES), moment=moments)
def test_the_hours_begin_in_the_future_are_on_then_and_not_before(
    written: str, zone: str, moment: datetime
) -> None:
    found, now = hours(written, zone), moment.replace(tzinfo=UTC)
    back = found.opens_next(now)
    assume(back is not None)
    assert back is not None
    assert back > now
    offsets = {one.astimezone(ZoneInfo(zone)).utcoffset() for one in (now, back)}
    # Where the clock is changed between, its hands show some hours twice or never.
    assume(len(offsets) == 1)
    assert found.are_on(back)
    between = now
    while between < back:
        assert not found.are_on(between)
        between += timedelta(minutes=31)
    assert not found.are_on(back - timedelta(microseconds=1))


@given(written=written_hours(), moment=moments, minutes=st.integers(0, 2_000))
def test_what_has_passed_is_what_counting_minutes_says(written: str, moment: datetime, minutes: int) -> None:
    found, since = hours(written, "UTC"), moment.replace(second=0, microsecond=0, tzinfo=UTC)
    counted, then = 0, since
    while counted < minutes or not found.are_on(then):
        counted += found.are_on(then)
        then += timedelta(minutes=1)
        assume(then - since < timedelta(days=9))
    assert found.when_passed(since, timedelta(minutes=minutes)) == then

"""On which days a document holds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.knowledge import Document
from server.knowledge.seasons import can_hold_together, holds_on, next_from


def _from_until(valid_from: str, valid_until: str) -> Document:
    return Document("d", "Pool", "Open.", "en", valid_from, valid_until)


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "day", "holds"),
    [
        ("", "", "2026-07-01", True),
        ("2026-06-01", "2026-09-30", "2026-06-01", True),
        ("2026-06-01", "2026-09-30", "2026-09-30", True),
        ("2026-06-01", "2026-09-30", "2026-05-31", False),
        ("2026-06-01", "2026-09-30", "2026-10-01", False),
        ("2026-06-01", "2026-09-30", "2027-07-01", False),
        ("2026-06-01", "", "2030-01-01", True),
        ("", "2026-06-01", "2026-06-02", False),
        ("06-01", "09-30", "2031-06-01", True),
        ("06-01", "09-30", "2031-10-01", False),
        ("11-01", "03-31", "2026-11-01", True),
        ("11-01", "03-31", "2026-12-31", True),
        ("11-01", "03-31", "2027-01-01", True),
        ("11-01", "03-31", "2027-03-31", True),
        ("11-01", "03-31", "2027-04-01", False),
        ("11-01", "03-31", "2026-10-31", False),
        ("11-01", "", "2026-12-01", True),
        ("11-01", "", "2026-10-01", False),
        ("", "03-31", "2026-03-31", True),
        ("", "03-31", "2026-04-01", False),
        ("02-29", "", "2028-02-29", True),
        ("02-29", "", "2027-02-28", False),
        ("02-29", "", "2027-03-01", True),
        ("", "02-29", "2027-02-28", True),
        ("", "02-29", "2027-03-01", False),
        ("05-05", "05-05", "2027-05-05", True),
        ("06-01", "2026-09-30", "2026-07-01", True),
        ("06-01", "2026-09-30", "2027-07-01", False),
    ],
)
def test_a_document_holds_between_its_bounds(
    valid_from: str, valid_until: str, day: str, holds: bool
) -> None:
    assert holds_on(_from_until(valid_from, valid_until), date.fromisoformat(day)) is holds


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "day", "comes"),
    [
        ("06-01", "09-30", "2026-11-25", "2027-06-01"),
        ("06-01", "09-30", "2026-05-31", "2026-06-01"),
        ("11-01", "03-31", "2026-10-31", "2026-11-01"),
        ("2027-06-01", "2027-09-30", "2026-11-25", "2027-06-01"),
        ("2050-06-01", "", "2026-11-25", "2050-06-01"),
        ("02-29", "02-29", "2026-11-25", "2028-02-29"),
        ("02-29", "02-29", "2097-01-01", "2104-02-29"),
        ("06-01", "", "2026-01-01", "2026-06-01"),
        ("", "03-31", "2026-04-01", "2027-01-01"),
        ("2026-06-01", "2026-09-30", "2026-11-25", None),
        ("06-01", "2026-09-30", "2026-11-25", None),
        ("06-01", "09-30", "2026-07-01", None),
        ("", "", "2026-07-01", None),
        ("9999-12-31", "", "2026-07-01", "9999-12-31"),
        ("", "2026-01-01", "9999-12-31", None),
    ],
)
def test_the_day_from_which_it_holds_again_is_known(
    valid_from: str, valid_until: str, day: str, comes: str | None
) -> None:
    found = next_from(_from_until(valid_from, valid_until), date.fromisoformat(day))
    assert found == (date.fromisoformat(comes) if comes else None)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (("", ""), ("", ""), True),
        (("06-01", "09-30"), ("11-01", "03-31"), False),
        (("06-01", "09-30"), ("09-30", "10-31"), True),
        (("11-01", "03-31"), ("03-01", "05-31"), True),
        (("2026-06-01", "2026-09-30"), ("2027-06-01", "2027-09-30"), False),
        (("2026-06-01", "2026-09-30"), ("11-01", "03-31"), False),
        (("2026-06-01", "2026-12-01"), ("11-01", "03-31"), True),
        (("2026-01-01", "2026-02-01"), ("11-01", "03-31"), True),
        (("2026-02-01", ""), ("11-01", "03-31"), True),
        (("02-29", "02-29"), ("02-01", "03-31"), True),
        (("", "2026-01-01"), ("2026-01-02", ""), False),
        (("", "2026-01-01"), ("2026-01-01", ""), True),
    ],
)
def test_two_may_hold_on_one_day(one: tuple[str, str], other: tuple[str, str], together: bool) -> None:
    assert can_hold_together(_from_until(*one), _from_until(*other)) is together
    assert can_hold_together(_from_until(*other), _from_until(*one)) is together


_DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
_BOUNDS = st.one_of(
    st.just(""), _DAYS.map(date.isoformat), _DAYS.map(lambda day: f"{day:%m-%d}"), st.just("02-29")
)


@given(_BOUNDS, _BOUNDS, _DAYS)
def test_the_next_day_holds_and_none_before_it_does(valid_from: str, valid_until: str, day: date) -> None:
    document = _from_until(valid_from, valid_until)
    comes = next_from(document, day)
    if comes is None:
        return
    assert comes > day
    assert holds_on(document, comes)
    assert not holds_on(document, comes - timedelta(1))


@given(_BOUNDS, _BOUNDS, _BOUNDS, _BOUNDS, _DAYS)
def test_two_that_both_hold_on_a_day_can_hold_together(a: str, b: str, c: str, d: str, day: date) -> None:
    one, other = _from_until(a, b), _from_until(c, d)
    if holds_on(one, day) and holds_on(other, day):
        assert can_hold_together(one, other)


@given(st.text(max_size=12), st.text(max_size=12), _DAYS)
def test_bounds_that_are_no_days_break_nothing(valid_from: str, valid_until: str, day: date) -> None:
    document = _from_until(valid_from, valid_until)
    assert isinstance(holds_on(document, day), bool)
    assert next_from(document, day) is None or not holds_on(document, day)
    assert isinstance(can_hold_together(document, document), bool)

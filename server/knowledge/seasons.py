"""Documents that hold for a part of the year, or for one stretch of days.

Both bounds are days at the business. ISO dates sort as text, and so do months and days, so that a bound is
compared with as much of the day as it gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date

from server.domain.knowledge import Document

# A yearly 29 February comes round within eight years, also across 2100.
_LONGEST_WAIT_DAYS = 8 * 366
_YEARLY = len("MM-DD")


def holds_on(document: Document, day: date) -> bool:
    """Whether what *document* says is so on *day*; both its bounds count in.

    A yearly stretch may pass the new year. One that starts or ends on 29 February takes in, in other years,
    what comes after the 28th, or ends with it.
    """
    start, end = document.valid_from, document.valid_until
    has_begun = not start or _as_written(day, start) >= start
    has_not_ended = not end or _as_written(day, end) <= end
    if len(start) == len(end) == _YEARLY and start > end:
        return has_begun or has_not_ended
    return has_begun and has_not_ended


def next_from(document: Document, day: date) -> date | None:
    """The first day after *day* on which *document* holds again.

    None if it holds on *day*, or never again.
    """
    if holds_on(document, day):
        return None
    first = max(day.toordinal() + 1, _first_day(document.valid_from).toordinal())
    last = min(first + _LONGEST_WAIT_DAYS, date.max.toordinal())
    days = (date.fromordinal(number) for number in range(first, last + 1))
    return next((later for later in days if holds_on(document, later)), None)


def can_hold_together(one: Document, other: Document) -> bool:
    """Whether there is a day on which both hold."""
    starts = [day for document in (one, other) for day in _starts(document, (one, other))]
    return any(holds_on(one, day) and holds_on(other, day) for day in starts)


def _as_written(day: date, bound: str) -> str:
    """*day* in the form of *bound*: with its year or without."""
    return day.isoformat()[-len(bound) :]


def _first_day(bound: str) -> date:
    """The day of a bound with a year; for any other the first day there is."""
    with suppress(ValueError):
        return date.fromisoformat(bound)
    return date.min


def _starts(document: Document, among: Sequence[Document]) -> Iterator[date]:
    """The days on which *document* may begin to hold, in the years that *among* name, and around them."""
    bounds = [bound for other in among for bound in (other.valid_from, other.valid_until)]
    named = {_first_day(bound).year for bound in bounds if len(bound) > _YEARLY}
    # A leap year and one that is none stand for all, where none is named.
    years = {year + step for year in named for step in (-1, 0, 1)} | {2027, 2028}
    if len(document.valid_from) > _YEARLY:
        yield _first_day(document.valid_from)
    start = document.valid_from[-_YEARLY:] or "01-01"
    for year in sorted(years & set(range(date.min.year, date.max.year + 1))):
        yield date(year, 1, 1)
        with suppress(ValueError):
            # From 29 February on is from 1 March in most years.
            yield date(year, 3, 1) if start == "02-29" else date.fromisoformat(f"{year:04}-{start}")
        with suppress(ValueError):
            yield date.fromisoformat(f"{year:04}-{start}")

"""What an author says about a document beside its text: its id, its season, its opening hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]

from server.domain.phrases import Phrase
from server.errors import InvalidRequest

_EXAMPLE = '{#pool from=06-01 until=09-30 hours="Su-Fr 08:00-19:00"}'
_HOURS_EXAMPLE = "Su-Th 07:00-10:30; Fr 07:00-12:00; Sa off"
_MAX_HOURS = 500

_BRACES = re.compile(r"\s*\{([^{}]*)\}\s*$")
# Other words in braces are part of the heading.
_IS_MARKS = re.compile(r"\s*(?:#|\w+\s*=)")
_MARK = re.compile(
    r"""\s*(?:\#(?P<id>[^\s{}#]+)|(?P<key>\w+)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+)))(?=\s|$)"""
)
# Word processors and phones type these for the plain one.
_STRAIGHT_QUOTES = str.maketrans(dict.fromkeys("“”„״", '"'))
_FIELDS = {"from": "valid_from", "until": "valid_until", "hours": "hours"}

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}")
_SOME_LEAP_YEAR = "2000-"


@dataclass(frozen=True, slots=True)
class Marks:
    """See ``Document`` for each; empty where the author says nothing."""

    id: str = ""
    valid_from: str = ""
    valid_until: str = ""
    hours: str = ""


NO_MARKS = Marks()


def split_marks(heading: str, where: str) -> tuple[str, Marks]:
    """A heading without the braces at its end, and what they say.

    Raises:
        InvalidRequest: they cannot be read, or name a day or hours that cannot be.
    """
    braces = _BRACES.search(heading)
    if braces is None or not _IS_MARKS.match(braces[1]):
        return heading.strip(), NO_MARKS
    values = _values(braces[1].translate(_STRAIGHT_QUOTES), where)
    return heading[: braces.start()].strip(), checked(Marks(**values), where)


def checked(marks: Marks, where: str) -> Marks:
    """The same *marks*.

    Raises:
        InvalidRequest: they name a day or hours that cannot be.
    """
    _check_season(marks.valid_from, marks.valid_until, where)
    _check_hours(marks.hours, where)
    return marks


def _values(content: str, where: str) -> dict[str, str]:
    values: dict[str, str] = {}
    place = 0
    while content[place:].strip():
        mark = _MARK.match(content, place)
        name = ("id" if mark["id"] else _FIELDS.get(mark["key"])) if mark else None
        if mark is None or name is None or name in values:
            raise InvalidRequest(
                Phrase(
                    "{where}: {marks} cannot be read; write it like {example}",
                    where=where,
                    marks=f"{{{content}}}",
                    example=_EXAMPLE,
                )
            )
        values[name] = mark["id"] or mark["double"] or mark["single"] or mark["bare"] or ""
        place = mark.end()
    return values


def _check_season(first: str, last: str, where: str) -> None:
    for day in filter(None, (first, last)):
        if not _is_day(day):
            raise InvalidRequest(
                Phrase(
                    "{where}: {day!r} is no day; write 2026-06-01, or 06-01 for the same day of every year",
                    where=where,
                    day=day,
                )
            )
    if "" not in (first, last) and len(first) != len(last):
        raise InvalidRequest(
            Phrase("{where}: give both days of the season with their year, or both without", where=where)
        )
    if "" in (first, last) and _DAY_OF_YEAR.fullmatch(first + last):
        raise InvalidRequest(
            Phrase(
                "{where}: a season of every year needs its first and its last day (06-01 and 09-30)",
                where=where,
            )
        )
    if _DATE.fullmatch(first) and last and last < first:
        raise InvalidRequest(
            Phrase(
                "{where}: the season ends ({last}) before it begins ({first}); change a day",
                where=where,
                last=last,
                first=first,
            )
        )


def _is_day(text: str) -> bool:
    if _DAY_OF_YEAR.fullmatch(text):
        text = _SOME_LEAP_YEAR + text
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _check_hours(hours: str, where: str) -> None:
    if not hours:
        return
    try:
        if len(hours) <= _MAX_HOURS:
            OpeningHours(hours)
            return
    except ParserError:
        pass
    raise InvalidRequest(
        Phrase(
            "{where}: the hours {hours!r} cannot be read; write them like {example!r}"
            " (https://wiki.openstreetmap.org/wiki/Key:opening_hours)",
            where=where,
            hours=hours[:80],
            example=_HOURS_EXAMPLE,
        )
    )

"""Which moment a guest's question is about: now, a day, an hour or a part of a day, at the business.

English and Hebrew. All is read from the question in its canonical spelling with numbers in digits, and of
several moments the first counts. Words that have many readings are read only where one is meant:
"Shabbat shalom" and "good morning" are greetings, and 7.30 is a time, as no month has that number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from server.knowledge.claims import MONTHS
from server.knowledge.numerals import in_digits
from server.knowledge.question import MAX_LENGTH
from server.knowledge.reading import canonical


class Part(StrEnum):
    """A part of a day. An evening ends with its day, a night in the morning after."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a question asks about, on the calendar and the clock of the business.

    ``at`` is given where an hour was named, and for now; ``part`` where a part of the day was named and no
    hour.
    """

    day: date
    at: time | None = None
    part: Part | None = None
    is_now: bool = False


class _Named(NamedTuple):
    """A day that the text names from ``start`` to ``end``; ``part`` if its name tells one."""

    start: int
    end: int
    day: date
    part: Part | None = None
    is_date: bool = False


class _Clock(NamedTuple):
    """A time as written; ``is_sure`` unless 7 may be 19 too."""

    at: time
    is_sure: bool


def _word(english: str, hebrew: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{english})\b|(?<![א-ת])(?:{hebrew})(?![א-ת])")


_NOW = _word(
    r"now|at (?:the|this) moment|currently|at present|as we speak", "[ושלמ]{0,2}(?:עכשיו|כרגע|כעת)|ברגע זה"
)
_STILL = _word("still|already|yet", "[וש]{0,2}(?:עדיין|עדין|כבר)")

_TODAY = _word(
    r"today|tonight|this (?:morning|noon|afternoon|evening)",
    r"[ולמשב]{0,2}היום|(?<!ארוחת )(?<!ארוחות )(?<!אחר )(?<!אחרי )[ולמש]?ה(?:בוקר|צהריים|ערב|לילה)",
)
_TOMORROW = _word("tomorr?ow|tommorr?ow|tmrw|tmr", "[ולמשב]{0,2}מחר")
_DAY_AFTER = _word(r"(?:the )?day after tomorr?ow|overmorrow", "[ולמשב]{0,2}(?:מחרתיים|מוחרתיים|מחרתים)")

_ENGLISH_DAYS = (
    "mon(?:days?)?", "tue(?:s|sdays?)?", "wed(?:s|nesdays?)?", "thu(?:rs?|rsdays?)?", "fri(?:days?)?",
    "saturdays?|(?<=on )sat|(?<=this )sat|(?<=next )sat", "sundays?|(?<=on )sun|(?<=this )sun|(?<=next )sun",
)  # fmt: skip
_HEBREW_DAYS = (
    ("שני", "ב"), ("שלישי", "ג"), ("רביעי", "ד"), ("חמישי", "ה"), ("שישי", "ו"), ("שבת", "ש"), ("ראשון", "א"),
)  # fmt: skip
# "On the second" may go on as "in two of the buildings", "on the first" as the name of a town.
_NO_NOUN = r"(?=\s*(?:$|[?.,!;]|\d|(?:ב-?\d|בבוקר|בצהריים|בערב|בלילה|בשעה|ה?קרוב|ה?בא|אחר|אחה|עד|מ-?\d|או)))"
_SHABBAT = r"(?:ha)?(?:shabb?ath?|shabbos|shabbes|sabbath)"


def _weekday(place: int) -> re.Pattern[str]:
    name, letter = _HEBREW_DAYS[place]
    forms = [rf"[ולמשב]{{0,2}}(?:יום|ימי)\s+(?:ה?{name}|{letter}(?:'|(?![א-ת\"])))"]
    english = _ENGLISH_DAYS[place]
    match name:
        case "שבת":
            forms.append(r"[ולמשבה]{0,3}שבת(?!\s+שלום)")
            english += rf"|{_SHABBAT}(?!\s+shalom)"
        case "שישי":
            forms.append("[ולמשבה]{0,3}שישי")
        case _:
            forms.append(rf"ב-?{name}{_NO_NOUN}")
    return re.compile(rf"\b(?P<next>next )?(?:{english})\b|(?<![א-ת])(?:{'|'.join(forms)})(?![א-ת])")


_WEEKDAYS = tuple(_weekday(place) for place in range(7))
_FRIDAY, _SATURDAY = 4, 5
# Days named by the Sabbath, with the part that the name tells.
_SABBATH_TIMES = (
    (
        _word(rf"(?:motz\w*|mots\w*|after) {_SHABBAT}", r"[בל]?(?:מוצאי|צאת)\s+ה?שבת|[בל]?מוצ\"?ש|אחרי שבת"),
        _SATURDAY,
        Part.EVENING,
    ),
    (_word(rf"leil {_SHABBAT}", r"[בל]?ליל\s+ה?שבת"), _FRIDAY, Part.NIGHT),
    (_word(rf"erev {_SHABBAT}", r"[בל]?ערב\s+ה?שבת"), _FRIDAY, None),
    (_word(rf"{_SHABBAT} (?:begins|starts|enters)", r"[בל]?כניסת\s+ה?שבת"), _FRIDAY, Part.EVENING),
)

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR = r"(?:,?\s*(?P<year>20\d\d))?"
_NO_CLOCK_BEFORE = r"(?<![\d.:/])(?<!at )(?<!till )(?<!until )(?<!שעה )"
_DATES = (
    re.compile(r"(?<!\d)(?P<year>20\d\d)-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)"),
    re.compile(
        rf"{_NO_CLOCK_BEFORE}(?P<day>\d{{1,2}})(?P<sign>[./])(?P<month>\d{{1,2}})"
        rf"(?:(?P=sign)(?P<year>20\d\d|\d\d))?(?![\d/:]|\.\d)(?!\s*(?:am|pm|-\s*\d))"
    ),
    re.compile(
        rf"(?<![\d.:])(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?[בל]?(?P<month>{_MONTH})(?![a-zא-ת]){_YEAR}"
    ),
    re.compile(rf"(?<![a-zא-ת])(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]){_YEAR}"),
)
_MOST_YEARS_AHEAD = 8

_PARTS = (
    (Part.MORNING, _word("(?<!good )mornings?", "(?<!ארוחת )(?<!ארוחות )[בהלמ]בוקר|(?<=מחר )בוקר")),
    (
        Part.AFTERNOON,
        _word(
            "(?<!good )afternoons?", r"(?:אחר|אחרי)\s+ה?צהריים|אחה['\"]*צ|(?:ב|(?<!אחר )(?<!אחרי )ה)צהריים"
        ),
    ),
    (
        Part.EVENING,
        _word("(?<!good )evenings?|tonight", "(?<!ארוחת )(?<!ארוחות )[בהל]ערב(?! שבת)|(?<=מחר )ערב"),
    ),
    (
        Part.NIGHT,
        _word(r"(?:at|mid|day|tomorrow|shabbat)\s?night|(?<=day )night", "[בה]לילה|(?<=מחר )לילה|בחצות"),
    ),
)
# In minutes after the day begins.
_PART_HOURS = {Part.MORNING: (5, 12), Part.AFTERNOON: (12, 18), Part.EVENING: (17, 24), Part.NIGHT: (19, 28)}

_MEASURE = (
    r"(?!\d|[.:/,]\d|\s*(?:%|₪|\$|€|st\b|nd\b|rd\b|th\b|nis\b|shekel|euro|dollar|nights?\b|days?\b|hours?\b"
    r"|weeks?\b|min|km\b|kg\b|m\b|people|persons?\b|guests?\b|adults?\b|kids\b|child|rooms?\b"
    r"|ש\"?ח|שקל|אירו|דולר|לילות|ימים|שעות|שבועות|דקות|אנשים|אורחים|מבוגרים|ילדים|חדרים|קילו|ק\"|מטר))"
)
_HALF_DAY = re.compile(
    r"(?<![\d:.,/])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>[ap])\.?\s?m\b"
)
_CLOCK = re.compile(r"(?<![\d:./])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![\d:])")
_HOUR = re.compile(
    r"(?:\b(?:at|by|around|about|till|until|before|after|past)\s+|(?<![א-ת])[בלמ]?-?ה?שעה\s+"
    r"|(?<![א-ת])(?:ב|עד|אחרי|לפני)\s?-?\s?)"
    rf"(?P<hour>[01]?\d|2[0-4])(?:\.(?P<minute>[0-5]\d))?(?P<half>)?{_MEASURE}"
)
_HOUR_OF_PART = re.compile(
    r"(?<![\d:./])(?P<hour>1?\d)(?P<minute>)(?=\s+(?:in the (?:morning|afternoon|evening)|at night"
    r"|o'?\s?clock|בבוקר|בצהריים|אחה|אחרי? ה?צהריים|בערב|בלילה))"
)
_NOON = re.compile(r"\bnoon\b")

_OTHER_TIMES = _word(
    r"weekends?|weekdays|week|yesterday|holidays?|every day|each day|daily|all days|(?:which|what) days"
    r"|(?:next|this|last) (?:month|year|season)|summer|winter|spring|autumn|season"
    r"|in (?:an?|half|a few|\d+) ?(?:an )?(?:hours?|minutes?|days?|weeks?|months?)"
    r"|passover|pesach|rosh hashana\w*|yom kippur|sukk?ot\w*|hanukk?ah?|chanukk?ah?|purim|shavuot"
    r"|christmas|xmas|easter|new year'?s?(?: eve| day)?|ramadan|independence day"
    rf"|(?:in|during|until|till|from|of|since) (?:{_MONTH})",
    r"[ובלהמש]{0,2}(?:סופי? ?ה?שבוע|סופ\"?ש|שבוע|אתמול|חג(?! שמח)|חגים|פסח|ראש השנה|יום כיפור|סוכות|חנוכה"
    r"|פורים|שבועות|יום העצמאות|קיץ|חורף|אביב|סתיו|עונה|חודש הבא|שנה הבאה)|כל יום|יום יום|בעוד"
    r"|(?:אילו|איזה|באילו|באיזה) ימים|ימי חול|ימות השבוע|[בלמ](?:" + _MONTH + ")",
)

_OPENNESS = _word(
    r"open(?:s|ed|ing)?|clos(?:e|es|ed|ing)|shuts?|(?<!\d )hours"
    r"|available (?:now|right now|at the moment|today|tonight|tomorrow|on|at)",
    r"[ושהכ]{0,2}(?:פתוח|פתוחה|פתוחים|פתוחות|סגור|סגורה|סגורים|סגורות|נפתח|נפתחת|נפתחים|נסגר|נסגרת|נסגרים"
    r"|פותחים|סוגרים|פותחת|סוגרת|פתיחה|סגירה|תיפתח|תיסגר|ייפתח|ייסגר)|[ובהל]{0,2}שעות",
)
_TIMES = _word(
    r"(?:un)?till? (?:when|what time)|from when|since when|(?:at |from |by )?what times?|which times?"
    r"|how late|how early"
    r"|when(?:'s| is| are| does| do)(?: the| your| you)?(?: \w+){0,3} (?:served?|starts?|begins?|ends?"
    r"|finish|finishes|available|on)|when(?:'s| is| are) (?:the |your )?(?:breakfast|brunch|lunch|dinner)",
    r"[וש]?(?:עד מתי|ממתי|מ?מתי(?= (?:מוגש|מגישים|מתחיל|נגמר|מסתיי|אפשר|ניתן|ה?ארוח|יש|ה))"
    r"|(?:ב|עד |מ|החל מ|לפי )?(?:איזו|איזה|אילו) שעו?ת?ה?|מה השעות)",
)
_WHEN = _word(r"when|what|till?|until|hours|times?", r"[וש]?מ?מתי|עד|[ובהל]{0,2}שע(?:ה|ות)")
_MAY = _word(
    r"(?:can|could|may) (?:we|i|you|one|my|our|the)|(?:is|are|will) there|do you have",
    r"[וש]?(?:אפשר|ניתן|נוכל|אוכל|האם|יש|יהיה|תהיה)",
)
# A time for doing something, not one of being open.
_DOING = _word(
    r"book|booked|booking|reserv\w*|cancel\w*|pay|paid|payment|order|ordered|cost|costs|price|arriv\w*|check\w*|leave"
    r"|depart\w*|flight|bus|train|taxi|transfer|shuttle|pick",
    r"\S*(?:להזמין|הזמנה|לבטל|ביטול|לשלם|תשלום|לעזוב|להגיע|הגעה|מגיעים|צ'ק|אוטובוס|רכבת|מונית|הסעה|עולה|מחיר)\S*",
)


def asks_about_opening(question: str) -> bool:
    """Whether *question* is about when something is open: "open", "closed", "hours", "until when"."""
    text = _read(question)
    if _OPENNESS.search(text):
        return True
    return _TIMES.search(text) is not None and _DOING.search(text) is None


def asks_if_open(question: str) -> bool:
    """Whether *question* is whether something is open, which changes by the hour: not when or until when."""
    text = _read(question)
    return _OPENNESS.search(text) is not None and _WHEN.search(text) is None


def asks_whether(question: str) -> bool:
    """Whether *question* is whether one may or whether there is: "can we swim", "is there breakfast"."""
    text = _read(question)
    return _MAY.search(text) is not None and _DOING.search(text) is None


def names_other_times(question: str) -> bool:
    """Whether *question* names a time that is no single moment: "on weekends", "in August", "at Passover"."""
    return _OTHER_TIMES.search(_without_dates(_read(question))) is not None


def asked_moment(question: str, now: datetime) -> Moment | None:
    """The moment that *question* names; None if it names none, or one that is no single moment.

    A weekday or a date without its year is the next to come, today included. An hour that may be in the
    morning or the evening is the next to come if it is today's, else as on a clock of 24 hours.

    Args:
        now: in the business's zone.
    """
    text = _read(question)
    if names_other_times(question):
        return None
    named = _first_named(text, now.date())
    is_now = _NOW.search(text)
    if is_now and (named is None or is_now.start() < named.start or named.day == now.date()):
        return Moment(now.date(), now.time(), is_now=True)
    clock, part = _clock(text), _part(text, named)
    if clock is not None:
        return _at_hour(named, clock, part, now)
    if named is not None:
        return Moment(named.day, part=part)
    if part is not None:
        return Moment(_next_with(part, now), part=part)
    return Moment(now.date(), now.time(), is_now=True) if _STILL.search(text) else None


def part_bounds(part: Part, day: date) -> tuple[datetime, datetime]:
    """From when to when *part* of *day* is; naive, on the business's clock."""
    midnight = datetime.combine(day, time())
    first, last = _PART_HOURS[part]
    return midnight + timedelta(hours=first), midnight + timedelta(hours=last)


def _read(question: str) -> str:
    return in_digits(canonical(question[:MAX_LENGTH]))


def _first_named(text: str, today: date) -> _Named | None:
    """The first day that *text* names; a weekday with its date right behind it is that date."""
    named = sorted(_named(text, today), key=lambda day: (day.start, -day.end))
    if not named:
        return None
    first = named[0]
    dated = [day for day in named if day.is_date and 0 <= day.start - first.end <= len(", the ")]
    return dated[0]._replace(start=first.start, part=first.part) if dated else first


def _named(text: str, today: date) -> Iterator[_Named]:
    for pattern, days in ((_TODAY, 0), (_TOMORROW, 1), (_DAY_AFTER, 2)):
        for match in pattern.finditer(text):
            yield _Named(match.start(), match.end(), today + timedelta(days))
    for pattern, weekday, part in _SABBATH_TIMES:
        for match in pattern.finditer(text):
            yield _Named(match.start(), match.end(), _coming(weekday, today), part)
    for weekday, pattern in enumerate(_WEEKDAYS):
        for match in pattern.finditer(text):
            day = _coming(weekday, today + timedelta(1) if match["next"] else today)
            yield _Named(match.start(), match.end(), day)
    for match, day in _dates(text, today):
        yield _Named(match.start(), match.end(), day, is_date=True)


def _coming(weekday: int, day: date) -> date:
    """The first *weekday* from *day* on."""
    return day + timedelta((weekday - day.weekday()) % 7)


def _dates(text: str, today: date) -> Iterator[tuple[re.Match[str], date]]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            month = MONTHS.get(match["month"]) or int(match["month"])
            day = _calendar_day(match["year"], month, int(match["day"]), today)
            if day is not None:
                yield match, day


def _calendar_day(year: str | None, month: int, day: int, today: date) -> date | None:
    """The day of a date as written, the next to come where its year is not; None if there is no such day."""
    if year:
        years = range(int(year) % 100 + 2000, int(year) % 100 + 2001)
    else:
        years = range(today.year, today.year + _MOST_YEARS_AHEAD + 1)
    for number in years:
        with suppress(ValueError):
            found = date(number, month, day)
            if year or found >= today:
                return found
    return None


def _without_dates(text: str) -> str:
    for match, _ in list(_dates(text, date(2028, 1, 1))):
        text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]
    return text


def _part(text: str, named: _Named | None) -> Part | None:
    """The first part of a day that *text* names."""
    if named is not None and named.part is not None:
        return named.part
    found = [(match.start(), part) for part, pattern in _PARTS if (match := pattern.search(text))]
    return min(found)[1] if found else None


def _clock(text: str) -> _Clock | None:
    """The first time of day in *text*."""
    bare = _without_dates(text)
    noon = _NOON.search(bare)
    if noon:
        return _Clock(time(12), is_sure=True)
    found = [
        match for pattern in (_HALF_DAY, _CLOCK, _HOUR, _HOUR_OF_PART) if (match := pattern.search(bare))
    ]
    return _clock_of(min(found, key=lambda match: match.start("hour"))) if found else None


def _clock_of(match: re.Match[str]) -> _Clock:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = match.groupdict().get("half")
    if half and hour <= 12:
        return _Clock(time(hour % 12 + (12 if half == "p" else 0), minute), is_sure=True)
    is_sure = hour > 12 or match["hour"].startswith("0")
    return _Clock(time(hour % 24, minute), is_sure)


def _at_hour(named: _Named | None, clock: _Clock, part: Part | None, now: datetime) -> Moment:
    day = named.day if named else now.date()
    if part is not None and not clock.is_sure:
        return _at_hour_of(part, clock.at, day)
    readings = [clock.at]
    if not clock.is_sure and day == now.date():
        readings = sorted({clock.at, clock.at.replace(hour=(clock.at.hour + 12) % 24)})
    to_come = [at for at in readings if day > now.date() or at >= now.time()]
    if to_come:
        return Moment(day, to_come[0])
    return Moment(day if named else day + timedelta(1), clock.at)


def _at_hour_of(part: Part, at: time, day: date) -> Moment:
    """ "Eight in the evening", "one at night": the latter is on the day after."""
    if part is Part.MORNING:
        return Moment(day, at)
    if part is not Part.AFTERNOON and (at.hour == 12 or at.hour < 5):
        return Moment(day + timedelta(1), at.replace(hour=at.hour % 12))
    return Moment(day, at if at.hour == 12 else at.replace(hour=at.hour % 12 + 12))


def _next_with(part: Part, now: datetime) -> date:
    """The first day whose *part* is not over."""
    _, end = part_bounds(part, now.date())
    return now.date() if now.replace(tzinfo=None) < end else now.date() + timedelta(1)

"""Dates and times found in a text and said in words."""

from __future__ import annotations

import re

from server.voice import clock_words
from server.voice.cardinals import decimal, ordinal
from server.voice.spoken_rules import DASH, PREFIX, Rule, joint, prefix

_MONTH_NAMES = "|".join(
    [*clock_words.MONTHS, *(f"{name[:3]}\\.?" for name in clock_words.MONTHS), r"Sept\.?"]
)
# "24/12-26/12", "24-26 December", "3rd-5th".
_DAY_TO_DAY = re.compile(
    r"(?<![\d/.])(?P<date>\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?)\s?[-–—]\s?(?=\d{1,2}[/.]\d{1,2}(?!\d))"
    rf"|(?<![\d/.:-])(?P<day>\d{{1,2}})(?:st|nd|rd|th)?{DASH}"
    rf"(?=\d{{1,2}}(?:st|nd|rd|th|(?: of)? (?:{_MONTH_NAMES})\b))"
)
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?![:\d])"
_HALF = r"\s?(?:(?:[ap]\.m\.)|[ap]m(?![\w]))"
_ISO_DATE = re.compile(rf"{PREFIX}(?<!\d)(?<!\d-)(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])")
_DATE = re.compile(
    rf"{PREFIX}(?<![\d/.])(?P<first>\d{{1,2}})(?P<mark>[/.])(?P<second>\d{{1,2}})"
    r"(?:(?P=mark)(?P<year>\d{4}|\d\d))?(?![\d/]|\.\d)"
)
_PORTION = re.compile(
    r"\s*(?:an? |of |hour|lit(?:re|er)|kilo|kg|board|bottle|cup|שעה|ליטר|קילו|כוס|בקבוק|פנסיון)"
)
# "8/10 points" is no date.
_COUNT = re.compile(r"\s(?:stars|points|guests|people|reviews|כוכבים|נקודות|אורחים)")
_MONTH_DAY = re.compile(
    rf"\b(?P<month>{_MONTH_NAMES}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
    rf"(?:{DASH}(?P<last>\d{{1,2}})(?:st|nd|rd|th)?)?"
    r"(?:,? (?P<year>20\d\d))?(?![\d:,.]\d|\d| (?:people|guests|persons|adults|children|rooms|nights))"
)
_DAY_MONTH = re.compile(
    rf"\b(?P<the>the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH_NAMES})"
    r"(?: (?P<year>20\d\d))?(?!\w)"
)
_HEBREW_DAY = re.compile(
    rf"{PREFIX}(?<![\d.,:/])(?:(?P<first>\d{{1,2}}){DASH})?(?P<day>\d{{1,2}})"
    rf"(?= ב(?:חודש|{'|'.join(clock_words.HEBREW_MONTHS)})(?![א-ת]))"
)
_DOTTED_CLOCK = rf"(?:1[0-2]|0?\d)\.[0-5]\d(?={_HALF})"
_TIME = re.compile(
    rf"{PREFIX}(?<![\d:.,])(?P<low>{_CLOCK}|{_DOTTED_CLOCK}|\d{{1,2}}(?={_HALF}|{DASH}(?:{_CLOCK}|\d{{1,2}}){_HALF}))"
    rf"(?P<low_half>{_HALF})?(?:{DASH}(?P<high>{_CLOCK}|{_DOTTED_CLOCK}|\d{{1,2}}(?={_HALF}))(?P<high_half>{_HALF})?)?",
    re.IGNORECASE,
)
# Then all times of the text are of the 24-hour clock.
_24_HOURS = re.compile(r"(?<![\d:])(?:0\d|1[3-9]|2[0-4]):[0-5]\d(?![:\d])")
_PART_FOLLOWS = re.compile(
    r"\s*(?:ב(?:בוקר|ערב|לילה|צהריים)|אחר הצהריים|לפנות בוקר"
    r"|in the (?:morning|afternoon|evening)|at (?:night|noon))",
    re.IGNORECASE,
)


def _said_day_to_day(match: re.Match[str], language: str) -> str:
    return (match["date"] or ordinal(int(match["day"]))) + joint(language)


def _said_iso_date(match: re.Match[str], language: str) -> str:
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    if clock_words.day_and_month(day, month) != (day, month):
        return match[0]
    return prefix(match) + clock_words.date(day, month, year, language)


def _said_date(match: re.Match[str], language: str) -> str:
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    is_decimal = match["mark"] == "." and not year
    is_fraction = not year and first < second <= 4 and _PORTION.match(match.string, match.end())
    out_of = " מתוך " if language == "he" else " out of "
    found = clock_words.day_and_month(first, second)
    if not year and _COUNT.match(match.string, match.end()):
        return f"{decimal(match['first'], language)}{out_of}{decimal(match['second'], language)}"
    if is_decimal or found is None:
        return match[0]
    if is_fraction:
        return prefix(match) + _fraction(first, second, language)
    if match[0] == "24/7":
        return f"{decimal('24', language)} {decimal('7', language)}"
    return prefix(match) + clock_words.date(*found, clock_words.full_year(year) if year else None, language)


def _fraction(first: int, second: int, language: str) -> str:
    names = {"en": {2: "half", 3: "third", 4: "quarter"}, "he": {2: "חצי", 3: "שליש", 4: "רבע"}}[language]
    if first == 1:
        return names[second] if language == "he" else f"a {names[second]}"
    if language == "he":
        return {(2, 3): "שני שליש", (2, 4): "חצי", (3, 4): "שלושת רבעי"}[first, second]
    return f"{decimal(str(first), 'en')} {names[second]}s"


def _said_month_day(match: re.Match[str], _language: str) -> str:
    month = _month(match["month"])
    year = f" {clock_words.year_words(int(match['year']))}" if match["year"] else ""
    days = joint("en").join(ordinal(int(day)) for day in (match["day"], match["last"]) if day)
    return f"{clock_words.MONTHS[month - 1]} {days}{year}"


def _said_day_month(match: re.Match[str], _language: str) -> str:
    year = int(match["year"]) if match["year"] else None
    return clock_words.date(int(match["day"]), _month(match["month"]), year, "en")


def _month(name: str) -> int:
    return next(
        number
        for number, month in enumerate(clock_words.MONTHS, 1)
        if month.startswith(name[:3].capitalize())
    )


def _said_hebrew_day(match: re.Match[str], _language: str) -> str:
    days = [decimal(day, "he", "m") for day in (match["first"], match["day"]) if day]
    return prefix(match) + joint("he").join(days)


def _said_time(match: re.Match[str], language: str) -> str:
    last_half = match["high_half"] or match["low_half"]
    is_plain = bool(last_half or _24_HOURS.search(match.string))
    part_follows = _PART_FOLLOWS.match(match.string, match.end()) is not None
    said = []
    for time, half in ((match["low"], match["low_half"] or last_half), (match["high"], match["high_half"])):
        if time:
            hour, minute = _hour_and_minute(time, half)
            if hour is None:
                return match[0]
            names_half = (is_plain or time in ("12:00", "0:00")) and not part_follows
            said.append(clock_words.time_of_day(hour, minute, language, names_half=names_half))
    return prefix(match) + joint(language).join(said)


def _hour_and_minute(time: str, half: str | None) -> tuple[int | None, int]:
    hour, _, minute = time.replace(".", ":").partition(":")
    number = int(hour) % 24
    if half:
        if not 1 <= int(hour) <= 12:
            return None, 0
        number = number % 12 + (12 if "p" in half.lower() else 0)
    return (number if int(hour) < 24 or minute == "00" else None), int(minute or 0)


# A date of three numbers before one of two.
MOMENT_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = (
    (_ISO_DATE, _said_iso_date),
    (_DAY_TO_DAY, _said_day_to_day),
    (_DATE, _said_date),
    (_MONTH_DAY, _said_month_day),
    (_DAY_MONTH, _said_day_month),
    (_HEBREW_DAY, _said_hebrew_day),
    (_TIME, _said_time),
)

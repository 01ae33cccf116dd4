"""What a text states that can be checked: numbers, prices, times, dates, codes, addresses of all kinds.

Each claim is in a normal form ("3 pm" and "15:00", "1,200" and "1200", "₪" and "NIS" are the same), so
that two texts state the same if their claims are equal. Numbers are read in words too.

Reading is a chain: each reader takes its claims out of the text and leaves a gap, so that the next one
does not see the hours of a time as numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical


class Kind(StrEnum):
    """What a claim is about."""

    NUMBER = "number"
    PRICE = "price"
    PERCENT = "percent"
    TIME = "time"
    DATE = "date"
    WEEKDAY = "weekday"
    PHONE = "phone"
    CODE = "code"
    LINK = "link"
    EMAIL = "email"


class Claim(NamedTuple):
    """One checkable thing in its normal form."""

    kind: Kind
    value: str


Found = set[Claim]

_GAP = " ¦ "
_NUMBER = r"(?:(?<![\d.,])\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?(?![\d,])|(?<!\d)\d+(?:[.,]\d{1,2}(?!\d)|\.\d+)?)"
_TO = r"\s*(?:-|to|till|until|and|עד)\s*ל?-?\s*"

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|info|io|co|il|app|biz|ly|me|gl|uk|eu|de|fr|es|ru|travel|hotel)\b"
    r"(?:/[^\s<>\"]*)?"
)

MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "january jan ינואר", "february feb פברואר", "march mar מרץ מרס", "april apr אפריל", "may מאי",
            "june jun יוני", "july jul יולי", "august aug אוגוסט", "september sept sep ספטמבר",
            "october oct אוקטובר", "november nov נובמבר", "december dec דצמבר",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMERIC_DATE = re.compile(r"(?<![\d./])(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_SHORT_DATE = re.compile(r"(?<![\d./])(\d{1,2})/(\d{1,2})(?![\d/])")
_DAY_MONTH = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?[בל]?({_MONTH})(?![a-zא-ת])")
_MONTH_DAY = re.compile(rf"(?<![a-zא-ת])({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])")

_DAYS = (
    ("monday", r"\bmondays?\b|\bmon\b", "שני", "ב"),
    ("tuesday", r"\btuesdays?\b|\btues?\b", "שלישי", "ג"),
    ("wednesday", r"\bwednesdays?\b|\bweds?\b", "רביעי", "ד"),
    ("thursday", r"\bthursdays?\b|\bthu(?:rs?)?\b", "חמישי", "ה"),
    ("friday", r"\bfridays?\b|\bfri\b|(?<![א-ת])[ובלהמ]{0,2}שישי(?![א-ת])", "שישי", "ו"),
    ("saturday", r"\bsaturdays?\b|\bsat\b(?=\s*[-:,&/\d])|(?<=[-&/])sat\b"
     r"|(?<![א-ת])[ובלהמש]{0,2}שבת(?:ות)?(?![א-ת])", "שבת", "ש"),
    ("sunday", r"\bsundays?\b|\bsun\b(?=\s*[-:,&/\d])|(?<=[-&/])sun\b", "ראשון", "א"),
)  # fmt: skip
# In Hebrew days are named after "day", by an ordinal or a letter.
_AFTER_DAY = r"(?:ימים|ימי|יום)\s+(?:[א-ת]+['\"]?\s*(?:-|עד|,)\s*)?[הול]{0,2}"
_WEEKDAYS = tuple(
    (name, re.compile(rf"{pattern}|{_AFTER_DAY}(?:{ordinal}(?![א-ת])|{letter}(?:'|(?![א-ת])))"))
    for name, pattern, ordinal, letter in _DAYS
)
_DAY_RANGE_START = tuple(
    (name, re.compile(rf"(?:ימים|ימי|יום)\s+(?:{ordinal}|{letter}'?)(?=\s*(?:-|עד|,))"))
    for name, _, ordinal, letter in _DAYS
)

_AM = re.compile(r"(?<=\d)\s*(?:a\.\s?m\b\.?|am\b|in the morning\b|בבוקר(?![א-ת])|לפנות בוקר)")
_PM = re.compile(
    r"(?<=\d)\s*(?:p\.\s?m\b\.?|pm\b|in the (?:afternoon|evening)\b"
    r"|(?:אחר הצהריים|אחה['\"]*צ|בצהריים|בערב)(?![א-ת]))"
)
_OCLOCK = re.compile(r"(?<![\d:])(\d{1,2})\s*o'?\s?clock\b")
_NOON = re.compile(r"\bnoon\b")
_MIDNIGHT = re.compile(r"\bmidnight\b|(?<![א-ת])[בל]?חצות(?![א-ת])")
_HALF_DAY = r"(?<![\d:.,])(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)(?![a-z])"
_HALF_DAY_TIME = re.compile(_HALF_DAY)
_HALF_DAY_RANGE = re.compile(rf"(?<![\d:.,])(\d{{1,2}})(?:[:.](\d{{2}}))?{_TO}(?={_HALF_DAY})")
_CLOCK_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:])")

_CURRENCIES = {
    "ils": r"₪|ש\"?ח(?![א-ת])|שקל(?:ים)?|ils\b|nis\b|shekels?\b",
    "usd": r"\$|usd\b|dollars?\b|דולר(?:ים)?",
    "eur": r"€|euros?\b|eur\b|א?יורו|אירו",
    "gbp": r"£|gbp\b|pounds?\b|ליש\"?ט",
}
_OTHER_CURRENCY = "".join(
    chr(code)
    for code in range(0x20C0 + 1)
    if unicodedata.category(chr(code)) == "Sc" and chr(code) not in "₪$€£"
)
_CURRENCY = (
    "(?:" + "|".join(f"(?P<{name}>{form})" for name, form in _CURRENCIES.items()) + f"|[{_OTHER_CURRENCY}])"
)
_PRICE = re.compile(rf"({_NUMBER})(?:{_TO}({_NUMBER}))?\s*({_CURRENCY})")
_PRICE_AFTER_SIGN = re.compile(rf"({_CURRENCY})\s*({_NUMBER})(?:{_TO}({_NUMBER}))?")
_LONE_CURRENCY = re.compile(rf"(?<![\wא-ת])[בל]?(?:{_CURRENCY})")
_PERCENT = re.compile(rf"({_NUMBER})\s*(?:%|percent\b|per cent\b|אחוז(?:ים)?)")

_PHONE = re.compile(r"(?<![\w:])(?:\+\s?|00|0|1-8)\d[\d\-() ./]{4,}\d(?!\d)")
_PHONE_DIGITS = range(7, 16)
_MIXED = re.compile(r"(?<![a-z0-9])(?=[a-z0-9_-]*[a-z])(?=[a-z0-9_-]*\d)[a-z0-9]+(?:[-_][a-z0-9]+)*")
_MEASURE = re.compile(
    r"(\d+)(?:st|nd|rd|th|am|pm|kg|g|km|m|cm|mm|min|mins|minutes?|h|hr|hrs|hours?|x|l|ml|sqm|m2|gb|mb|mbps|pax|k)"
)
_PLAIN_NUMBER = re.compile(_NUMBER)
_PART = re.compile(
    r"\b(?:half|halves|quarter|quarters|(?:a|one) third|thirds|couple|double|triple|twice)\b"
    r"|(?<![א-ת])[ובלהמ]?(?:חצי|רבע|שליש|כפול)(?![א-ת])"
)
_FOREIGN_NUMERAL = re.compile(r"[^\x00-\x7fא-ת\s]")


# The same documents stand behind one reply after another, and a guest waits while they are read.
@lru_cache(maxsize=2000)
def claims(text: str) -> frozenset[Claim]:
    """Everything in *text* that must be true to be said."""
    found: Found = set()
    rest = in_digits(canonical(text))
    for read in _READERS:
        rest = read(rest, found)
    return frozenset(found)


def supported(texts: Iterable[str]) -> frozenset[Claim]:
    """All that may be stated on the ground of *texts*: their claims, and each price as a bare number."""
    found = {claim for text in texts for claim in claims(text)}
    bare = {Claim(Kind.NUMBER, claim.value.split()[0]) for claim in found if claim.kind is Kind.PRICE}
    return frozenset(found | bare)


def _read_emails(text: str, found: Found) -> str:
    return _take(_EMAIL, text, lambda match: [Claim(Kind.EMAIL, match[0].rstrip("."))], found)


def _read_links(text: str, found: Found) -> str:
    def link(match: re.Match[str]) -> list[Claim]:
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0])
        return [Claim(Kind.LINK, bare.rstrip(".,;:!?)'/"))]

    return _take(_LINK, text, link, found)


def _read_dates(text: str, found: Found) -> str:
    def date(day: str, month: str | int, year: str = "") -> list[Claim]:
        claim = Claim(Kind.DATE, f"{int(day)}.{int(month)}")
        full = f"20{year}" if len(year) == 2 else year
        return [claim, Claim(Kind.NUMBER, full)] if full else [claim]

    text = re.sub(r"(?<!\d)24/7(?!\d)", _GAP + "24h7d" + _GAP, text)
    text = _take(_YEAR_FIRST, text, lambda match: date(match[3], match[2], match[1]), found)
    text = _take(_NUMERIC_DATE, text, lambda match: date(match[1], match[3], match[4]), found)
    text = _take(_SHORT_DATE, text, lambda match: date(match[1], match[2]), found)
    text = _take(_DAY_MONTH, text, lambda match: date(match[1], MONTHS[match[2]]), found)
    return _take(_MONTH_DAY, text, lambda match: date(match[2], MONTHS[match[1]]), found)


def _read_weekdays(text: str, found: Found) -> str:
    # The start of a Hebrew range is looked at only, as "days" belongs to its end too.
    for name, pattern in _DAY_RANGE_START:
        if pattern.search(text):
            found.add(Claim(Kind.WEEKDAY, name))
    for name, pattern in _WEEKDAYS:
        if pattern.search(text):
            found.add(Claim(Kind.WEEKDAY, name))
    return text


def _read_times(text: str, found: Found) -> str:
    text = _PM.sub(" pm ", _AM.sub(" am ", text))
    text = _OCLOCK.sub(r"\1:00", text)
    text = _MIDNIGHT.sub("0:00", _NOON.sub("12:00", text))
    # "3 to 9 pm": the half of the day counts for both, unless that would run backwards.
    text = _take(_HALF_DAY_RANGE, text, _range_start, found)
    text = _take(_HALF_DAY_TIME, text, lambda match: [_time(_minutes(*match.groups()))], found)
    return _take(_CLOCK_TIME, text, lambda match: [_time(_minutes(match[1], match[2], ""))], found)


def _range_start(match: re.Match[str]) -> list[Claim]:
    hour, minute, end_hour, end_minute, half = match.groups()
    start = _minutes(hour, minute, half)
    is_backwards = start > _minutes(end_hour, end_minute, half)
    return [_time(_minutes(hour, minute, "am") if is_backwards else start)]


def _minutes(hour: str, minute: str | None, half: str) -> int:
    hours = int(hour)
    if half and hours <= 12:
        hours = hours % 12 + (12 if half == "pm" else 0)
    return (hours * 60 + int(minute or 0)) % (24 * 60)


def _time(minutes: int) -> Claim:
    return Claim(Kind.TIME, f"{minutes // 60}:{minutes % 60:02}")


def _read_prices(text: str, found: Found) -> str:
    def price(match: re.Match[str], *amounts: str | None) -> list[Claim]:
        named = [name for name in _CURRENCIES if match[name]]
        sign = named[0] if named else next(letter for letter in match[0] if letter in _OTHER_CURRENCY)
        return [Claim(Kind.PRICE, f"{_amount(amount)} {sign}") for amount in amounts if amount]

    text = _take(_PRICE, text, lambda match: price(match, match[1], match[2]), found)
    last = _PRICE_AFTER_SIGN.groups
    text = _take(_PRICE_AFTER_SIGN, text, lambda match: price(match, match[last - 1], match[last]), found)
    text = _take(_PERCENT, text, lambda match: [Claim(Kind.PERCENT, _amount(match[1]))], found)
    # A currency without a number that we can read: "XV shekels". A source must name it so too.
    return _take(_LONE_CURRENCY, text, lambda match: price(match, "?"), found)


def _read_phones(text: str, found: Found) -> str:
    def phone(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        if len(digits) not in _PHONE_DIGITS:
            return match[0]
        # The one country whose national form we know; elsewhere both must be written alike.
        found.add(Claim(Kind.PHONE, re.sub(r"^(?:00)?972", "0", digits)))
        return _GAP

    return _PHONE.sub(phone, text)


def _read_codes(text: str, found: Found) -> str:
    def code(match: re.Match[str]) -> str:
        parts = re.split(r"[-_]", match[0])
        if all(part.isdigit() or part.isalpha() for part in parts):
            return " ".join(parts)
        measure = _MEASURE.fullmatch(match[0])
        if measure:
            return f" {measure[1]} "
        found.add(Claim(Kind.CODE, match[0]))
        return _GAP

    return _MIXED.sub(code, text)


def _read_numbers(text: str, found: Found) -> str:
    def number(match: re.Match[str]) -> list[Claim]:
        # Leading zeros count: 0420 is a code that 420 does not open.
        is_code = match[0].startswith("0") and match[0].isdigit() and len(match[0]) > 1
        return [Claim(Kind.CODE, match[0]) if is_code else Claim(Kind.NUMBER, _amount(match[0]))]

    text = _take(_PLAIN_NUMBER, text, number, found)
    return _take(_PART, text, lambda match: [Claim(Kind.NUMBER, match[0])], found)


def _read_foreign_numerals(text: str, found: Found) -> str:
    for match in _FOREIGN_NUMERAL.finditer(text):
        if unicodedata.numeric(match[0], None) is not None:
            found.add(Claim(Kind.NUMBER, match[0]))
    return text


_READERS: tuple[Callable[[str, Found], str], ...] = (
    _read_emails,
    _read_links,
    _read_dates,
    _read_weekdays,
    _read_times,
    _read_prices,
    _read_phones,
    _read_codes,
    _read_numbers,
    _read_foreign_numerals,
)


def _take(
    pattern: re.Pattern[str], text: str, read: Callable[[re.Match[str]], list[Claim]], found: Found
) -> str:
    """Add what *read* makes of each match to *found*, and leave a gap in its place."""

    def gap(match: re.Match[str]) -> str:
        found.update(read(match))
        return _GAP

    return pattern.sub(gap, text)


def _amount(number: str) -> str:
    """``1,200.50`` as ``1200.5``: no grouping, a decimal point, no zeros that say nothing."""
    grouped = re.fullmatch(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?", number)
    plain = re.sub(r"[, ]", "", number) if grouped else number.replace(",", ".")
    whole, _, fraction = plain.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole

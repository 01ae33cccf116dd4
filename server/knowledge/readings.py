"""All that an expression may mean, where its writer left something out.

"Until ten" is the morning or the evening, "the double 380" a price, "half" is 50 %, 90 minutes are an hour
and a half. A statement stands if one reading of it is one reading of its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from server.knowledge.claims import MONTHS, Claim, Kind, claims
from server.knowledge.days import possible_days
from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical

_HALF_DAYS = r"am|pm|a\.m|p\.m|in the (?:morning|afternoon|evening)|at night|בבוקר|בערב|בלילה|אחר|אחה|בצהריים"
# What may stand behind an hour; anything else is what a number counts.
_AFTER_HOUR = (
    r"(?:and|or|to|till|until|on|in|at|from|for|every|each|daily|sharp|if|but|when|by|with|after|the|we"
    r"|you|it|then"
    r"|because|as|of|noon|midnight|mon|tue|wed|thu|fri|sat|sun|weekday|weekend|o'?clock|non)"
    r"|(?:ו|ב|ל|עד|או|אבל|כל|בכל|אם|אחרי|לפני|יום|ימי|אפשר|לא|אין|יש)"
)
# An hour without its half of the day, after a word that hours stand behind or in a range.
_HOUR = re.compile(
    r"(?:\b(?:at|from|to|till|til|until|by|and|or|between|before|after|half|sharp|noon|starts?|opens?"
    r"|closes?)\s"
    r"|-\s?|[\d,:;]\s|(?<![\w.,:/$€£₪-])(?=\d{1,2}(?:[:.]\d\d)?\s?(?:-|to|till"
    r"|until)\s?\d{1,2}(?![\d%])(?!\s?[a-zא-ת]))|(?<![א-ת])[ובלמ]{1,2}-?|(?:עד|בשעה|משעה|לשעה|או|בין"
    r"|אחרי|לפני)\s)"
    rf"(?P<hour>\d{{1,2}})(?:[:.](?P<minute>[0-5]\d))?(?!\d|[:.,]\d|\s?(?:%|{_HALF_DAYS})"
    rf"|[ -](?!{_AFTER_HOUR})[a-zא-ת]"
    rf"|\s?(?:-|to|until|and|עד)\s?ל?-?\d{{1,2}}(?:st|nd|rd|th)?\s(?:of )?ב?(?:{'|'.join(MONTHS)}))"
)
_HALF_HOUR = re.compile(r"\bhalf[ -](\d{1,2})\b(?! (?:minutes|hours|days|people|past))")
_FULL_CLOCK = re.compile(r"(?<!\d)(?:1[3-9]|2[0-3]|0\d)[:.][0-5]\d(?!\d)")
_PARTS = {"half": "50", "quarter": "25", "third": "33", "double": "200"}
_MINUTES = re.compile(r"(?<![\d.,])(\d+)\s*-?\s*(?:minutes?|mins?|דקות)(?![a-zא-ת])")
_HOURS = re.compile(r"(?<![\d.,])(\d+(?:\.\d+)?)\s*-?\s*(?:hours?|hrs?|h|שעות)(?![a-zא-ת])")
_LENGTHS = re.compile(
    r"(?<![\d.,])(\d+(?:\.\d+)?|\d,\d{3})\s*(km|kilomet\w+|ק\"מ|קילומטר\w*|m|met(?:re|er)s?"
    r"|מטר\w*)(?![a-zא-ת])"
)
_DAYS_LONG = re.compile(r"(?<![\d.,])(\d+)\s*(?:days|ימים|יממות)")
_WEEKS = re.compile(r"(?<![\d.,])(\d+)\s*(?:weeks|שבועות)")
_CENTIMETRES = re.compile(r"(?<![\d.,])(\d+)\s*(?:cm|centimet|סנטימטר|ס\"מ)")
# A number that no word counts: "the double 380", "560 for two".
_BARE = re.compile(
    r"(?<![\d.,:/])(?<!\d-)(\d{1,3}(?:[, ]\d{3})+|\d+(?:\.\d{1,2})?)(?![\d:%°'\"]|[.,/]\d)"
    r"(?!-?\s?(?:am|pm|m|km|kg|h|min|cm|ש\"ח)\b)"
    r"(?!\s+(?!(?:for|per|a|an|each|p|pp|with|incl|including|both|and|or|to|on|in|at|up|is|after|if|only|more"
    r"|once|baht|over|from)\b)[a-z]+)"
    r"(?!\s+(?!(?:[לבוכמ]|ש\"ח|תוספת|כולל|עם|או|לא|אחר|מעל|עד|בלבד))[א-ת]+)"
)
_REST = re.compile(r"\b(?:rest of the|other (?:days|months|times|evenings|nights)|otherwise)\b|(?:שאר|יתר) ה")
_DAILY = re.compile(
    r"\b(?:every (?:day|night|evening)|daily|nightly|any day|seven days)\b|כל (?:יום|ערב|לילה|בוקר)|24/7"
)
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3}) (\d{3})(?![\d.,]\d)")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_OF_CENTS = ("eur", "dollar", "usd")
_DOLLARS = frozenset({"usd", "cad", "aud", "nzd"})
_EVERY_DAY = frozenset(Claim(Kind.WEEKDAY, day) for day in _DAYS)
_EVERY_MONTH = frozenset(Claim(Kind.MONTH, str(month)) for month in MONTHS.values())


@lru_cache(maxsize=2000)
def readings(text: str) -> frozenset[Claim]:
    """The claims of *text*, and whatever else the same words may claim; prices in a bare number aside."""
    plain = canonical(text)
    digits = in_digits(plain)
    sure = claims(text)
    found = set(sure)
    found.update(_hours(digits, plain), _amounts(digits), _parts(sure))
    found.update(Claim(Kind.WEEKDAY, day) for day in possible_days(text))
    prices = (claim.value.split()[0] for claim in sure if claim.kind is Kind.PRICE)
    # "50p" is no half of anything.
    found.update(Claim(Kind.NUMBER, amount) for amount in prices if not amount.startswith("0."))
    found.update(_of_dollars(sure), _apart(digits))
    if _DAILY.search(plain) or _REST.search(plain):
        found |= _EVERY_DAY
    if _REST.search(plain):
        found |= _EVERY_MONTH
    return frozenset(found)


@lru_cache(maxsize=2000)
def bare_amounts(text: str) -> frozenset[str]:
    """The numbers of *text* that may be prices, their currency being told elsewhere."""
    digits = in_digits(canonical(text))
    apart = _GROUPED.sub(r"\1, \2", digits)
    found = (match for text in (digits, apart) for match in _BARE.finditer(text))
    return frozenset(_plain(match[1].replace(",", "").replace(" ", "")) for match in found)


def bare_prices(text: str, currencies: frozenset[str]) -> frozenset[Claim]:
    """The bare numbers of *text* as prices in *currencies*."""
    return frozenset(
        Claim(Kind.PRICE, f"{amount} {currency}") for amount in bare_amounts(text) for currency in currencies
    )


@lru_cache(maxsize=2000)
def currencies(text: str) -> frozenset[str]:
    """The currencies that *text* names."""
    return frozenset(claim.value.split()[1] for claim in claims(text) if claim.kind is Kind.PRICE)


@lru_cache(maxsize=1000)
def meanings(text: str) -> dict[Claim, frozenset[Claim]]:
    """What the loosely told claims of *text* may mean ("at 7", "half nine"), each by itself."""
    plain = canonical(text)
    digits = in_digits(plain)
    found: dict[Claim, frozenset[Claim]] = {}
    for hour, minute, _ in _told_hours(digits, plain):
        meant = _both_halves(hour, minute) if hour <= 12 else frozenset([_time(hour, minute)])
        as_number = f"{hour}.{minute:02}".rstrip("0") if minute else str(hour)
        halves = {Claim(Kind.NUMBER, f"{hour}.5")} if minute == 30 else set()
        for claim in {Claim(Kind.NUMBER, as_number), _time(hour, minute), *halves}:
            found[claim] = meant
    for match in _MINUTES.finditer(digits):
        found[Claim(Kind.NUMBER, match[1])] = frozenset([_minutes_as_hours(int(match[1]))])
    for pattern, unit in ((_HOURS, 60), (_WEEKS, 7)):
        for match in pattern.finditer(digits):
            amount = f"{float(match[1]) * unit:g}"
            found[Claim(Kind.NUMBER, _plain(match[1]))] = frozenset([Claim(Kind.NUMBER, amount)])
    for claim in claims(text):
        if claim.kind is Kind.NUMBER and claim.value in _PARTS:
            found[claim] = frozenset([Claim(Kind.PERCENT, _PARTS[claim.value])])
    return found


def _told_hours(digits: str, plain: str) -> Iterator[tuple[int, int, bool]]:
    """Hour, minute, and whether it is surely of the 24-hour clock."""
    is_full_clock = _FULL_CLOCK.search(plain) is not None
    for match in _HOUR.finditer(digits):
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        if hour <= 24:
            is_written = match[0] in plain and match["minute"] is not None
            yield hour, minute, is_full_clock and is_written
    for match in _HALF_HOUR.finditer(digits):
        if int(match[1]) <= 12:
            yield int(match[1]), 30, False


def _hours(digits: str, plain: str) -> Iterator[Claim]:
    for hour, minute, is_sure in _told_hours(digits, plain):
        if hour > 12 or hour == 0 or is_sure:
            yield _time(hour, minute)
        else:
            yield from _both_halves(hour, minute)


def _both_halves(hour: int, minute: int) -> frozenset[Claim]:
    return frozenset(_time(hour % 12 + half, minute) for half in (0, 12))


def _time(hour: int, minute: int) -> Claim:
    return Claim(Kind.TIME, f"{hour % 24}:{minute:02}")


def _amounts(digits: str) -> Iterator[Claim]:
    """The same time or length in another unit."""
    for match in _MINUTES.finditer(digits):
        yield _minutes_as_hours(int(match[1]))
    for pattern, unit in (
        (_HOURS, 60),
        (_HOURS, 1 / 24),
        (_DAYS_LONG, 24),
        (_WEEKS, 7),
        (_CENTIMETRES, 0.01),
    ):
        for match in pattern.finditer(digits):
            yield Claim(Kind.NUMBER, f"{float(match[1]) * unit:g}")
    for match in _LENGTHS.finditer(digits):
        scale = 1000 if match[2][0] in "kק" else 0.001
        yield Claim(Kind.NUMBER, f"{float(match[1].replace(',', '')) * scale:g}")


def _of_dollars(sure: Iterable[Claim]) -> Iterator[Claim]:
    """Dollars of one country are dollars; dollars that are not said of which are taken for those asked of."""
    for claim in sure:
        amount, _, currency = claim.value.partition(" ")
        if claim.kind is Kind.PRICE and currency in _DOLLARS:
            yield Claim(Kind.PRICE, f"{amount} dollar")
        elif claim.kind is Kind.PRICE and currency == "dollar":
            yield from (Claim(Kind.PRICE, f"{amount} {one}") for one in _DOLLARS)
        if claim.kind is Kind.PRICE and currency == "cent":
            yield from (Claim(Kind.PRICE, f"{amount} {whole}") for whole in _OF_CENTS)
        elif claim.kind is Kind.PRICE and currency in _OF_CENTS and amount.startswith("0."):
            yield Claim(Kind.PRICE, f"{amount} cent")


def _apart(digits: str) -> Iterator[Claim]:
    """Two numbers side by side that may be read as one: "a plate for four 120"."""
    for match in _GROUPED.finditer(digits):
        yield from (Claim(Kind.NUMBER, number) for number in match.groups())


def _minutes_as_hours(minutes: int) -> Claim:
    return Claim(Kind.NUMBER, f"{minutes / 60:g}")


def _parts(sure: Iterable[Claim]) -> Iterator[Claim]:
    for claim in sure:
        for part, percent in _PARTS.items():
            if claim == Claim(Kind.PERCENT, percent):
                yield Claim(Kind.NUMBER, part)
            elif claim == Claim(Kind.NUMBER, part):
                yield Claim(Kind.PERCENT, percent)


def _plain(number: str) -> str:
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole

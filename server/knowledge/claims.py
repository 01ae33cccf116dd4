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
from itertools import pairwise
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
    MONTH = "month"
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
_DIGIT = re.compile(r"\d")
_NUMBER = r"(?:(?<![\d.,])\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?(?![\d,])|(?<!\d)\d+(?:[.,]\d{1,2}(?!\d)|\.\d+)?)"
_TO = r"\s*(?:-|to|till|until|and|עד)\s*ל?-?\s*"

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|info|io|co|il|app|biz|ly|me|gl|uk|eu|de|fr|es|ru|travel|hotel)\b"
    r"(?:/[^\s<>\"]*)?|\b(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s<>\"]*|\b(?:[a-z0-9-]+\.)+example\b"
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
# "Guests under 15 may use it" names no day.
_NO_AGE = r"(?<!under )(?<!over )(?<!aged )(?<!below )(?<!age )"
_DAY_MONTH = re.compile(
    rf"(?<!\d){_NO_AGE}(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?[בל]?({_MONTH})(?![a-zא-ת])"
)
_DAYS_MONTH = re.compile(
    rf"(?<![\d:.,/])(\d{{1,2}})(?:st|nd|rd|th)?(?=\s*(?:-|to|till|until|and|or|עד)\s*ל?-?\d{{1,2}}(?:st"
    rf"|nd|rd|th)?\s+(?:of\s+)?[בל]?"
    rf"({_MONTH})(?![a-zא-ת]))"
)
_MONTH_DAY = re.compile(rf"(?<![a-zא-ת])({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:\d)")

# A month by itself. Some of their names are also other words: those only after a word of time, or in a range.
_MONTH_WORDS = "|".join(
    sorted((name for name in MONTHS if len(name) > 3 or not name.isascii()), key=len, reverse=True)
)
_MONTH_NAME = re.compile(rf"(?<![a-zא-ת])[ובלמהש]{{0,2}}({_MONTH_WORDS})(?![a-zא-ת])")
_SHORT_MONTH = re.compile(
    rf"(?:\b(?:in|from|to|until|till|through|since|of|between|during|by|early|late|mid)[\s-]+"
    rf"|-\s?)({_MONTH})\b"
    rf"|\b({_MONTH})(?=\s*(?:-|to|until|till|through)\s*(?:{_MONTH})\b)"
)

_MONTH_WORD = re.compile(rf"^(?:{_MONTH})")
_MONTH_RANGE = re.compile(r"\s*(?:-|to|till|until|through|and|עד)?\s*[לעדו]*-?\s*")

_DAYS = (
    ("monday", r"\bmondays?\b|\bmon\b", "שני", "ב"),
    ("tuesday", r"\btuesdays?\b|\btues?\b", "שלישי", "ג"),
    ("wednesday", r"\bwednesdays?\b|\bweds?\b", "רביעי", "ד"),
    ("thursday", r"\bthursdays?\b|\bthu(?:rs?)?\b", "חמישי", "ה"),
    ("friday", r"\bfridays?\b|\bfri\b|(?<![א-ת])[ובלהמ]{0,2}שישי(?![א-ת])", "שישי", "ו"),
    ("saturday", r"\bsaturdays?\b|\bsat\b(?=\s*[-:,&/\d])|(?<=[-&/])sat\b|(?<=[a-z], )sat\b|(?<=& )sat\b"
        r"|\bsat (?=and |to )|(?<= to )sat\b"
     r"|(?<![א-ת])[ובלהמש]{0,2}שבת(?:ות)?(?![א-ת])", "שבת", "ש"),
    ("sunday", r"\bsundays?\b|\bsun\b(?=\s*[-:,&/\d])|(?<=[-&/])sun\b|(?<=[a-z], )sun\b|(?<=& )sun\b"
        r"|(?<= to )sun\b", "ראשון", "א"),
)  # fmt: skip
# In Hebrew days are named after "day", by an ordinal or a letter.
_AFTER_DAY = r"(?:ימים|ימי|יום)\s+(?:[א-ת]+['\"]?\s*(?:-|עד|,)\s*)?[הול]{0,2}"
_WEEKDAYS = tuple(
    (
        name,
        re.compile(
            rf"{pattern}|{_AFTER_DAY}(?:{ordinal}(?![א-ת])|{letter}(?:'|(?![א-ת])))"
            rf"|(?<![א-ת])[ול]?ב{ordinal}(?![א-ת])(?!\s+ה?[א-ת]+(?:ים|ות)(?![א-ת]))"
        ),
    )
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
_AT_NIGHT = re.compile(r"((?<![\d:])(\d{1,2})(?::\d{2})?)\s*(?:at night\b|בלילה(?![א-ת]))")
_NIGHT_HOURS = range(6, 12)
_OCLOCK = re.compile(r"(?<![\d:])(\d{1,2})\s*o'?\s?clock\b")
_FRENCH_TIME = re.compile(r"(?<![\d:.])(\d{1,2})h(\d{2})(?!\d)")
_NOON = re.compile(r"\b(?:noon|midday)\b")
_MIDNIGHT = re.compile(r"\bmidnight\b|(?<![א-ת])[בל]?חצות(?![א-ת])")
_HALF_DAY = r"(?<![\d:.,])(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)(?![a-z])"
_HALF_DAY_TIME = re.compile(_HALF_DAY)
_HALF_DAY_RANGE = re.compile(rf"(?<![\d:.,])(\d{{1,2}})(?:[:.](\d{{2}}))?{_TO}(?={_HALF_DAY})")
_CLOCK_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?!\d|:\d)")

CURRENCIES = {
    "ils": r"₪|ש\"?ח(?![א-ת])|שקל(?:ים)?(?: חדש(?:ים)?)?(?![א-ת])|ils\b|nis\b|(?:new )?shekels?\b",
    "cad": r"\bca?\$|cad\b|canadian dollars?\b",
    "aud": r"\bau?\$|aud\b|australian dollars?\b",
    "nzd": r"\bnz\$|nzd\b|new zealand dollars?\b",
    "usd": r"\bus\$|usd\b|us dollars?\b|דולר אמריקאי",
    "dollar": r"\$|dollars?\b|דולר(?:ים)?(?![א-ת])",
    "eur": r"€|euros?\b|eur\b|(?:א?יורו|אירו)(?![א-ת])",
    "gbp": r"£|gbp\b|pounds?\b|ליש\"?ט|פאונד(?![א-ת])",
    "chf": r"chf\b|(?:swiss )?francs?\b|פרנק(?:ים)?(?![א-ת])",
    "mad": r"(?:moroccan )?dirhams?\b(?: ?\(mad\))?|mad (?=\d)|mad\b|דירהם(?![א-ת])",
    "jod": r"jod\b|(?:jordanian )?dinars?\b|דינר(?:ים)?(?![א-ת])",
    "pln": r"pln\b|zł|zlot(?:y|ys|ych)\b",
    "crown": r"(?:sek|nok|dkk|czk|kr|kč)\b|krona\b|kron(?:or|er|e|ur)\b|koruna\b|crowns\b",
    "thb": r"฿|thb\b|baht\b|באט(?![א-ת])",
    "inr": r"₹|inr\b|rupees?\b|רופי(?:ות)?(?![א-ת])",
    "huf": r"huf\b|forints?\b|פורינט(?![א-ת])",
    "gel": r"gel\b|lari\b|לארי(?![א-ת])",
    "mxn": r"mxn\b|pesos?\b|פזו(?![א-ת])",
    "try": r"₺|try\b(?= ?\d)|tl\b|(?:turkish )?liras?\b|לירות(?![א-ת])",
    "jpy": r"¥|jpy\b|yen\b",
}
_OTHER_CURRENCY = "".join(
    chr(code)
    for code in range(0x20C0 + 1)
    if unicodedata.category(chr(code)) == "Sc" and chr(code) not in "₪$€£₺¥฿₹"
)
_CURRENCY = (
    "(?:" + "|".join(f"(?P<{name}>{form})" for name, form in CURRENCIES.items()) + f"|[{_OTHER_CURRENCY}])"
)
_PRICE = re.compile(rf"({_NUMBER})(?:{_TO}({_NUMBER}))?\s*({_CURRENCY})")
_PRICE_AFTER_SIGN = re.compile(rf"({_CURRENCY})\s*({_NUMBER})(?:{_TO}({_NUMBER}))?")
# "NIS45", "twelve euros fifty", "80 cents".
_ATTACHED = re.compile(r"\b(nis|ils|eur|usd|gbp|chf|aud|cad|nzd|mad|thb|czk)(?=\d)")
_AND_CENTS = re.compile(
    r"(?<![\d.,])(\d+) (euros?|pounds?|dollars?|francs?|shekels?) (?:and )?(\d\d)(?: (?:cents"
    r"|pence))?(?=\s*(?:[.,;!?)]|$|a |per |for |each))"
)
_CENTS = re.compile(r"(?<![\d.,:])(\d{1,2})(?: ?(cents?|pence|אגורות)(?![a-zא-ת])|(p)\b(?!\.[a-z]))")
_MONEY = re.compile(
    rf"{_CURRENCY}|%|percent|per cent|אחוז|cent|pence|\dp\b|\d p\b|אגורות|{_ATTACHED.pattern}"
)
_LONE_CURRENCY = re.compile(rf"(?<![\wא-ת])[בל]?(?:{_CURRENCY})")
_PERCENT = re.compile(rf"({_NUMBER})\s*(?:%|percent\b|per cent\b|אחוז(?:ים)?)")

_PHONE = re.compile(r"(?<![\w:])(?:\+\s?|00|0|1-8)\d[\d\-() ./]{4,}\d(?!\d)")
_PHONE_DIGITS = range(7, 16)
_MIXED = re.compile(r"(?<![a-z0-9])(?=[a-z0-9_-]*[a-z])(?=[a-z0-9_-]*\d)[a-z0-9]+(?:[-_][a-z0-9]+)*")
_MEASURE = re.compile(
    r"(\d+)(?:st|nd|rd|th|am|pm|kg|g|km|m|cm|mm|min|mins|minutes?|h|hr|hrs|hours?|x|l|ml|sqm|m2|gb|mb"
    r"|mbps|pax|k)"
)
_PLAIN_NUMBER = re.compile(_NUMBER)
_PART = re.compile(
    r"\b(?:(?P<half>half|halves)|(?P<quarter>quarters?)|(?P<third>(?:a|one) third|thirds)|couple of"
    r"|(?P<double>double|twice)"
    r"|triple)\b|(?<![א-ת])[ובלהמ]?(?:(?P<half_he>חצי|מחצית)|(?P<quarter_he>רבע)|(?P<third_he>שליש)"
    r"|(?P<double_he>כפול))(?![א-ת])"
)
# Every claim without a digit, a currency sign or the like holds a word of these.
WORDED = (
    _MONTH, *(pattern.pattern for _, pattern in _WEEKDAYS), _AM.pattern, _PM.pattern, _OCLOCK.pattern,
    _NOON.pattern, _MIDNIGHT.pattern, *CURRENCIES.values(), _PERCENT.pattern, _PART.pattern,
)  # fmt: skip
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
    if "@" not in text:
        return text
    return _take(_EMAIL, text, lambda match: [Claim(Kind.EMAIL, match[0].rstrip("."))], found)


def _read_links(text: str, found: Found) -> str:
    def link(match: re.Match[str]) -> list[Claim]:
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0])
        return [Claim(Kind.LINK, bare.rstrip(".,;:!?)'/"))]

    return _take(_LINK, text, link, found) if "." in text or "://" in text else text


def _read_dates(text: str, found: Found) -> str:
    def date(day: str, month: str | int, year: str = "") -> list[Claim]:
        claim = Claim(Kind.DATE, f"{int(day)}.{int(month)}")
        full = f"20{year}" if len(year) == 2 else year
        return [claim, Claim(Kind.NUMBER, full)] if full else [claim]

    if not _DIGIT.search(text):
        return text
    text = re.sub(r"(?<!\d)24/7(?!\d)", _GAP + "24h7d" + _GAP, text)
    text = _take(_YEAR_FIRST, text, lambda match: date(match[3], match[2], match[1]), found)
    text = _take(_NUMERIC_DATE, text, lambda match: date(match[1], match[3], match[4]), found)
    text = _take(_SHORT_DATE, text, lambda match: date(match[1], match[2]), found)
    text = _take(_DAYS_MONTH, text, lambda match: date(match[1], MONTHS[match[2]]), found)
    text = _take(_DAY_MONTH, text, lambda match: date(match[1], MONTHS[match[2]]), found)
    return _take(_MONTH_DAY, text, lambda match: date(match[2], MONTHS[match[1]]), found)


def _read_months(text: str, found: Found) -> str:
    named = [(match.start(1), MONTHS[match[1]]) for match in _MONTH_NAME.finditer(text)]
    named += [
        (match.start(match.lastindex), MONTHS[match[match.lastindex]])
        for match in _SHORT_MONTH.finditer(text)
        if match.lastindex
    ]
    named.sort()
    for (start, month), (end, last) in pairwise([*named, (len(text), 0)]):
        found.add(Claim(Kind.MONTH, str(month)))
        # Of "May to September" each month between is told as well.
        if last and _MONTH_RANGE.fullmatch(re.sub(_MONTH_WORD, " ", text[start:end])):
            span = (last - month) % 12
            found.update(Claim(Kind.MONTH, str((month + step - 1) % 12 + 1)) for step in range(span))
    return text


def _read_weekdays(text: str, found: Found) -> str:
    is_hebrew = "ימי" in text or "יום" in text
    # The start of a Hebrew range is looked at only, as "days" belongs to its end too.
    for name, pattern in _DAY_RANGE_START if is_hebrew else ():
        if pattern.search(text):
            found.add(Claim(Kind.WEEKDAY, name))
    for (name, pattern), (_, _, ordinal, _) in zip(_WEEKDAYS, _DAYS, strict=True):
        if (is_hebrew or ordinal in text or name[:3] in text) and pattern.search(text):
            found.add(Claim(Kind.WEEKDAY, name))
    return text


def _read_times(text: str, found: Found) -> str:
    text = _MIDNIGHT.sub("0:00", _NOON.sub("12:00", text))
    if not _DIGIT.search(text):
        return text
    text = _AT_NIGHT.sub(lambda match: f"{match[1]} {'pm' if int(match[2]) in _NIGHT_HOURS else 'am'} ", text)
    text = _PM.sub(" pm ", _AM.sub(" am ", text))
    text = _FRENCH_TIME.sub(r"\1:\2", text)
    text = _OCLOCK.sub(r"\1:00", text)
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
    if not _MONEY.search(text):
        return text
    text = _ATTACHED.sub(r"\1 ", text)
    text = _AND_CENTS.sub(r"\1.\3 \2", text)
    text = _take(_CENTS, text, lambda match: [_cents(match)], found)

    def price(match: re.Match[str], *amounts: str | None) -> list[Claim]:
        named = [name for name in CURRENCIES if match[name]]
        sign = named[0] if named else next(letter for letter in match[0] if letter in _OTHER_CURRENCY)
        return [Claim(Kind.PRICE, f"{_amount(amount)} {sign}") for amount in amounts if amount]

    text = _take(_PRICE, text, lambda match: price(match, match[1], match[2]), found)
    last = _PRICE_AFTER_SIGN.groups
    text = _take(_PRICE_AFTER_SIGN, text, lambda match: price(match, match[last - 1], match[last]), found)
    text = _take(_PERCENT, text, lambda match: [Claim(Kind.PERCENT, _amount(match[1]))], found)
    # A currency without a number that we can read: "XV shekels". A source must name it so too.
    return _take(_LONE_CURRENCY, text, lambda match: price(match, "?"), found)


def _cents(match: re.Match[str]) -> Claim:
    """Hundredths of what is not said, pence aside."""
    currency = {"pence": "gbp", "p": "gbp", "אגורות": "ils"}.get(match[2] or match[3], "cent")
    return Claim(Kind.PRICE, f"{_amount(f'0.{int(match[1]):02}')} {currency}")


def _read_phones(text: str, found: Found) -> str:
    def phone(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        if len(digits) not in _PHONE_DIGITS:
            return match[0]
        # The one country whose national form we know; elsewhere both must be written alike.
        found.add(Claim(Kind.PHONE, re.sub(r"^(?:00)?972", "0", digits)))
        return _GAP

    return _PHONE.sub(phone, text) if _DIGIT.search(text) else text


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

    return _MIXED.sub(code, text) if _DIGIT.search(text) else text


def _read_numbers(text: str, found: Found) -> str:
    def number(match: re.Match[str]) -> list[Claim]:
        # Leading zeros count: 0420 is a code that 420 does not open.
        is_code = match[0].startswith("0") and match[0].isdigit() and len(match[0]) > 1
        return [Claim(Kind.CODE, match[0]) if is_code else Claim(Kind.NUMBER, _amount(match[0]))]

    text = _take(_PLAIN_NUMBER, text, number, found)
    return _take(_PART, text, lambda match: [Claim(Kind.NUMBER, _part(match))], found)


def _part(match: re.Match[str]) -> str:
    """A part or multiple by its name in English, whatever its language."""
    return match.lastgroup.removesuffix("_he") if match.lastgroup else match[0]


def _read_foreign_numerals(text: str, found: Found) -> str:
    for match in () if text.isascii() else _FOREIGN_NUMERAL.finditer(text):
        if unicodedata.numeric(match[0], None) is not None:
            found.add(Claim(Kind.NUMBER, match[0]))
    return text


_READERS: tuple[Callable[[str, Found], str], ...] = (
    _read_emails,
    _read_links,
    _read_dates,
    _read_months,
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

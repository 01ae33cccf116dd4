"""Numbers in words, English and Hebrew, written in digits: "three hundred and fifty" is "350".

A lone "one" stays a word: it mostly is none of a number ("one of our rooms").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_ENGLISH = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12, "zero": 0,
}  # fmt: skip
_HEBREW = {
    "אחת": 1, "אחד": 1, "שתיים": 2, "שתים": 2, "שניים": 2, "שנים": 2, "שתי": 2, "שני": 2, "שלוש": 3,
    "שלושה": 3, "שלושת": 3, "ארבע": 4, "ארבעה": 4, "ארבעת": 4, "חמש": 5, "חמישה": 5, "חמשת": 5, "שש": 6,
    "שישה": 6, "ששת": 6, "שבע": 7, "שבעה": 7, "שבעת": 7, "שמונה": 8, "שמונת": 8, "תשע": 9, "תשעה": 9,
    "תשעת": 9, "עשר": 10, "עשרה": 10, "עשרת": 10, "עשרים": 20, "שלושים": 30, "ארבעים": 40, "חמישים": 50,
    "שישים": 60, "שבעים": 70, "שמונים": 80, "תשעים": 90, "מאה": 100, "מאות": 100, "מאתיים": 200,
    "אלף": 1000, "אלפים": 1000, "אלפיים": 2000, "מיליון": 1_000_000, "אפס": 0, "תריסר": 12,
}  # fmt: skip
# Alone these are mostly something else: "one of", "years".
_WEAK = frozenset({"one", "אחת", "אחד", "שנים"})
_HEBREW_TEENS = frozenset({"עשר", "עשרה"})
_HEBREW_PREFIXES = "ובהלמשכ"
_WORD = re.compile(r"[a-z]+|[א-ת]+")
_JOINT = re.compile(r"[\s-]*(?:\band\b[\s-]*)?")
# "Monday" and "Tuesday" in Hebrew are "second day", "third day"; Beersheba holds a seven.
_NO_NUMBER_AFTER = re.compile(r"(?:יום|(?<!ה)ימים|ימי|באר)[\s-]+$")
_MEASURED = re.compile(r"\s*(?:am|pm|a\.m|p\.m|o'?clock|shekel|dollar|euro|percent|%|₪|\$|€)")

# "Until one", but not "one of".
_HOUR_BEFORE = re.compile(r"\b(?:at|until|till|to|by|from|before|after|past) $")
_AS_HOUR = re.compile(r"\s*(?:בלילה|בצהריים|אחר הצהריים|in the|at night|o'?clock|[.,;!?)]|$)")
_HALF_PAST = re.compile(
    r"\bhalf (?:past )?(1[0-2]|[1-9])\b(?![:.]?\d)(?!\s?(?:%|minutes|hours|days|people|guests|m\b|km"
    r"|dozen|litre|kilo))"
)
_MINUTES_PAST = re.compile(r"\b([1-5]\d) (?:minutes )?past (1[0-2]|[1-9])\b")
_QUARTER_PAST = re.compile(r"\b(?:a )?quarter past (\d{1,2})\b")
_QUARTER_TO = re.compile(r"\b(?:a )?quarter (?:to|before) (\d{1,2})\b")
_DUALS = {"שעתיים": "שעות", "יומיים": "ימים", "שבועיים": "שבועות", "חודשיים": "חודשים", "שנתיים": "שנים"}
_DUAL = re.compile(rf"(?<![א-ת])([ובלמהכ]{{0,2}})({'|'.join(_DUALS)})(?![א-ת])")
# Parts of an hour, in minutes.
_DURATIONS = tuple(
    (re.compile(pattern), minutes)
    for pattern, minutes in (
        (r"\b(?:an|one) hour and a half\b|\b(?:one|1) and a half hours\b", "90 minutes"),
        (r"\b(?:a )?fortnight\b", "14 days"),
        (r"(?<![א-ת])([ובלכמה]{0,2})יממה(?![א-ת])", r"\g<1>24 שעות"),
        (r"(?<![\d€£$₪] )\b(?:a|one) (?=(?:pound|euro|dollar|shekel)\b(?! coin| of))", "1 "),
        (r"\b(?:an|one) hour and a quarter\b", "75 minutes"),
        (r"\b(?:an|one) hour and three quarters\b", "105 minutes"),
        (r"\b(?:a )?half a dozen\b|\b(?:a )?half[ -]dozen\b", "6"),
        (r"\bthree[ -]quarters of an hour\b", "45 minutes"),
        (r"\bhalf an hour\b|\b(?:a )?half[ -]hour\b", "30 minutes"),
        (r"\b(?:a )?quarter of an hour\b", "15 minutes"),
        (r"(?<![א-ת])([ובלכמה]{0,2})שעה וחצי(?![א-ת])", r"\g<1>90 דקות"),
        (r"(?<![א-ת])([ובלכמה]{0,2})שעה ורבע(?![א-ת])", r"\g<1>75 דקות"),
        (r"(?<![א-ת])([ובלכמה]{0,2})שלושת רבעי שעה(?![א-ת])", r"\g<1>45 דקות"),
        (r"(?<![א-ת])([ובלכמה]{0,2})חצי שעה(?![א-ת])", r"\g<1>30 דקות"),
        (r"(?<![א-ת])([ובלכמה]{0,2})רבע שעה(?![א-ת])", r"\g<1>15 דקות"),
    )
)
# Each of them holds one of these.
_OF_DURATIONS = ("pound", "euro", "dollar", "shekel", "hour", "fortnight", "dozen", "יממה", "שעה")
_DIGIT = re.compile(r"\d")
# "At seven and a half" and "ten and a half in the evening" are times in Hebrew.
_HALF_HOUR = re.compile(
    r"(?<![א-ת])((?:בין|עד|אחרי|לפני|שעה)\s|[בלמה]-?)?(?<![\d.:,])(\d{1,2}) (?:(וחצי)|ורבע)"
    r"(?P<part>\s+(?:בבוקר|בערב|בלילה|אחר הצהריים|אחה\S*צ|בצהריים))?(?![א-ת])"
)
_ORDINALS = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_ORDINAL = re.compile(rf"(?<!\ba )(?<!\bone )(?<!\btwo )\b({'|'.join(_ORDINALS)})\b")
# Elsewhere it is a part of a minute, or "another".
_SECOND = re.compile(r"(?<=\bevery )second\b|\bsecond(?= (?:floor|day|night|week|child|room|person|car)\b)")
_HEBREW_QUARTER_TO = re.compile(r"(?<![א-ת])([במ]?)רבע (?:ל-?\s?)?(\d{1,2})(?![\d:])")
_AND_A_HALF = re.compile(r"(?<![\d.:,])(\d+)(?: and a half| וחצי)\b")
_METRES = re.compile(
    r"(?<![\d.])(\d|\bone|\ba) met(?:re|er)s? (?:and )?(\d\d)(?!\d)(?: ?(?:cm|centimet(?:re|er)s))?"
)
_METRE_AND = re.compile(
    r"(?<!\d )(?<![א-ת])([ובלמ]{0,2})מטר (?:ו-?)?(\d\d)(?!\d)(?: ?(?:סנטימטרים|סנטימטר|ס\"מ))?"
)
NUMBER_WORDS = frozenset({*_ENGLISH, *_HEBREW, *_ORDINALS, *_DUALS, "second"})
_AND_A_QUARTER = re.compile(r"(?<![\d.:,])(\d+)(?: and a quarter| ורבע)\b")


@lru_cache(maxsize=2_000)
def in_digits(text: str) -> str:
    """*text* with its spelled numbers in digits; *text* is canonical already."""
    if any(word in text for word in _OF_DURATIONS):
        for pattern, minutes in _DURATIONS:
            text = pattern.sub(minutes, text)
    text = _DUAL.sub(lambda match: f"{match[1]}2 {_DUALS[match[2]]}", text)
    text = _SECOND.sub("2", _ORDINAL.sub(lambda match: str(_ORDINALS[match[1]]), text))
    parts, end = [], 0
    for run in _runs(text):
        start, stop = run[0].start(), run[-1].end()
        parts += [text[end:start], _preposition(run[0][0])]
        parts.append(_written(run, "and" in text[start:stop]))
        end = stop
    digits = "".join([*parts, text[end:]])
    return _with_parts(digits) if _DIGIT.search(digits) else digits


def _with_parts(digits: str) -> str:
    """The halves and quarters that belong to numbers in digits joined to them."""
    digits = _HALF_HOUR.sub(_hour_and_part, digits)
    digits = _HALF_PAST.sub(r"\1:30", _MINUTES_PAST.sub(r"\2:\1", digits))
    digits = _QUARTER_PAST.sub(r"\1:15", digits)
    digits = _QUARTER_TO.sub(lambda match: f"{(int(match[1]) - 2) % 12 + 1}:45", digits)
    digits = _HEBREW_QUARTER_TO.sub(
        lambda match: f"{match[1]}{'-' * bool(match[1])}{(int(match[2]) - 2) % 12 + 1}:45", digits
    )
    digits = _METRES.sub(_metres, _METRE_AND.sub(r"\g<1>1.\2 מטר", digits))
    digits = _AND_A_HALF.sub(r"\1.5", digits)
    return _AND_A_QUARTER.sub(r"\1.25", digits)


def _metres(match: re.Match[str]) -> str:
    return f"{match[1] if match[1].isdigit() else 1}.{match[2]} m"


def _preposition(word: str) -> str:
    """The "in", "to" or "from" that stands before a Hebrew number in one word with it."""
    before = word[: len(word) - len(_bare(word))]
    return f"{before[-1]}-" if before and before[-1] in "בלמ" else ""


def _hour_and_part(match: re.Match[str]) -> str:
    """A Hebrew hour and a half or quarter, if it is said as a time."""
    if not match[1] and not match["part"]:
        return match[0]
    return f"{match[1] or ''}{match[2]}:{'30' if match[3] else '15'}{match['part'] or ''}"


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Number words that follow one another, as matches."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if _value(word[0]) is None or _NO_NUMBER_AFTER.search(text, max(0, word.start() - 8), word.start()):
            continue
        if run and not _goes_on(run[-1], word, text):
            yield from _strong(run, text)
            run = []
        run.append(word)
    yield from _strong(run, text)


def _goes_on(last: re.Match[str], word: re.Match[str], text: str) -> bool:
    """Whether *word* is of the number that *last* is of, or the minutes of its hour."""
    if _JOINT.fullmatch(text, last.end(), word.start()) is None or _preposition(word[0]):
        return False
    return "and" not in text[last.end() : word.start()] or (_value(last[0]) or 0) >= 100


def _strong(run: list[re.Match[str]], text: str) -> Iterator[list[re.Match[str]]]:
    if not run:
        return
    is_weak = len(run) == 1 and (run[0][0] in _WEAK or _bare(run[0][0]) == "אחת")
    if is_weak and (_bare(run[0][0]) == "אחת" or _HOUR_BEFORE.search(text, 0, run[0].start())):
        is_weak = _AS_HOUR.match(text, run[0].end()) is None
    if not is_weak or _MEASURED.match(text, run[0].end()):
        yield run


def _written(run: list[re.Match[str]], is_list: bool) -> str:
    """The run in digits; two numbers that can be are an hour and its minutes, unless "and" lists them."""
    numbers: list[int] = []
    for word in run:
        value = _value(word[0])
        joined = _joined(numbers[-1], value, word[0]) if numbers and value is not None else None
        if joined is not None:
            numbers[-1] = joined
        elif value is not None:
            numbers.append(value)
    if len(numbers) == 2 and not is_list and numbers[0] <= 12 and 10 <= numbers[1] <= 59:
        return f"{numbers[0]}:{numbers[1]}"
    return " ".join(str(number) for number in numbers)


def _joined(number: int, value: int, word: str) -> int | None:
    """*number* with the next word's *value* as part of it; None if a new number begins there."""
    if word in _HEBREW_TEENS and 0 < number % 100 < 10:
        return number + 10
    if value >= 1000 > number and value % 1000 == 0:
        return number * value
    if value == 100 and 0 < number % 1000 < 100:
        return number + number % 1000 * 99
    if number >= 20 and number % 10 ** len(str(value)) == 0:
        return number + value
    if number % 100 == 0 and 10 <= value < 20:
        return number + value
    return None


def _value(word: str) -> int | None:
    if word in _ENGLISH:
        return _ENGLISH[word]
    if word in _HEBREW:
        return _HEBREW[word]
    bare = _bare(word)
    # With an article these are "the second" and "the years", or a weekday.
    if bare == "שני":
        return 2 if word[:-3] in ("מ", "ל", "כ", "ומ") else None
    if bare == "אחת":
        return 1 if word[0] in "בלמ" else None
    return None if bare in ("שנים", "אחד") else _HEBREW.get(bare)


def _bare(word: str) -> str:
    """*word* without up to two prefixed letters, if a number is left."""
    for prefixes in range(3):
        if word[prefixes:] in _HEBREW and all(letter in _HEBREW_PREFIXES for letter in word[:prefixes]):
            return word[prefixes:]
    return word

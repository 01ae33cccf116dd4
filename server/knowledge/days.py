"""Which days of the week a text speaks of, the days within a range among them."""

from __future__ import annotations

import re

from server.knowledge.claims import Kind, claims
from server.knowledge.reading import canonical

_NAMES = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_ENGLISH = "|".join(f"{name}|{name[:4]}|{name[:3]}" for name in _NAMES)
_HEBREW = ("ראשון א", "שני ב", "שלישי ג", "רביעי ד", "חמישי ה", "שישי ו", "שבת ש")
_HEBREW_NAMES = {name: place for place, names in enumerate(_HEBREW) for name in names.split()}
_ONE_HEBREW = "|".join(sorted(_HEBREW_NAMES, key=len, reverse=True))
_RANGES = (
    re.compile(rf"\b({_ENGLISH})s?\s*(?:-|to|till|until|through)\s*({_ENGLISH})s?\b"),
    re.compile(
        rf"(?:ימים|ימי|יום)\s+(?:ה?)({_ONE_HEBREW})'?\s*(?:-|עד|ועד)\s*(?:יום\s+)?ה?({_ONE_HEBREW})(?:'"
        rf"|(?![א-ת]))"
    ),
)
# The hours around Sabbath are none of its own.
_AROUND = re.compile(
    r"(?<![א-ת])[ובל]{0,2}(?:מוצאי|צאת|ערב|כניסת) ה?שבת(?![א-ת])|\bafter (?:shabbat|sabbath)\b"
)
_WORKDAYS = re.compile(r"\bweekdays?\b|\bworking days\b|אמצע השבוע|ימי חול")
_WEEKENDS = re.compile(r"\bweekends?\b")
# From Friday where it is spoken of in Hebrew.
_HEBREW_WEEKENDS = re.compile(r"סופי? ?ה?שבוע|סופ\"?ש")


def days_of(text: str) -> frozenset[str]:
    """The English names of the days that *text* names, or has between those that it names."""
    plain = _AROUND.sub(" ", canonical(text))
    named = {claim.value for claim in claims(plain) if claim.kind is Kind.WEEKDAY}
    for pattern in _RANGES:
        for match in pattern.finditer(plain):
            named |= _between(_place(match[1]), _place(match[2]))
    if _WORKDAYS.search(plain):
        named |= _between(1, 5)
    if _WEEKENDS.search(plain):
        named |= _between(6, 0)
    if _HEBREW_WEEKENDS.search(plain):
        named |= _between(5, 6)
    return frozenset(named)


_LOOSE_NAME = re.compile(
    rf"(?<![א-ת])[ובלהמ]{{0,2}}({'|'.join(names.split()[0] for names in _HEBREW)})(?![א-ת])"
    r"(?!\s+ה?[א-ת]+(?:ים|ות)(?![א-ת]))"
    r"|(?<![א-ת])[ובלהמ]{0,2}([א-ו])'"
)
_LOOSE_RANGE = re.compile(
    rf"(?<![א-ת])[ובלהמ]{{0,2}}({_ONE_HEBREW})'?\s*(?:-|עד|ועד)\s*(?:יום\s+)?ה?({_ONE_HEBREW})(?:'|(?![א-ת]))"
)
_EVERY_WORKDAY = re.compile(r"ימי חול|אמצע השבוע|אמצ\"ש")


def possible_days(text: str) -> frozenset[str]:
    """`days_of`, and what may be a day where the word "day" is left out, as Hebrew mostly does."""
    plain = canonical(text)
    named = {_NAMES[_place(match[1] or match[2])] for match in _LOOSE_NAME.finditer(plain)}
    for match in _LOOSE_RANGE.finditer(plain):
        named |= _between(_place(match[1]), _place(match[2]))
    if _EVERY_WORKDAY.search(plain):
        named |= _between(0, 5)
    return days_of(text) | named


def _place(name: str) -> int:
    if name in _HEBREW_NAMES:
        return _HEBREW_NAMES[name]
    return next(place for place, day in enumerate(_NAMES) if day.startswith(name[:3]))


def _between(first: int, last: int) -> set[str]:
    return {_NAMES[(first + step) % 7] for step in range((last - first) % 7 + 1)}

"""What a price is for, and what a number counts: per night is not per stay, minutes are not hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from server.knowledge.claims import CURRENCIES, Claim, Kind, claims
from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical, sentences
from server.knowledge.readings import bare_amounts
from server.knowledge.words import forms, words

_MONEY = "(?:" + "|".join(form for form in CURRENCIES.values()) + ")"
_PRICE = rf"(?:\d[\d.,]*\s*{_MONEY}|{_MONEY}\s*\d[\d.,]*)"
_BASIS = re.compile(
    rf"{_PRICE}(?:\s+each)?,?\s*(?:(?P<each>p\.?p\b\.?|a head|each)|(?P<two>for 2)\b|(?:(?:per|pro|a|an"
    rf"|every|for (?:a|an|one|the|each|every)(?: (?:whole"
    rf"|entire|full))?)\s|/)\s*([a-z]+)"
    r"(?:\s*(?:and|und|per|a|/)\s+(?:per )?(night|nacht|day|tag|person|week|stay|hour)\b)?"
    r"|ל-?([א-ת]{2,})(?:\s+(?:ו?ל)(לילה|יום|אדם)(?![א-ת]))?)"
)
# What a basis is called for short.
_SHORT = {
    "pp": "person",
    "p.p": "person",
    "p.p.": "person",
    "a head": "person",
    "for 2": "couple",
    "each": "each",
}
_UNITS = {
    name: unit
    for unit, names in {
        "person": "person people guest guests head pax אדם איש נפש אורח סועד נוסע משתתף",
        "adult": "adult adults מבוגר",
        "child": "child children kid kids ילד תינוק",
        "night": "night nights nightly nacht לילה לילות",
        "day": "day days daily tag יום ימים יומיים",
        "week": "week weeks weekly שבוע שבועות שבועיים",
        "month": "month months monthly חודש חודשים",
        "year": "year years שנה שנים שנתיים",
        "hour": "hour hours hr hrs h שעה שעות שעתיים",
        "minute": "minute minutes min mins דקה דקות",
        "second": "seconds sec secs שניות",
        "stay": "stay stays שהייה שהות",
        "room": "room rooms bungalow bungalows tent tents cabin cabins villa flat flats unit units "
        "suite suites apartment apartments חדר סוויטה דירה יחידה",
        "couple": "couple couples pair זוג",
        "family": "family families משפחה",
        "group": "group groups קבוצה",
        "table": "table tables שולחן",
        "vehicle": "car cars vehicle vehicles van רכב מכונית מונית",
        "metre": "m metre metres meter meters מטר מטרים",
        "kilometre": 'km kms kilometre kilometres kilometer kilometers קילומטר קילומטרים קמ ק"מ',
        "mile": "mile miles מייל מיילים",
        "foot": "foot feet ft",
        "kilogram": 'kg kgs kilo kilos kilogram kilograms קילו קילוגרם קג ק"ג',
        "gram": "g gram grams גרם",
        "pound": "lb lbs",
        "litre": "litre litres liter liters ליטר",
        "item": "item items bag bags פריט",
    }.items()
    for name in names.split()
}
_ALL_UNITS = frozenset(_UNITS.values())
_MEASURES = frozenset(
    [
        "night",
        "day",
        "week",
        "month",
        "year",
        "hour",
        "minute",
        "second",
        "metre",
        "kilometre",
        "mile",
        "foot",
        "kilogram",
        "gram",
        "litre",
    ]
)
_DEGREES = re.compile(r"(\d+(?:[.,]\d+)?) ?(?:°|degrees?|מעלות) ?(c\b|celsius|f\b|fahrenheit)")
_COUNTED = re.compile(
    r"((?:every|each|כל)\s+)?(?<![a-z\d.,:/])(\d+(?:[.,]\d+)?)\s*-?\s*((?!every\b|each\b)[a-z]+|[א-ת]+(?:\"[א-ת])?)"
)


def other_basis(statement: str, sources: Sequence[str]) -> str:
    """A price per person that is per room in the source, or for nothing in particular."""
    for price, basis in _bases(statement):
        amounts = {claim.value.split()[0] for claim in price}
        parts = [
            (clause, sentence)
            for source in sources
            for sentence in sentences(source)
            for clause in _CLAUSE_END.split(sentence)
            if price <= claims(clause) or amounts & bare_amounts(clause)
        ]
        if not parts:
            continue
        known = {
            part
            for clause, _ in parts
            for found, bases in _by_price(clause)
            if found == price
            for part in bases
        }
        if not known:
            known = {_unit(word) for clause, _ in parts for word in words(in_digits(canonical(clause)))}
            if not known & _ALL_UNITS:
                known |= {part for _, sentence in parts for _, bases in _by_price(sentence) for part in bases}
            known |= {"couple"} if any(_FOR_TWO.search(canonical(clause)) for clause, _ in parts) else set()
            known |= (
                known
                if known & _MEASURES
                else {
                    _unit(word)
                    for source in sources
                    for sentence in sentences(source)
                    if _PRICING.search(canonical(sentence))
                    for word in words(sentence)
                }
            )
        if not basis <= known:
            return "other_basis"
    return ""


# A comma within a number ends nothing.
_CLAUSE_END = re.compile(r"[;.]\s|,\s")
_FOR_TWO = re.compile(r"\bfor (?:two|2)\b|(?<![א-ת])ל(?:שניים|שני אנשים)(?![א-ת])")
_PRICING = re.compile(
    r"\b(?:prices?|rates?|tariffs?|all)\b|(?<![א-ת])ה?(?:מחיר|מחירים|תעריף|תעריפים)(?![א-ת])"
)


def _bases(text: str) -> list[tuple[frozenset[Claim], frozenset[str]]]:
    return [(price, basis) for price, basis in _by_price(text) if basis]


@lru_cache(maxsize=1000)
def _by_price(text: str) -> tuple[tuple[frozenset[Claim], frozenset[str]], ...]:
    """The prices of *text*, each with what it is for: nothing, a night, a person and a night."""
    plain = in_digits(canonical(text))
    found = []
    for match in re.finditer(_PRICE, plain):
        of = _BASIS.match(plain, match.start())
        named = [_SHORT.get(group, group) for group in of.groups() if group] if of else []
        price = frozenset(claim for claim in claims(match[0]) if claim.kind is Kind.PRICE)
        found.append((price, frozenset(unit for unit in map(_unit, named) if unit in _ALL_UNITS)))
    return tuple(found)


def _unit(name: str) -> str:
    if name in _UNITS:
        return _UNITS[name]
    return next((_UNITS[form] for form in forms(name) if form in _UNITS), forms(name)[-1])


def other_unit(statement: str, sources: Sequence[str]) -> str:
    """Hours that are minutes in the source, or kilometres that are metres."""
    told = {pair for source in sources for pair in _measures(source)}
    numbers = {number for number, _ in told}
    given = _measures(statement)
    if _travels(statement) - _travels("\n".join(sources)) and _travels("\n".join(sources)):
        return "other_unit"
    return "other_unit" if any(pair not in told and pair[0] in numbers for pair in given) else ""


_WAYS = (
    ("foot", re.compile(r"\b(?:walk\w*|on foot|by foot|stroll)\b|(?<![א-ת])ב?(?:רגל|הליכה)(?![א-ת])")),
    (
        "wheels",
        re.compile(
            r"\b(?:driv\w+|by (?:car|taxi|bus|bike|boat|ferry)|ride)\b|(?<![א-ת])ב?(?:נסיעה|נהיגה"
            r"|רכב)(?![א-ת])"
        ),
    ),
)
_AWAY = re.compile(
    r"(?:\d+|an hour|hour)[ -]*(?:minutes?|mins?|hours?|דקות|שעות|דקת)['\"]*\s?(?:of |away )?[^.;,]{0,16}"
)


def _travels(text: str) -> frozenset[tuple[str, str]]:
    """Times on the way, each with how one goes: 6 minutes on foot."""
    plain = in_digits(canonical(text))
    return frozenset(
        (re.match(r"\w+", match[0])[0], way)  # type: ignore[index]
        for match in _AWAY.finditer(plain)
        for way, pattern in _WAYS
        if pattern.search(match[0])
    )


@lru_cache(maxsize=1000)
def _measures(text: str) -> frozenset[tuple[str, str]]:
    plain = in_digits(canonical(text))
    pairs = _COUNTED.findall(plain)
    degrees = frozenset((number, scale[0]) for number, scale in _DEGREES.findall(plain))
    return degrees | frozenset(
        (number, "every " * bool(every) + _UNITS[unit])
        for every, number, unit in pairs
        if _UNITS.get(unit) in _MEASURES
    )

"""Prices, percentages and measures as they are said."""

from __future__ import annotations

import re
from typing import NamedTuple

from server.voice.cardinals import Gender, Noun, cardinal, counted, decimal
from server.voice.word_lists import word_set


class Unit(NamedTuple):
    """What is counted in both languages; ``part`` is the hundredth of a currency."""

    english: Noun
    hebrew: Noun
    part: tuple[Noun, Noun] | None = None

    def noun(self, language: str) -> Noun:
        return self.hebrew if language == "he" else self.english


_AGORA = (Noun("agora", "agorot"), Noun("אגורה", "אגורות", "f"))
_CENT = (Noun("cent", "cents"), Noun("סנט", "סנט"))
_PENNY = (Noun("penny", "pence"), Noun("פני", "פני"))
_SHEKEL = Unit(Noun("shekel", "shekels"), Noun("שקל", "שקלים"), _AGORA)
_DOLLAR = Unit(Noun("dollar", "dollars"), Noun("דולר", "דולרים", many="דולר"), _CENT)
_EURO = Unit(Noun("euro", "euros"), Noun("אירו", "אירו"), _CENT)
_POUND = Unit(Noun("pound", "pounds"), Noun("פאונד", "פאונד"), _PENNY)
_PERCENT = Unit(Noun("percent", "percent"), Noun("אחוז", "אחוזים", many="אחוז"))
_KM = Unit(Noun("kilometre", "kilometres"), Noun("קילומטר", "קילומטרים", many="קילומטר"))
_METRE = Unit(Noun("metre", "metres"), Noun("מטר", "מטרים", many="מטר"))
_SQUARE_METRE = Unit(Noun("square metre", "square metres"), Noun("מטר רבוע", "מטרים רבועים", many="מטר רבוע"))
_CM = Unit(Noun("centimetre", "centimetres"), Noun("סנטימטר", "סנטימטרים", many="סנטימטר"))
_KG = Unit(Noun("kilogram", "kilograms"), Noun("קילוגרם", "קילוגרמים", many="קילוגרם"))
_LITRE = Unit(Noun("litre", "litres"), Noun("ליטר", "ליטרים", many="ליטר"))
_MINUTE = Unit(Noun("minute", "minutes"), Noun("דקה", "דקות", "f"))
_HOUR = Unit(Noun("hour", "hours"), Noun("שעה", "שעות", "f"))
_DEGREE = Unit(Noun("degree", "degrees"), Noun("מעלה", "מעלות", "f"))
_CELSIUS = Unit(Noun("degree Celsius", "degrees Celsius"), Noun("מעלה", "מעלות", "f"))
_FAHRENHEIT = Unit(
    Noun("degree Fahrenheit", "degrees Fahrenheit"), Noun("מעלת פרנהייט", "מעלות פרנהייט", "f")
)
_SPEED = Unit(Noun("kilometre an hour", "kilometres an hour"), Noun('קמ"ש', 'קמ"ש'))
_MEGABIT = Unit(Noun("megabit a second", "megabits a second"), Noun("מגה", "מגה"))
_KILOWATT = Unit(Noun("kilowatt", "kilowatts"), Noun("קילוואט", "קילוואט"))
_KILOWATT_HOUR = Unit(Noun("kilowatt hour", "kilowatt hours"), Noun("קילוואט שעה", "קילוואט שעה"))
_GIGABYTE = Unit(Noun("gigabyte", "gigabytes"), Noun("ג'יגה", "ג'יגה"))

UNITS = {
    "₪": _SHEKEL, "$": _DOLLAR, "€": _EURO, "£": _POUND,
    "nis": _SHEKEL, "ils": _SHEKEL, 'ש"ח': _SHEKEL, "שח": _SHEKEL, "שקל": _SHEKEL, "שקלים": _SHEKEL,
    "shekel": _SHEKEL, "shekels": _SHEKEL, "usd": _DOLLAR, "dollars": _DOLLAR, "דולר": _DOLLAR,
    "דולרים": _DOLLAR, "eur": _EURO, "euros": _EURO, "euro": _EURO, "אירו": _EURO, "gbp": _POUND,
    "%": _PERCENT, "percent": _PERCENT, "אחוז": _PERCENT, "אחוזים": _PERCENT,
    "km/h": _SPEED, "km": _KM, 'ק"מ': _KM, "קמ": _KM, "m": _METRE, "מ'": _METRE, "sqm": _SQUARE_METRE,
    "m²": _SQUARE_METRE, "m2": _SQUARE_METRE, 'מ"ר': _SQUARE_METRE, "cm": _CM, 'ס"מ': _CM, "kg": _KG,
    'ק"ג': _KG, "l": _LITRE, "min": _MINUTE, "mins": _MINUTE, "דק'": _MINUTE, "hrs": _HOUR, "hr": _HOUR,
    "h": _HOUR, "שע'": _HOUR, "°c": _CELSIUS, "°f": _FAHRENHEIT, "°": _DEGREE, "mbps": _MEGABIT,
    "gb": _GIGABYTE, "kw": _KILOWATT, "kwh": _KILOWATT_HOUR, 'קוט"ש': _KILOWATT_HOUR,
    "metre": _METRE, "metres": _METRE, "meter": _METRE, "meters": _METRE, "מטר": _METRE,
    "kilometres": _KM, "kilometers": _KM, "קילומטר": _KM, "minute": _MINUTE, "minutes": _MINUTE,
    "hour": _HOUR, "hours": _HOUR,
}  # fmt: skip

# Plurals whose ending tells the other gender.
_MASCULINE_OT = word_set(
    "לילות מקומות שולחנות חלונות ארונות רחובות כיסאות כסאות וילונות מזלגות מפתחות יתרונות פתרונות קירות"
)
_FEMININE_IM = word_set("שנים נשים פעמים מילים ביצים ערים דרכים אבנים")
# What is counted in the singular; others behind a one may be anything.
_ONE_FEMININE = word_set("מיטה שנה ילדה שעה דקה פעם מנה כוס מגבת חניה ארוחה אורחת יחידה סוויטה דירה")
_ONE_MASCULINE = word_set("לילה יום שבוע חודש אדם ילד מבוגר חדר בקבוק אורח מפתח תינוק כלב זוג כרטיס")
# These letters stand for "in", "to" and "the" before a noun, but are of these nouns themselves.
_ATTACHED = "בלה"
_NOT_ATTACHED = word_set("לילות לקוחות בקבוקים בריכות בקשות ביצים הזמנות הורים בנות בנים בתים לימונים")


def quantity(number: str, unit: Unit, language: str) -> str:
    """*number* as it is written, of *unit*: "35.50" dollars are "thirty-five dollars and fifty cents"."""
    noun = unit.noun(language)
    whole, _, fraction = number.replace(",", "").partition(".")
    if unit.part and fraction and len(fraction) <= 2:
        return _price(int(whole), int(fraction.ljust(2, "0")), unit, unit.part, language)
    if fraction or len(whole) > 9:
        return f"{decimal(number, language)} {noun.several}"
    return counted(int(whole), noun, language)


def _price(whole: int, hundredths: int, unit: Unit, part: tuple[Noun, Noun], language: str) -> str:
    major = counted(whole, unit.noun(language), language)
    if not hundredths:
        return major
    minor = counted(hundredths, part[language == "he"], language)
    if not whole:
        return minor
    return f"{major} ו{minor}" if language == "he" else f"{major} and {minor}"


def of_things(number: str, thing: str) -> str:
    """So many of a Hebrew noun that stands behind its number: "1 לילה" is said "לילה אחד"."""
    if number == "1" and thing in _ONE_FEMININE | _ONE_MASCULINE:
        return f"{thing} {cardinal(1, 'he', 'f' if thing in _ONE_FEMININE else 'm')}"
    gender = gender_of(thing)
    if number == "2" and thing.endswith(("ים", "ות")) and not _is_attached(thing):
        return f"{'שתי' if gender == 'f' else 'שני'} {thing}"
    return f"{decimal(number, 'he', gender)} {thing}"


def gender_of(thing: str) -> Gender:
    """Of a Hebrew plural; feminine, as one counts, for what is none."""
    if _is_attached(thing):
        return "f"
    if thing.endswith("ות"):
        return "m" if thing in _MASCULINE_OT else "f"
    if thing.endswith("ים"):
        return "f" if thing in _FEMININE_IM else "m"
    # After large numbers Hebrew may keep the singular: "20 איש", "30 יום".
    return "m" if thing in _ONE_MASCULINE or thing in ("איש", "אלף", "מיליון") else "f"


def _is_attached(thing: str) -> bool:
    return thing[:1] in _ATTACHED and thing not in _NOT_ATTACHED | _ONE_MASCULINE


def alternation(words: dict[str, Unit]) -> str:
    """A pattern of any of *words*, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))

"""Numbers with what they count, found in a text and said in words."""

from __future__ import annotations

import re

from server.voice.cardinals import decimal, digits
from server.voice.quantities import UNITS, alternation, gender_of, of_things, quantity
from server.voice.spoken_rules import DASH, PREFIX, joint, prefix

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
UNIT = rf"(?:{alternation(UNITS)})(?![\w²])(?!\"[א-ת])"
_SIGN = "[₪$€£]"
# "$1.5 million", "₪2K".
_SCALE = r"[km](?!\w)|\s(?:thousand|million|billion|אלף|מיליון)(?!\w)"
_SCALES = {"en": {"k": "thousand", "m": "million"}, "he": {"k": "אלף", "m": "מיליון"}}
# A longer number that counts nothing is a code.
_LONGEST_COUNT = 6
# Behind these a number is a name: "דירה 1".
_NAMED = re.compile(
    r"(?:דירה|דירת|חדר|קו|קווי|קומה|אוטובוס|שולחן|בניין|רחוב|כביש|שער|מספר|יום|גיל)[\s-][ובלמ]{0,2}-?$"
)
QUANTITY = re.compile(
    rf"{PREFIX}(?P<minus>(?<![\w).\d])(?<!\d )[-−])?(?P<sign>{_SIGN}\s?)?(?<![\d.,])(?P<low>{_NUMBER})"
    rf"(?:{DASH}{_SIGN}?(?P<high>{_NUMBER})(?!{DASH}\d))?"
    rf"(?(sign)(?P<scale>{_SCALE})?|(?:[\s-]?(?P<unit>{UNIT}))?)(?P<rate>/(?=[^\W\d]))?"
    r"(?:\s(?P<thing>[א-ת]{2,}(?![א-ת])))?",
    re.IGNORECASE,
)


def said_quantity(match: re.Match[str], language: str) -> str:
    """The words of a match of ``QUANTITY``: a number or a range, with its unit or the Hebrew noun behind."""
    said = _said_range(match, language)
    minus = ("מינוס " if language == "he" else "minus ") if match["minus"] else ""
    rate = (" ל" if language == "he" else " per ") if match["rate"] else ""
    return f"{prefix(match)}{minus}{said}{rate}"


def _said_range(match: re.Match[str], language: str) -> str:
    unit = UNITS.get((match["unit"] or match["sign"] or "").strip().lower())
    low, last, thing = match["low"], match["high"] or match["low"], match["thing"]
    behind = f" {thing}" if thing else ""
    if unit and match["scale"]:
        scale = _scale(match["scale"], language)
        said = f"{decimal(last, language)} {scale} {unit.noun(language).several}{behind}"
    elif unit:
        said = quantity(last, unit, language) + behind
    elif len(last) > _LONGEST_COUNT and last.isdecimal():
        said = digits(last, language) + behind
    elif thing and not _NAMED.search(match.string, 0, match.start()):
        said = of_things(last, thing)
    else:
        said = decimal(last, language) + behind
    if match["high"]:
        gender = unit.noun(language).gender if unit else gender_of(thing or "")
        return f"{decimal(low, language, gender)}{joint(language)}{said}"
    return said


def _scale(written: str, language: str) -> str:
    word = written.strip().lower()
    return _SCALES[language].get(word, word)

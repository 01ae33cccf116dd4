"""Text as it is written, made into text as it is said, in English and Hebrew.

Each rule finds one kind of thing and puts words in its place; what it leaves has no digits, so no later rule
finds it again. No rule changes a value: where a form is ambiguous ("7:30", unless another time of the text
shows that it counts 24 hours) the words are as ambiguous as it was.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

from server.voice import addresses
from server.voice.abbreviations import expand
from server.voice.cardinals import decimal, digits, ordinal
from server.voice.quantities import UNITS
from server.voice.sentence_ends import UNSEEN
from server.voice.spoken_moments import MOMENT_RULES
from server.voice.spoken_quantities import QUANTITY, UNIT, said_quantity
from server.voice.spoken_rules import Rule

_LINK = re.compile(r"\[([^\]\n]{1,300})\]\([^)\s]{1,1000}\)")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}|[-*•·▪>–—])[ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"\*{2,3}|__|~~|`+|(?<![\w*])\*(?=[^\W\d])|(?<=[\w.,!?)])\*(?![\w*])")
_ANCHOR = re.compile(r"\s?\{#[\w-]{1,100}\}")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
_FRACTION = re.compile(r"(?:(?<![\d.,])(\d{1,6})\s?)?([½¼¾])")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d\d(?!\d)\s?(?:[₪€]|eur|nis|ש\"ח))", re.IGNORECASE)
_LINES = re.compile(r"[ \t]*[\r\n]+\s*")
_SPACES = re.compile(r"[ \t\u00a0\u202f]+")
_FIRST = re.compile(r"^[\s.,;:!?…)\]}»”’\-–—|]+(?=\s|$)|^[,;:!?)\]}]+")
_BEFORE_MARK = re.compile(r"\s+(?=[.,;:!?](?:\s|$))")
_AMPERSAND = re.compile(r"\s*&\s*")
# Categories of Unicode: symbols, and what is no character.
_PICTURES = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cc"})
_MODIFIERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_LAST_DASH = re.compile(r"\s+[-–—]\s*$")

_EMAIL = re.compile(r"[A-Za-z\d][A-Za-z\d._%+-]{0,63}@[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){1,5}")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'()\[\]]{1,500}?(?=[.,;:!?]*(?:[\s<>\"'()\[\]]|$))"
    r"|(?<![\w@.])[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){0,3}\.(?:com|net|org|io|me|co\.il|org\.il|il|co|uk|eu)"
    r"(?:/[^\s<>\"'()\[\]]{0,300}?)?(?=[.,;:!?]*(?:[\s<>\"'()\[\]]|$))"
)
_SCHEME = re.compile(r"^https?://|/$")
_PHONE = re.compile(
    r"(?<![\w+])(?:\+\d(?:[\s().-]{0,2}\d){6,14}|\(?0\d{1,2}\)?(?:[\s.-]?\d){6,8}|1[-\s]?[78]00(?:[\s-]?\d){6}"
    r"|\*\d{3,5})(?!\d)"
)
_CODE = re.compile(
    r"((?<![A-Za-z])(?:(?:room|flight|booking|reservation|confirmation|extension|gate|dial)(?:\s(?:number|code|no\.))?"
    r"|(?:code|pin|password|number|no\.)(?:\sis)?)|(?<![א-ת])[ובלמהש]{0,2}(?:חדר|קוד|קודן|שלוחה|טיסה|הזמנה|אישור|סיסמה|חייגו|מספר))"
    rf"(\s?[:#]?\s?)(\d{{3,12}}|\d+(?:-\d+)+)(?![\d.,:%/-]\d|\d|\s?{UNIT})",
    re.IGNORECASE,
)
# Three numbers or more with dashes or full stops between: a code, a version.
_DASHED = re.compile(r"(?<![\d-])\d+(?:-\d+){2,}(?![\d-])")
_DOTTED = re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d])")
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,4})(?:st|nd|rd|th)(?!\w)")
_LETTERS_AND_DIGITS = re.compile(
    r"(?<![^\W\d_])(?<![₪$€£])(?=[A-Za-z]*\d+[A-Za-z]|[A-Za-z]+\d)[A-Za-z\d]{2,40}"
)
_RUN = re.compile(r"\d+|[A-Za-z]+")
_LEFT_DIGITS = re.compile(r"\d+")


def spoken(text: str, language: str) -> str:
    """*text* as it is said in *language* (``he``, else English); empty if there is nothing to say."""
    language = "he" if language == "he" else "en"
    text = expand(_plain_numbers(_without_marks(text)), language)
    for pattern, rule in _RULES:
        text = pattern.sub(partial(_apply, rule, language), text)
    text = _BEFORE_MARK.sub("", _SPACES.sub(" ", _without_pictures(text, language)))
    text = _LAST_DASH.sub("", _FIRST.sub("", text.strip())).strip()
    return text if any(character.isalnum() for character in text) else ""


def _apply(rule: Rule, language: str, match: re.Match[str]) -> str:
    """What *rule* says, kept apart from letters that stood against the match."""
    words = rule(match, language)
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return " " * before.isalpha() + words + " " * (after.isalpha() and not words.endswith((" ", " ל")))


def _without_marks(text: str) -> str:
    """Without marks of direction and of Markdown; each line a sentence."""
    text = "".join(character for character in text if character not in UNSEEN)
    text = _EMPHASIS.sub("", _LINE_MARK.sub("", _ANCHOR.sub("", _LINK.sub(r"\1", text))))
    return _LINES.sub(lambda match: _pause(text, match), text.strip())


def _plain_numbers(text: str) -> str:
    """Fractions and decimal commas in one form: "2½" is 2.5, "2,50 €" is 2.50 €."""
    text = _FRACTION.sub(lambda match: (match[1] or "0") + _FRACTIONS[match[2]], text)
    return _DECIMAL_COMMA.sub(".", text)


def _pause(text: str, line_break: re.Match[str]) -> str:
    before = text[: line_break.start()].rstrip()
    return " " if before[-1:] in ".,;:!?…" else ". "


def _without_pictures(text: str, language: str) -> str:
    """Without emoji; the few other signs as words."""
    signs = {
        "₪": UNITS["₪"].noun(language).several,
        "|": ", ",
        "#": " hash " if language == "en" else " סולמית ",
    }
    text = _AMPERSAND.sub(" ו" if language == "he" else " and ", text)
    kept = (signs.get(one, " " if unicodedata.category(one) in _PICTURES else one) for one in text)
    return "".join(one for one in kept if one not in _MODIFIERS)


def _said_email(match: re.Match[str], language: str) -> str:
    return addresses.address(match[0], language)


def _said_url(match: re.Match[str], language: str) -> str:
    return addresses.address(_SCHEME.sub("", match[0]).removeprefix("www."), language)


def _said_phone(match: re.Match[str], language: str) -> str:
    return addresses.phone(match[0], language)


def _said_code(match: re.Match[str], language: str) -> str:
    return f"{match[1]}{match[2].replace('#', '')}{_groups(match[3], language)}"


def _said_groups(match: re.Match[str], language: str) -> str:
    return _groups(match[0], language)


def _groups(written: str, language: str) -> str:
    return ", ".join(digits(group, language) for group in written.split("-"))


def _said_dotted(match: re.Match[str], language: str) -> str:
    point = " נקודה " if language == "he" else " point "
    return point.join(decimal(part, language) for part in match[0].split("."))


def _said_ordinal(match: re.Match[str], _language: str) -> str:
    return ordinal(int(match[1]))


def _said_letters_and_digits(match: re.Match[str], language: str) -> str:
    return " ".join(digits(run, language) if run[0].isdigit() else run for run in _RUN.findall(match[0]))


def _said_digits(match: re.Match[str], language: str) -> str:
    return f" {decimal(match[0], language)} "


# In this order: what is read as a whole stands before what it is made of.
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = (
    (_EMAIL, _said_email),
    (_URL, _said_url),
    *MOMENT_RULES,
    (_PHONE, _said_phone),
    (_CODE, _said_code),
    (_DASHED, _said_groups),
    (_DOTTED, _said_dotted),
    (_ORDINAL, _said_ordinal),
    (_LETTERS_AND_DIGITS, _said_letters_and_digits),
    (QUANTITY, said_quantity),
    (_LEFT_DIGITS, _said_digits),
)

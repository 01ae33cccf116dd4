"""Words in the languages that there are: of the console's pages, and of what staff are told.

English stands in the code; the others are catalogues in ``locale``, one file each.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from server.domain.phrases import Counted, Phrase
from server.domain.tenants import TenantSettings

LANGUAGES = {"en": "English", "he": "עברית"}
RIGHT_TO_LEFT = frozenset({"he"})
LOCALE = Path(__file__).parent / "locale"

_ENGLISH = "en"

# Of Unicode's bidirectional algorithm: a letter of no width that runs from right to left, and what keeps the
# words between the two together, in the direction of their own first letter.
_RIGHT_TO_LEFT_MARK = "\u200f"
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
# What somebody else wrote could end our isolates, or turn the rest of a line round.
_OTHERS_MARKS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_IS_LINK = re.compile(r"\s*https?://\S+")
# Programs that find links take a mark that stands directly after one for a part of it.
_ENDS_IN_LINK = re.compile(r"\S[.:]\S*/\S*$")


class Written(Phrase):
    """A day or a moment, in words: ``Written("d MMMM, HH:mm", at)``.

    The pattern is of Unicode's locale data and is what is translated: each language has its own order. A
    moment is told in the time zone that it comes with.
    """

    at: date

    def __new__(cls, pattern: str, at: date, /) -> Written:
        """*at* by *pattern*."""
        phrase = str.__new__(cls, _date(at, pattern, _ENGLISH))
        phrase.template, phrase.values, phrase.at = pattern, {}, at
        return phrase


def told_in(settings: TenantSettings) -> str:
    """The language that staff are told in: the chosen one, or the first of the business's that is here."""
    wanted = (settings.team_language, *settings.languages)
    return next((language for language in wanted if language in LANGUAGES), _ENGLISH)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of *language*; English where there are none."""
    path = LOCALE / f"{language}.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        kept = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, kept)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def said(words: object, language: str) -> str:
    """*words* in *language* if they are a phrase; else as they are."""
    return _said(words, language, lambda value: value)


def plain_text(lines: Iterable[object], language: str) -> str:
    """A text of *lines*, each a phrase or words that stay as they are, to be read without any markup.

    Where *language* runs from right to left each line does so too, whatever it begins with, and names and
    others' words among ours are kept together. A link stands on a line of its own.
    """
    if language in RIGHT_TO_LEFT:
        return "\n".join(_from_right_to_left(line, language) for line in lines)
    return "\n".join(said(line, language) for line in lines)


def _from_right_to_left(line: object, language: str) -> str:
    if isinstance(line, Phrase):
        return f"{_RIGHT_TO_LEFT_MARK}{_said(line, language, _kept_together)}"
    # Somebody's own words may have lines of their own.
    return "\n".join(_own_line(part) for part in str(line).translate(_OTHERS_MARKS).splitlines())


def _own_line(words: str) -> str:
    if not words.strip():
        return ""
    return f"{_RIGHT_TO_LEFT_MARK}{words if _IS_LINK.fullmatch(words) else _kept_together(words)}"


def _kept_together(value: object) -> object:
    """*value* as it is if it is a number, which needs no help."""
    if not isinstance(value, str):
        return value
    words = " ".join(value.translate(_OTHERS_MARKS).split())
    gap = " " if _ENDS_IN_LINK.search(words) else ""
    return f"{_ISOLATE}{words}{gap}{_END_OF_ISOLATE}"


def _said(words: object, language: str, shown: Callable[[object], object]) -> str:
    if isinstance(words, Written):
        return _date(words.at, catalogue(language).gettext(words.template), language)
    if not isinstance(words, Phrase):
        return str(words)
    values = {
        name: _said(value, language, shown) if isinstance(value, Phrase) else shown(value)
        for name, value in words.values.items()
    }
    return _template(words, language).format(**values)


def _template(words: Phrase, language: str) -> str:
    if isinstance(words, Counted):
        return catalogue(language).ngettext(words.template, words.many, words.number)
    return catalogue(language).gettext(words.template)


def _date(at: date, pattern: str, language: str) -> str:
    if isinstance(at, datetime):
        return format_datetime(at, pattern, tzinfo=at.tzinfo, locale=language)
    return format_date(at, pattern, locale=language)

"""E-mail addresses, links and telephone numbers as they are said, and names as they are spelled."""

from __future__ import annotations

import re

from server.voice.cardinals import digits
from server.voice.word_lists import word_list

_SYMBOLS = {
    "en": {
        "@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "/": "slash", "&": "and", "?":
        "question mark", "=": "equals", "#": "hash", "%": "percent", "~": "tilde", ":": "colon",
        "'": "apostrophe",
    },
    "he": {
        "@": "שטרודל", ".": "נקודה", "-": "מקף", "_": "קו תחתון", "+": "פלוס", "/": "לוכסן", "&": "אנד", "?":
        "סימן שאלה", "=": "שווה", "#": "סולמית", "%": "אחוז", "~": "טילדה", ":": "נקודתיים", "'": "גרש",
    },
}  # fmt: skip
# Parts of addresses that everybody says as words.
_KNOWN_WORDS = {
    "en": {"com": "com", "co": "co", "net": "net", "org": "org", "gmail": "gmail", "outlook": "outlook",
    "yahoo":
           "yahoo", "hotmail": "hotmail", "info": "info", "www": "www"},
    "he": {"com": "קום", "co": "קו", "net": "נט", "org": "אורג", "gmail": "ג'ימייל", "outlook": "אאוטלוק",
    "yahoo":
           "יאהו", "hotmail": "הוטמייל", "info": "אינפו", "www": "www"},
}  # fmt: skip
_LATIN_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# I is not A, though both would be said alike without points.
_LATIN_NAMES = word_list(
    """
    אֵיי בי סי די אי אף ג'י אייץ' אַיי ג'יי קיי אל אם אן או פי קיו אר אס טי יו וי דאבליו אקס וואי זי
    """
)
_HEBREW_LETTERS = "אבגדהוזחטיכלמנסעפצקרשת"
_HEBREW_NAMES = word_list(
    """
    אלף בית גימל דלת הא וו זין חית טית יוד כף למד מם נון סמך עין פא צדי קוף ריש שין תו
    """
)
_LETTERS_IN_HEBREW = {
    **dict(zip(_LATIN_LETTERS, _LATIN_NAMES, strict=True)),
    **dict(zip(_HEBREW_LETTERS, _HEBREW_NAMES, strict=True)),
    "ך": "כף סופית",
    "ם": "מם סופית",
    "ן": "נון סופית",
    "ף": "פא סופית",
    "ץ": "צדי סופית",
}
_TOKEN = re.compile(r"[^\W\d_]+|\d+|\S")
_GROUP = re.compile(r"\d+")


def address(text: str, language: str) -> str:
    """An e-mail address or a link without its scheme: "info at example dot com"."""
    tokens = _TOKEN.findall(text)
    return " ".join(_token(token, language) for token in tokens)


def phone(text: str, language: str) -> str:
    """A telephone number, digit by digit, in the groups in which it is written or else in three and four."""
    spoken = [digits(part, language) for group in _GROUP.findall(text) for part in _groups(group)]
    first = {"+": "plus ", "*": "star "} if language == "en" else {"+": "פלוס ", "*": "כוכבית "}
    return first.get(text.strip()[0], "") + ", ".join(spoken)


def read_back(text: str, language: str) -> str:
    """A name or an e-mail address letter by letter: "C, O, H, E, N"; what follows an ``@`` in words."""
    local, at, domain = text.strip().partition("@")
    letters = [_letter(character, language) for character in local if not character.isspace()]
    spelled = ", ".join(letter for letter in letters if letter)
    return f"{spelled}, {address(at + domain, language)}" if at else spelled


def _token(token: str, language: str) -> str:
    if token.isdecimal():
        return digits(token, language)
    known = _KNOWN_WORDS[language].get(token.lower())
    if known:
        return known
    # "il", "uk" are letters, not words.
    if len(token) <= 2 and token.isascii() and token.isalpha():
        return " ".join(_letter(character, language) for character in token)
    return _SYMBOLS[language].get(token, token)


def _letter(character: str, language: str) -> str:
    if character.isdecimal():
        return digits(character, language)
    if language == "he":
        name = _LETTERS_IN_HEBREW.get(character.lower())
        if name:
            return name
    if character.isalpha():
        return character.upper()
    return _SYMBOLS[language].get(character, "")


def _groups(group: str) -> list[str]:
    """A run of digits in pieces of three or four, the longer at the end: 054 123 4567."""
    if len(group) <= 4:
        return [group]
    first = 2 if len(group) == 9 and group[0] == "0" else 3
    return [group[:first], *_groups(group[first:])]

"""Which language a text is in, as far as its script tells."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

UNDETERMINED = "und"

# The first word of a letter's Unicode name is its script.
_LANGUAGE_OF_SCRIPT = {
    "HEBREW": "he",
    "LATIN": "en",
    "ARABIC": "ar",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "THAI": "th",
    "DEVANAGARI": "hi",
}


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the language that most letters of *text* belong to, or ``und``.

    A script stands for one language (Latin for English): enough to answer in kind from texts that the
    business has in Hebrew and English. Latin words inside a Hebrew sentence (brands, codes) do not tip
    it: a Hebrew letter counts twice.
    """
    letters: Counter[str] = Counter()
    for character in text:
        language = _language_of(character)
        if language is not None:
            letters[language] += 2 if language == "he" else 1
    return letters.most_common(1)[0][0] if letters else UNDETERMINED


@lru_cache(4_096)
def _language_of(character: str) -> str | None:
    if not character.isalpha():
        return None
    return _LANGUAGE_OF_SCRIPT.get(unicodedata.name(character, "").split(" ", 1)[0])


def reply_language(texts: Sequence[str], preferred: Sequence[str]) -> str:
    """The language to answer in: that of the last of *texts* that has one, else the first preferred."""
    for text in reversed(texts):
        language = detect_language(text)
        if language != UNDETERMINED:
            return language
    return preferred[0] if preferred else "en"

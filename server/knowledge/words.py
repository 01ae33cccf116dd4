"""Texts as the lexical signals see them: words in their possible base forms, and runs of letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Words that tell nothing about what is asked, as they stand in questions to a front desk.
_ENGLISH = """
a about ah all allow allowed also am an and any are as at available be but by can check could did do does
ea ensure find for from get give got great had has have he hello hey hi hm hmm how i if in is it its know let
like location may me might my need not of off offer offered offers oh ok okay on one or our out place please
property provide provided provides re really s she should site so some such t tell than thank thanks that the
their them then there these they this those to uh um umm us want was we were what when where whether which
who why will with wonder wondering would yes you your hotel restaurant
"""
_HEBREW = """
אבל או אותו אותי אותם אותנו אז אחד אחת אי אין איך איפה אלה אם אני אנחנו אפשר את אתם בבקשה בשביל גם האם הוא היא
היי הם זה זו יש כאן כבר כדי כל כמה כן לא לגבי לדעת להגיד לי לנו לכם מאוד מה מי מותר מלון מתי ניתן על
עוד עם פה צריך צריכים קיים קיימת רק רציתי רוצה רוצים של שאלה שיש שלום שלכם שלי תודה תגידו
"""
# Written as one word, two, or with a hyphen.
_COMPOUNDS = tuple(
    (re.compile(pattern), joined)
    for pattern, joined in (
        (r"\bcheck[\s_-]*in\b", "checkin"),
        (r"\bcheck[\s_-]*out\b", "checkout"),
        (r"\bwi[\s_-]*fi\b", "wifi"),
        (r"צק[\s־-]*אינ\b", "צקאינ"),
        (r"צק[\s־-]*(?:אאוט|אווט)\b", "צקאאוט"),
        (r"(?:ווי|וואי)[\s־-]*פיי\b", "wifi"),
    )
)
_MARKS = re.compile(r"['’׳\"״`]")
_WORD = re.compile(r"[^\W_]+")
FINAL_LETTERS = str.maketrans("ךםןףץ", "כמנפצ")
_HEBREW_WORD = re.compile(r"[א-ת]+")
_HEBREW_PREFIXES = "והבלמשכ"
_HEBREW_SUFFIXES = ("ימ", "ות", "ה", "ת", "י")
_ENGLISH_SUFFIXES = (("ings", ""), ("ing", ""), ("ies", "y"), ("es", ""), ("ed", ""), ("s", ""), ("ly", ""))
_SHORTEST_STEM = 3
_RUN = 4


def words(text: str) -> list[str]:
    """The words of *text*: lower case, without accents, vowel points, quotation marks and final letters."""
    plain = unicodedata.normalize("NFKD", text).lower()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    plain = _MARKS.sub("", plain).translate(FINAL_LETTERS)
    for pattern, joined in _COMPOUNDS:
        plain = pattern.sub(joined, plain)
    return _WORD.findall(plain)


STOP_WORDS = frozenset(words(_ENGLISH) + words(_HEBREW))


def content_words(text: str) -> list[str]:
    """The words of *text* that may tell what it is about."""
    return [word for word in words(text) if word not in STOP_WORDS]


def forms(word: str) -> Sequence[str]:
    """The base forms that *word* may have, longest first; two words are alike if they share one.

    A Hebrew word may carry prefixes (and-the-in-to-from-that-as) and endings, and a letter of the stem
    looks the same: all readings are given.
    """
    if _HEBREW_WORD.fullmatch(word):
        return _hebrew_forms(word)
    return (_english_stem(word),)


def letter_runs(text: str) -> list[str]:
    """Overlapping runs of four letters of the content words: alike also where a word is misspelt."""
    joined = f" {' '.join(content_words(text))} "
    return [joined[start : start + _RUN] for start in range(len(joined) - _RUN + 1)]


def without_name(text: str, name: str) -> str:
    """*text* without the name of the business, which says nothing about the topic."""
    bare = re.sub(r"^the\s+", "", name.strip(), flags=re.IGNORECASE)
    if not bare:
        return text
    # Prefixed and possessive forms go with it; a longer word that only begins like the name stays.
    pattern = rf"(?<!\w)(?:the\s+)?[והבלמשכ]{{0,2}}{re.escape(bare)}(?:['’]s)?(?!\w)"
    without = re.sub(pattern, " ", text, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", without).strip() or text


def _english_stem(word: str) -> str:
    for suffix, instead in _ENGLISH_SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word.removesuffix(suffix) + instead
    return word


def _hebrew_forms(word: str) -> Sequence[str]:
    found = {word}
    start = word
    while start[0] in _HEBREW_PREFIXES and len(start) > _SHORTEST_STEM:
        start = start[1:]
        found.add(start)
    for form in sorted(found):
        for suffix in _HEBREW_SUFFIXES:
            if form.endswith(suffix) and len(form) - len(suffix) >= _SHORTEST_STEM:
                found.add(form.removesuffix(suffix))
    return sorted(found, key=lambda form: (-len(form), form))

"""What is written short and said in full."""

from __future__ import annotations

import re

_ENGLISH = {
    "dr.": "Doctor", "mr.": "Mister", "mrs.": "Missus", "ms.": "Miz", "prof.": "Professor", "ave.": "Avenue",
    "rd.": "Road", "blvd.": "Boulevard", "apt.": "apartment", "e.g.": "for example", "i.e.": "that is",
    "etc.": "et cetera", "approx.": "approximately", "incl.": "including", "excl.": "excluding",
    "vs.": "versus",
    "tel.": "telephone", "ext.": "extension", "a/c": "air conditioning", "w/": "with", "b&b": "B and B",
    "24h": "24 hours", "max.": "maximum",
}  # fmt: skip
# Said so only before a number, else they are words.
_BEFORE_NUMBER = {"no.": "number", "nr.": "number", "fl.": "floor", "rm.": "room", "min.": "minimum"}
_HEBREW = {
    'ד"ר': "דוקטור", 'עו"ד': "עורך דין", "פרופ'": "פרופסור", "גב'": "גברת", "רח'": "רחוב", "שד'": "שדרות",
    "מס'": "מספר", "טל'": "טלפון", "עמ'": "עמוד", "קומ'": "קומה", "וכו'": "וכולי", "וכד'": "וכדומה",
    "לדוג'": "לדוגמה",
    'אחה"צ': "אחר הצהריים", 'לפנה"צ': "לפני הצהריים", 'בד"כ': "בדרך כלל", 'ע"י': "על ידי", 'ע"פ': "על פי",
    'סה"כ': "סך הכול", 'חו"ל': "חוץ לארץ", 'ת"א': "תל אביב", 'ב"ש': "באר שבע", 'בע"מ': "בערבון מוגבל",
    'מו"מ': "משא ומתן", 'ארה"ב': "ארצות הברית", 'ביה"ס': "בית הספר", 'כ"א': "כל אחד", 'מוצ"ש': "מוצאי שבת",
    'דוא"ל': "דואר אלקטרוני", 'קוט"ש': "קילוואט שעה",
    'יו"ט': "יום טוב", 'ק"ג': "קילוגרם", 'ק"מ': "קילומטר", 'ס"מ': "סנטימטר", 'מ"ר': "מטר רבוע",
}  # fmt: skip
# Units, which the rule of quantities reads with their number.
_COUNTED = frozenset({'קוט"ש', 'ק"ג', 'ק"מ', 'ס"מ', 'מ"ר'})
_QUOTES = str.maketrans({"״": '"', "”": '"', "“": '"', "׳": "'", "’": "'"})


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_ENGLISH_SHORT = re.compile(rf"(?<![\w.])(?:{_any(list(_ENGLISH))})(?![\w])", re.IGNORECASE)
_ENGLISH_NUMBER = re.compile(rf"(?<![\w.])(?:{_any(list(_BEFORE_NUMBER))})(?=\s?[\d₪$€£])", re.IGNORECASE)
_HEBREW_SHORT = re.compile(rf"(?<![א-ת\"'])([ובלמהכש]{{0,2}}-?)({_any(list(_HEBREW))})(?![א-ת])")
_HEBREW_MARKS = re.compile(r"(?<=[א-ת])[״”“׳’](?![^\W\d_])|(?<=[א-ת])[״”“׳’](?=[א-ת])")
_NUMBER_BEFORE = re.compile(r"\d\s?$")
_NEXT_SENTENCE = re.compile(r"\s+[^\Wa-z\d_]|\s*$")


def expand(text: str, language: str) -> str:
    """*text* with its short forms in full; Hebrew marks of abbreviation become plain quotes."""
    text = _HEBREW_MARKS.sub(lambda match: match[0].translate(_QUOTES), text)
    text = _HEBREW_SHORT.sub(_full_hebrew, text)
    if language == "he":
        return text
    text = _ENGLISH_NUMBER.sub(lambda match: _BEFORE_NUMBER[match[0].lower()], text)
    return _ENGLISH_SHORT.sub(_full_english, text)


def _full_hebrew(match: re.Match[str]) -> str:
    if match[2] in _COUNTED and not match[1] and _NUMBER_BEFORE.search(match.string, 0, match.start()):
        return match[0]
    return f"{match[1].removesuffix('-')}{_HEBREW[match[2]]}"


def _full_english(match: re.Match[str]) -> str:
    full = _ENGLISH[match[0].lower()]
    # The full stop of "etc." may have ended the sentence as well.
    ends = match[0].lower() == "etc." and _NEXT_SENTENCE.match(match.string, match.end())
    return f"{full}." if ends else full

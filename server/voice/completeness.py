"""Whether what a caller has said so far sounds as if they were done, in English and Hebrew.

Only the words tell: speech recognition may give punctuation or not, capitals or not, digits or number words.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical
from server.voice.word_lists import phrase_set, word_set


class Completeness(Enum):
    """How a text ends."""

    # Nothing but a word or sounds of thinking: it may be anything.
    UNSURE = auto()
    # On a word that calls for another: "and", "to the", "את".
    OPEN = auto()
    # In the middle of a number, a date or an address that is being dictated.
    DICTATING = auto()
    COMPLETE = auto()
    QUESTION = auto()


FILLERS = word_set("um uh uhm umm er erm hmm hm mm ah eh like אה אהה אהמ אממ המ אמ אההה כאילו")
# Words after which a sentence goes on. Questions that may end so ("where are you from") are handled apart.
_OPEN = word_set(
    """
    and or but so because if when while that which who whose than then to the a an of in on at for
    from with by about into my your our their his its this these those is are was were am be been do
    does did can could would will should might must have has had i we you they he she want need like
    also as very between until till per plus i'm we're i'd i'll we'd we'll it's there's what's gonna
    wanna really just ו ש את או אבל כי אם של על עמ אל מ ל ב ה כש כאשר שה בשביל לגבי בגלל עד בינ כמו
    גמ רק יש אינ אני אנחנו הוא היא הם הן אתה אתמ אז זה זאת הזה לפני אחרי אצל כל איזה איזו כמה מה מתי
    למה איכ רוצה רוצים צריכ צריכה צריכים יכול יכולה אפשר לי לנו שאני שאנחנו מאוד בערכ וגמ ואת ואז
    והאמ האמ שזה בלי ליד
    """
)
# These end a question, or an answer, though mostly more follows.
_MAY_END_QUESTION = word_set(
    """
    from to for with about on in at it this that do have you לי לנו זה כמה מה
    מתי למה איכ יש אינ לא
    """
)
_ASKING = word_set(
    """
    what when where who why how which is are was were do does did can could would will should may
    have has מה מתי איפה מי למה איכ כמה האמ איזה איזו איזה לאנ מאיפה היכנ אפשר יש האם
    """
)
_PRONOUNS = frozenset({"it", "that", "this", "they", "you", "he", "she"})
# Said before a question.
_OPENERS = word_set(
    """
    hi hello hey and so but okay ok yes well please היי שלומ אז ו אבל אוקיי כנ סליחה תגיד תגידי
    """
)
# Whole answers, however short.
_ANSWERS = phrase_set(
    """
    yes | yeah | yep | yes please | no | nope | no thanks | no thank you | thanks | thank you | okay
    | ok | sure | great | bye | goodbye | hello | hi | that's all | that's it | nothing else |
    exactly | correct | right | of course | please | stop | wait | one moment | never mind | כנ | לא
    | כנ בבקשה | לא תודה | תודה | תודה רבה | בסדר | אוקיי | אוקי | סבבה | מצוינ | בטח | ביי |
    להתראות | שלומ | היי | הלו | זהו | זה הכל | זה הכול | נכונ | בדיוק | בבקשה | רגע | עצור | די
    """
)
_DICTATION_CUES = re.compile(
    r"\b(?:phone|my number|mobile|telephone|code|card)\b|(?:המספר שלי|טלפונ|נייד|קוד)"
)
_WORD = re.compile(r"[^\W_]+(?:['\"][^\W_]+)*")
_NUMBERS_AT_END = re.compile(r"(?:\+?\d[\d\s\-.,]*)$")
_MONTH_AT_END = re.compile(
    r"(?:^|\b(?:on|from|until|till|to) )"
    r"(?:january|february|march|april|june|july|august|september|october|november|december)$"
)
# "On the third" may go on with "of December".
_ORDINAL_AT_END = re.compile(r"\b(?:on|from|until|till) the (?:first|second|\d+(?:st|nd|rd|th)?)$")
_ADDRESS_AT_END = re.compile(r"(?:\bat|\bdot|שטרודל|נקודה|\bdash|\bunderscore|@)[\s\w']{0,20}$")
_ADDRESS_CUES = re.compile(r"@|\b(?:dot|gmail|outlook|hotmail|yahoo|walla|e-?mail)\b|נקודה|שטרודל|מייל")
_ADDRESS_DONE = re.compile(r"(?:\bdot|נקודה|\.)\s?(?:com|net|org|il|co il|uk|de|fr|קומ|נט|אורג|איי אל)$")
_SPELLED_AT_END = re.compile(r"(?:^|\s)(?:[a-z] ){1,}[a-z]$")
_FINALS = str.maketrans("ךםןףץ", "כמנפצ")
# A national number has nine or ten digits in Israel, with its country eleven to thirteen.
_PHONE_DIGITS = 9
_MOBILE_DIGITS = 10


def plain_words(text: str) -> list[str]:
    """The words of *text* without case, marks, final letter forms and sounds of thinking; numbers in digits.

    Two texts with the same words ask the same.
    """
    words = _WORD.findall(in_digits(_plain(text)))
    return [word for word in words if word not in FILLERS]


def completeness(text: str) -> Completeness:
    """How *text* ends."""
    plain = _plain(text)
    all_words = _WORD.findall(plain)
    words = [word for word in all_words if word not in FILLERS]
    if not words:
        return Completeness.UNSURE
    if " ".join(words) in _ANSWERS:
        return Completeness.COMPLETE
    if _is_dictating(in_digits(" ".join(words))):
        return Completeness.DICTATING
    if all_words[-1] in FILLERS or text.rstrip().endswith((",", "-", "…", "...")):
        return Completeness.OPEN
    if text.rstrip().endswith("?"):
        return Completeness.QUESTION
    asks = len(words) > 2 and _asks(words)
    if words[-1] in _OPEN and not (asks and _may_end_question(words)):
        return Completeness.OPEN
    if asks:
        return Completeness.QUESTION
    return (
        Completeness.COMPLETE if len(words) > 1 or text.rstrip().endswith((".", "!")) else Completeness.UNSURE
    )


def _asks(words: list[str]) -> bool:
    first = next((word for word in words if word not in _OPENERS), "")
    return first in _ASKING


def _may_end_question(words: list[str]) -> bool:
    # "Do you know where it is".
    return words[-1] in _MAY_END_QUESTION or (words[-1] in ("is", "are") and words[-2] in _PRONOUNS)


def _is_dictating(text: str) -> bool:
    """Whether *text*, its numbers in digits, breaks off within a number, a date or an address."""
    if _MONTH_AT_END.search(text) or _ORDINAL_AT_END.search(text) or _SPELLED_AT_END.search(text):
        return True
    if _ADDRESS_AT_END.search(text) and _ADDRESS_CUES.search(text):
        return _ADDRESS_DONE.search(text) is None
    number = _NUMBERS_AT_END.search(text)
    return number is not None and _is_unfinished(number[0], text[: number.start()])


def _is_unfinished(number: str, before: str) -> bool:
    groups = re.findall(r"\d+", number)
    digits = "".join(groups)
    if number.startswith("+") or digits.startswith(("972", "00")):
        return len(digits) < _PHONE_DIGITS + 3
    if digits[0] == "0" and len(digits) > 1:
        # Mobile numbers have a digit more than the others.
        return len(digits) < (_MOBILE_DIGITS if digits[1] in "57" else _PHONE_DIGITS)
    is_announced = _DICTATION_CUES.search(before) is not None
    if is_announced and len(digits) < 4:
        return True
    return len(groups) > 2 and all(len(group) == 1 for group in groups) and len(digits) < _PHONE_DIGITS


def _plain(text: str) -> str:
    return canonical(text).translate(_FINALS)

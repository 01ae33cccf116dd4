"""Words that greet, thank, wish or regret, and state nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.clauses import topics
from server.knowledge.policies import promises
from server.knowledge.reading import canonical
from server.knowledge.things import speaks_of_other
from server.knowledge.words import STOP_WORDS, words

# What politeness speaks of without stating anything.
_OF_MANNERS = frozenset(
    [
        "whatsapp",
        "check-in",
        "check-out",
        "staff",
        "tour",
        "holiday",
        "safe",
        "family",
        "weather",
        "noise",
        "airport",
        "birthday",
        "contact-phone",
        "anniversary",
        "honeymoon",
        "children",
        "couple",
        "quiet",
        "help",
        "wedding",
        "distance",
    ]
)
_COURTESY = re.compile(
    r"\b(?:congratulations|sorry|apolog\w+|thanks?|hope|welcome|enjoy|good (?:morning|afternoon|evening"
    r"|night|day)|happy"
    r"|glad|lovely|look(?:ing)? forward|pleasure|safe (?:travels|trip|journey)|see you|wish|hello|hi|hey"
    r"|assistant)\b"
    r"|(?:מזל טוב|תודה|סליחה|צר לנו|מצטערים|מתנצלים|מקווים|(?:בוקר|ערב|לילה|יום|סוף שבוע) (?:טוב|נעים)"
    r"|נשמח|בשמחה"
    r"|שמחים|שלום|נתראה|להתראות|בהצלחה|מאחלים|מחכים|בכיף|בתיאבון|עוזר האוטומטי|מענה האוטומטי)"
)


# What is regretted, thanked for or wished well is the guest's, whatever it is.
_OF_THE_GUEST = re.compile(
    r"^\W*(?:(?:so|very|our|my|we are|we're|i am|i'm|how|that's) )*(?:sorry|apolog\w+|thanks?|thank you"
    r"|good luck|congratulations|glad|happy)"
    r" (?:so much |very much |again )?(?:for|about|with|on|to hear|it|that|you)\b[^,;:]*$"
    r"|^\W*(?:תודה(?: רבה)?|סליחה|(?:אנחנו )?(?:מצטערים|מתנצלים)(?: מאוד)?|צר לנו(?: מאוד)?|בהצלחה"
    r"|מזל טוב|שמחים|איזה כיף)"
    r" (?:על |עם |לשמוע|[בלש][א-ת])[^,;:]*$"
)


def is_courtesy(sentence: str, heard: Sequence[str]) -> bool:
    """Whether *sentence* only greets, thanks, wishes or regrets.

    Args:
        heard: what the guest wrote: their anniversary may be congratulated on.
    """
    if promises(sentence):
        return False
    if _OF_THE_GUEST.match(canonical(sentence)):
        return True
    said = {topic.name for topic in topics(sentence)} - _OF_MANNERS
    return not said or (
        _COURTESY.search(canonical(sentence)) is not None and not speaks_of_other(sentence, heard)
    )


_ADMISSION = re.compile(
    r"\b(?:i|we)(?:'m| am| are|'re)? ?(?:have|had|can find|could find|see|know|find)? ?(?:no|not|nothing"
    r"|don't|do not|couldn't"
    r"|cannot|can't|unable|afraid)\b[^.;!]*\b(?:information|details|know|find|sure|word|mention|answer"
    r"|certain)\b"
    r"|(?<![א-ת])(?:אין (?:לנו|לי|בידינו|בידיי)[^.;!]* ?(?:מידע|פרטים|תשובה)|(?:אנחנו "
    r"|אני )?לא (?:יודעים|יודע|יודעת|בטוחים|מוצאים))(?![א-ת])"
)


def is_admission(sentence: str) -> bool:
    """Whether *sentence* only says that the desk does not know."""
    plain = canonical(sentence)
    return _ADMISSION.search(plain) is not None and not any(mark in plain for mark in ",;:")


_LONG_WORDS = 6


def is_foreign(sentence: str) -> bool:
    """Whether *sentence* is in Latin letters and has hardly a function word of English."""
    said = [word for word in words(sentence) if word.isascii()]
    return len(said) >= _LONG_WORDS and 8 * sum(word in STOP_WORDS for word in said) < len(said)

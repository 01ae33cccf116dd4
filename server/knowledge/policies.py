"""What a text says of rules: what is allowed, included, there or not.

Such a sentence is as binding as a price, though it holds no digit, so it must have a source, and must not
say the opposite of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.reading import canonical, sentences

# Words of refusal that refuse nothing.
_IDIOM = re.compile(
    r"\bno (?:problem|worries|trouble|doubt)\b|\b(?:do not|don't) (?:hesitate|worry)\b|\bnot at all\b"
    r"|\bwhy not\b|\bfeel free\b|\bif there(?:'s| is) anything\b"
    r"|(?<![א-ת])(?:אין (?:בעיה|ספק|על מה)|לא נורא|אל דאגה)(?![א-ת])"
)


def _words(english: str, hebrew: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{english})\b|(?<![א-ת])ו?ש?(?:{hebrew})(?![א-ת])")


# "Without payment" is a permission in Hebrew, and taken out before negations are looked for.
_FREE = _words(
    r"free of charge|for free|no (?:extra |additional )?(?:charge|fee|cost)", "ללא תשלום|בלי תשלום|חינם"
)
_NEGATION = _words(
    r"no|not|nor|none|never|neither|cannot|\w+n't|cant|dont|isnt|arent|wont|without|forbidden|prohibited|banned"
    r"|unavailable|unable|refused?",
    "לא|אין|אסור|אסורה|אסורים|אסורות|אינו|אינה|אינם|אינן|איננו|בלי|ללא",
)
_PERMISSION = _words(
    r"allowed|permitted|welcome to|you (?:can|may)|guests (?:can|may)"
    r"|(?:can|may) (?:bring|use|stay|have|smoke|park)|free|complimentary|included|possible",
    "מותר|מותרת|מותרים|מותרות|אפשר|ניתן|כלול|כלולה|כלולים|כלולות|אפשרי|אפשרית",
)
_AFFIRMATION = _words(
    r"yes|yeah|yep|we (?:have|offer|provide|accept|allow|serve)|there (?:is|are)|(?:is|are) available"
    r"|comes? with|includes?|guaranteed?|refund(?:ed|able)?|discount",
    "כן|יש|קיים|קיימת|מציעים|מספקים|מקבלים|זמין|זמינה|החזר|הנחה",
)
# What the desk has done or will do: it has no hands of its own, so only a document can know.
_PROMISE = _words(
    r"(?:i|we)(?:'ve|'ll| have| will)(?: now| just| already)?"
    r" (?:ask|pass|forward|book|reserv|cancel|arrang|call|confirm|check|chang|send|sent|contact|notif)\w*"
    r"|(?:is|has been|are|have been)(?: now)? (?:booked|reserved|confirmed|cancelled|canceled|changed)",
    "הזמנתי|שריינתי|שמרתי|ביטלתי|העברתי|שאלתי|שלחתי|עדכנתי|אישרתי|אעביר|אבדוק|נבדוק|אחזור|נחזור|נתקשר|אשלח|נשלח",
)


def speaks_policy(sentence: str) -> bool:
    """Whether *sentence* says that something is so or not, is allowed, or is done. Questions say nothing."""
    plain = _plain(sentence)
    if plain.endswith("?"):
        return False
    return any(words.search(plain) for words in (_FREE, _NEGATION, _PERMISSION, _AFFIRMATION, _PROMISE))


def contradicts(text: str, sources: Sequence[str]) -> bool:
    """Whether a rule in *text* is plainly the opposite of what *sources* say.

    It is if it negates and no source does, or if it permits and every source that speaks of permission
    denies it.
    """
    said = [sentence for source in sources for sentence in sentences(source)]
    return any(_opposes(sentence, said) for sentence in sentences(text) if speaks_policy(sentence))


def negates(sentence: str) -> bool:
    """Whether *sentence* says that something is not so; "free of charge" and "no problem" do not."""
    return _NEGATION.search(_FREE.sub(" ", _plain(sentence))) is not None


def _opposes(sentence: str, said: Sequence[str]) -> bool:
    if negates(sentence):
        return not any(negates(line) for line in said)
    if not _permits(sentence):
        return False
    permissions = [line for line in said if _permits(line)]
    return bool(permissions) and all(negates(line) for line in permissions)


def _permits(sentence: str) -> bool:
    plain = _plain(sentence)
    return _PERMISSION.search(plain) is not None or _FREE.search(plain) is not None


def _plain(sentence: str) -> str:
    return _IDIOM.sub(" ", canonical(sentence)).strip()

"""What a text says of rules: what is allowed, included, there or not.

Such a sentence is as binding as a price, though it holds no digit, so it must have a source, and must not
say the opposite of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from server.knowledge.reading import canonical, sentences

# Words of refusal that refuse nothing.
_IDIOM = re.compile(
    r"\bmust have been\b|(?<![א-ת])(?:אין שום בעיה|על לא דבר|לא משנה)(?![א-ת])|\bno (?:problem|worries"
    r"|trouble|doubt)\b|\b(?:do not|don't) (?:hesitate|worry)\b|\bnot at all\b"
    r"|\byou(?: are|'re) (?:very |most |so )?welcome\b(?! to (?!our\b|the\b))|(?:^"
    r"|[.!]\s*)(?:a (?:very )?warm )?welcome (?:back"
    r"|to)\b"
    r"|\b(?:i|we) (?:have|had|can find|could find|can see|see|know) (?:no (?:information|details|word"
    r"|record|note)|nothing)"
    r"(?: (?:about|on|of|regarding) [^.,;!]*)?|\b(?:i|we) (?:do not|don't|could not|couldn't|cannot|can't)"
    r" (?:know|have (?:any )?(?:information|details)|see|find)(?: (?:about|on|of|whether|if|any)\b[^.,;!]*)?"
    r"|\bnot (?:the|what|how|up to|as|at all the) (?:\w+ ){0,2}(?:we|you|our|standard|expect\w*"
    r"|deserve)\b[^.;!]*"
    r"|(?:(?:על|לגבי|בנוגע ל|בעניין) ?[^.,;!]{1,40} )?(?:אין (?:לנו|לי|בידינו|בידיי) (?:כרגע )?(?:מידע"
    r"|פרטים|תשובה)|(?:אנחנו |אני )?לא"
    r" (?:יודעים|יודע|יודעת)(?! ל))[^.,;!]*"
    r"|\b(?:no need|(?:don't|do not|won't|needn't|not) (?:have|need)) to bring\b"
    r"|(?<![א-ת])אין צורך להביא(?![א-ת])"
    r"|\b(?:who|that) (?:are not|aren't|is not|isn't|do not|don't) (?:\w+ )?(?:staying|stay|guests?"
    r"|residents?)\b"
    r"|(?<![א-ת])ש?אינ[םן] (?:לנים|מתארחים|אורחים)(?![א-ת])"
    r"|\bwithout (?:one|it|that|them)\b(?=,? (?:it|they|the|you|we|that)\b|,)"
    r"|\bno (?:more|fewer|less|later|earlier|longer) than\b|\bwhy not\b|\bfeel free\b|\bif there(?:'s"
    r"| is) anything\b"
    r"|\bsorry (?:to hear|about|for|that (?:it|this|you) (?:was|were|is|are|has|have|had|did))\b[^.,;!]*"
    r"|(?:צר לנו לשמוע|(?:מצטערים|סליחה|מתנצלים|צר לנו) על)[^.,;!]*"
    r"|צ'?ק[ -]?אין|(?:gluten|sugar|lactose|dairy)-? ?free\b|(?:ללא|בלי|נטול|נטולי) (?:גלוטן|לקטוז"
    r"|סוכר)(?![א-ת])"
    r"|(?<![א-ת])(?:אין (?:בעיה|ספק|על מה|בעד מה)|לא נורא|אל דאגה)(?![א-ת])"
)


def _words(english: str, hebrew: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{english})\b|(?<![א-ת])ו?ש?(?:{hebrew})(?![א-ת])")


# "Without payment" is a permission in Hebrew, and taken out before negations are looked for.
_FREE = _words(
    r"free of charge|for free|pay nothing|(?:do not|don't|does not|doesn't|need not|needn't"
    r"|not) (?:have to |need to )?pay"
    r"|on the house|on us|costs? nothing|without paying|no (?:extra |additional )?(?:charge|fee|cost)",
    "ללא תשלום|בלי תשלום|בלי לשלם|ללא תוספת|בלי תוספת|ללא עלות|בלי עלות|חינם|בחינם|בלי כסף"
    "|(?:לא|אינם|אינו|אינה|אינן) (?:צריכים |צריך )?(?:משלמים|משלם|משלמת|משלמות|לשלם)|עלינו|על חשבוננו"
    "|על חשבון הבית",
)
_WAIVED = _words(
    r"free(?! to\b| of (?!charge|cost))|pay nothing|(?:do not|don't|does not|doesn't|need not|needn't"
    r"|not) (?:have to "
    r"|need to )?pay"
    r"|exempt|on the house|on us|costs? nothing|without paying|(?:for|at) (?:nothing|no cost)|thrown in"
    r"|complimentary|included|gratis|at no (?:extra |additional )?(?:charge|cost)"
    r"|no (?:extra |additional )?(?:charge|fee|cost)|without (?:charge|extra)",
    "ללא תשלום|בלי תשלום|בלי לשלם|חינם|בחינם|ללא עלות|בלי עלות|ללא תוספת|בלי תוספת|בלי כסף"
    "|(?:לא|אינם|אינו|אינה|אינן) (?:צריכים |צריך )?(?:משלמים|משלם|משלמת|משלמות|לשלם)|עלינו|על חשבוננו"
    "|פטור|פטורה|פטורים|פטורות|על חשבון הבית|כלול|כלולה|כלולים|כלולות|חופשי|חופשית",
)
_NEGATION = _words(
    r"no|not|nor|none|never|nobody|neither|cannot|\w+n't|cant|dont|isnt|arent|wont|without|forbidden"
    r"|prohibited"
    r"|banned"
    r"|unavailable|unable|refused?|non-?(?:refundable|transferable|returnable|exchangeable)",
    "לא|אין|אי אפשר|אי-אפשר|אסור|אסורה|אסורים|אסורות|אינו|אינה|אינם|אינן|איננו|בלי|ללא",
)
_PERMISSION = _words(
    r"allowed|permitted|welcome|you (?:can|may)|guests (?:can|may)"
    r"|(?:can|may) (?:bring|use|stay|have|smoke|park)|free|complimentary|included|possible",
    "מותר|מותרת|מותרים|מותרות|אפשר|יכול|יכולה|יכולים|יכולות|מוזמן|מוזמנת|מוזמנים|מוזמנות|רשאי|רשאים|ניתן"
    "|כלול|כלולה|כלולים|כלולות|אפשרי|אפשרית",
)
_AFFIRMATION = _words(
    r"yes|yeah|yep|we (?:have|offer|provide|accept|allow|serve)|there (?:is|are)|(?:is|are) available"
    r"|comes? with|includes?|guaranteed?|refund(?:ed|able)?|discount",
    "כן|יש|קיים|קיימת|מציעים|מספקים|מקבלים|זמין|זמינה|החזר|הנחה",
)
# What binds a guest, or says when there is something.
_RULE = _words(
    r"must|mandatory|compulsory|obligatory|required|have to be|only|strictly|except|closed|unlimited|minimum"
    r"|maximum|at (?:least|most)|always",
    "חובה|חייב|חייבת|חייבים|חייבות|רק|בלבד|למעט|סגור|סגורה|סגורים|פתוח|פתוחה|פתוחים|מינימום|מקסימום|לפחות"
    "|תמיד",
)
# What the desk has done or will do: it has no hands of its own, so only a document can know.
_PROMISE = _words(
    r"(?:i|we)(?:'ve|'ll| have| will)(?: now| just| already)?"
    r" (?:ask|pass|forward|book|reserv|cancel|arrang|call|confirm|check|chang|send|sent|contact|notif|upgrad"
    r"|add|put|note|sav|extend|refund|set|mov|appl|prepar|deliver|bring|brought|tell|told|order|issu)\w*"
    r"|(?:is|has been|are|have been)(?: now)? (?:booked|confirmed|cancelled|canceled"
    r"|reserved(?! for (?!you\b|your\b))|changed(?! (?:every|each|once|twice|daily|weekly|on|after"
    r"|between)\b))",
    "רשמתי|סידרתי|הוספתי|דאגתי|שדרגתי|הארכתי|החזרתי|קבעתי|תיאמתי|אדאג|נדאג|אסדר|נסדר|אשמור|נשמור|ארשום|נרשום"
    "|אזמין|נזמין|אתאם|נתאם|אוסיף|נוסיף|אחזיר|תחכה לכם|יחכה לכם|יחכו לכם|שמרנו|רשמנו|הזמנו|שריינו|סידרנו"
    "|אישרנו"
    "|הזמנתי|שריינתי|שמרתי|ביטלתי|העברתי|שאלתי|שלחתי|עדכנתי|אישרתי|אעביר|אבדוק|נבדוק|אחזור|נחזור|נתקשר"
    "|אשלח|נשלח (?:לכם|לך|אליכם|אליך)",
)

_POLICIES = (_FREE, _NEGATION, _PERMISSION, _AFFIRMATION, _RULE, _PROMISE)
# What stands before the statement in an answer: it says no to the question, and denies nothing itself.
_ANSWER = re.compile(
    r"^\W*(?:(?:no|sorry|unfortunately|(?:i am|i'm) (?:afraid|sorry)(?: not)?)\b[\s,.:;!-]*)+"
    r"|^\W*(?:(?:לא|לצערנו|מצטערים)(?![א-ת])\s*[,.:;!-]\s*)+"
)
# "Feeding is allowed, dogs are not" says two things.
_PARTS = re.compile(r"[,;]\s|\s[-–]\s")
_UNLESS = re.compile(r"\bunless\b|\buntil\b|אלא אם|אלא רק")
_LIMITS = re.compile(r"-free\b|\b(?:only|except|other|otherwise|closed)\b|רק|בלבד|למעט|סגור")
# Every rule holds a word of these.
WORDED = tuple(words.pattern for words in _POLICIES)
_REMEMBERED = 2_000
# The longest of them, and a word before it.
_LONGEST_RULE_CHARS = 60


def may_speak_policy(beginning: str) -> bool:
    """Whether the end of *beginning* holds a word that rules are made of: else its last word made no rule."""
    end = canonical(beginning[-_LONGEST_RULE_CHARS:])
    return any(words.search(end) for words in _POLICIES)


@lru_cache(maxsize=_REMEMBERED)
def speaks_policy(sentence: str) -> bool:
    """Whether *sentence* says that something is so or not, is allowed, or is done. Questions say nothing."""
    plain = _plain(sentence)
    if plain.endswith("?"):
        return False
    return any(words.search(plain) for words in _POLICIES)


@lru_cache(maxsize=_REMEMBERED)
def promises(sentence: str) -> frozenset[str]:
    """The words by which *sentence* says that the desk has done or will do something."""
    return frozenset(match[0] for match in _PROMISE.finditer(_plain(sentence)))


@lru_cache(maxsize=_REMEMBERED)
def waives(sentence: str) -> bool:
    """Whether *sentence* says that something costs nothing, or is in the price."""
    return _WAIVED.search(_plain(sentence)) is not None


def contradicts(text: str, sources: Sequence[str]) -> bool:
    """Whether a rule in *text* is plainly the opposite of what *sources* say.

    It is if it negates and no source does, or if it permits and every source that speaks of permission
    denies it.
    """
    said = [sentence for source in sources for sentence in sentences(source)]
    return any(_opposes(sentence, said) for sentence in sentences(text) if speaks_policy(sentence))


@lru_cache(maxsize=_REMEMBERED)
def negates(sentence: str) -> bool:
    """Whether *sentence* says that something is not so; "free of charge" and "no problem" do not."""
    return _NEGATION.search(_FREE.sub(" ", _plain(sentence))) is not None


def _opposes(sentence: str, said: Sequence[str]) -> bool:
    if negates(_ANSWER.sub(" ", canonical(sentence))):
        return not any(negates(line) or _LIMITS.search(canonical(line)) for line in said)
    if not permits(sentence):
        return False
    permissions = [part for line in said for part in _PARTS.split(line) if permits(part)]
    return bool(permissions) and all(
        negates(line) and not _UNLESS.search(canonical(line)) for line in permissions
    )


@lru_cache(maxsize=_REMEMBERED)
def permits(sentence: str) -> bool:
    """Whether *sentence* allows something."""
    plain = _plain(sentence)
    return _PERMISSION.search(plain) is not None or _FREE.search(plain) is not None


@lru_cache(maxsize=_REMEMBERED)
def _plain(sentence: str) -> str:
    return _IDIOM.sub(" ", canonical(sentence)).strip()

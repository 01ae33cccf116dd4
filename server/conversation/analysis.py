"""What is noted of a turn once the reply is out: no model, no time lost."""

from __future__ import annotations

import re

from server.domain.conversations import Analysis, Reply, Sentiment, Turn
from server.knowledge.reading import canonical, sentences

OTHER = "other"


def _words(english: str, hebrew: str) -> re.Pattern[str]:
    # A Hebrew word may carry up to two of the letters that mean and, in, the, to, from, that, as.
    return re.compile(rf"\b(?:{english})\b|(?<![א-ת])[ובהלמשכ]{{0,2}}(?:{hebrew})(?![א-ת])")


# The first that matches counts: what needs somebody soonest and what is most particular come first.
_INTENTS = (
    (
        "person",
        _words("human|real person|representative|(?:speak|talk) (?:to|with)", "נציגה?|בן אדם|לדבר עם"),
    ),
    (
        "complaint",
        _words(
            "complain(?:t|ing)?|broken|dirty|filthy|noisy|smells?|(?:not|isn't|doesn't|stopped) work(?:ing)?"
            "|disgusting|unacceptable|terrible|horrible|awful|disappoint(?:ed|ing)|cockroach(?:es)?|leak(?:ing)?",
            "תלונה|להתלונן|מלוכלך|מלוכלכת|שבור|שבורה|מקולקל|מקולקלת|רועש|רועשת|רעש|מסריח|לא עובדת?|נורא|מאכזב"
            "|איומה?|דליפה|נזילה|ג'וקים",
        ),
    ),
    (
        "cancellation",
        _words("cancel(?:s|led|ling|lation)?|refund(?:s|able)?", "לבטל|ביטול|ביטולים|מבטלים|החזר כספי|זיכוי"),
    ),
    (
        "check_out",
        _words(
            "check[- ]?out|checking out|leave (?:my )?(?:luggage|bags?) after",
            "צ'ק[- ]?אאוט|עזיבה|פינוי|לעזוב|לפנות",
        ),
    ),
    (
        "check_in",
        _words(
            "check[- ]?in|checking in|arriv(?:e|al|ing)|early entry",
            "צ'ק[- ]?אין|כניסה|הגעה|להגיע|מגיעים|להיכנס",
        ),
    ),
    ("parking", _words("park(?:ing|ed)?|garage|car|valet", "חניה|חנייה|לחנות|חניון|רכב|מכונית")),
    ("wifi", _words("wi-?fi|internet|network password", "ווי?י?[- ]?פיי?|אינטרנט|וויפי|סיסמת הרשת")),
    (
        "price",
        _words(
            "price[sd]?|costs?|rates?|how much|fees?|charge[sd]?|expensive|cheap(?:er|est)?|discount",
            "מחיר|מחירים|עולה|עולים|עלות|תשלום|כמה כסף|הנחה|יקר|זול",
        ),
    ),
    (
        "booking",
        _words(
            "book(?:ing|ed|s)?|reserv(?:e|ation|ations|ed)|availab(?:le|ility)|vacanc(?:y|ies)|free room",
            "להזמין|הזמנה|הזמנות|לשריין|שריון|פנוי|פנויה|פנויים|זמינות|מקום ל",
        ),
    ),
    (
        "directions",
        _words(
            "directions?|how (?:do|can) (?:i|we) (?:get|reach)|where (?:are|is)|address|location|far|distance"
            "|bus|train|taxi|airport|shuttle",
            "כתובת|איך מגיעים|איפה|היכן|מיקום|מרחק|אוטובוס|רכבת|מונית|שדה התעופה|הסעה",
        ),
    ),
    (
        "amenities",
        _words(
            "pool|breakfast|gym|spa|towels?|air ?con(?:ditioning)?|kitchen|laundry|pets?|dogs?|cats?|bar"
            "|restaurant|tv|balcony|crib|cot|elevator|lift|smok(?:e|ing)|accessib(?:le|ility)|wheelchair"
            "|room service",
            "בריכה|ארוחת בוקר|ארוחה|חדר כושר|ספא|מגבת|מגבות|מזגן|מיזוג|מטבח|כביסה|כלב|כלבים|חיות מחמד|חתול"
            "|מסעדה|טלוויזיה|מרפסת|לול|מעלית|עישון|לעשן|נגישות|נגיש|כיסא גלגלים",
        ),
    ),
    (
        "smalltalk",
        _words(
            "hi|hello|hey|thanks|thank you|good (?:morning|evening|afternoon|night)|bye|how are you",
            "שלום|היי|תודה|(?:בוקר|ערב|לילה|יום) טוב|ביי|מה שלומכם|מה נשמע",
        ),
    ),
)  # fmt: skip

# These are done by people: the guest's wish stays open whatever was answered.
_FOR_STAFF = frozenset({"person", "complaint", "cancellation"})
_MUST_BE_SEEN = frozenset({"person", "complaint"})

_POSITIVE = _words(
    "thanks?|thank you|great|good|lovely|wonderful|excellent|perfect|amazing|love[ds]?|nice|happy|fantastic"
    "|helpful|beautiful|enjoy(?:ed|ing)?",
    "תודה|מעולה|מצוין|מצוינת|נהדר|נהדרת|נפלא|נפלאה|מקסים|מקסימה|מושלם|מושלמת|כיף|אהבנו|אהבתי|נחמד|נחמדה|יופי",
)
_NEGATIVE = _words(
    "bad|terrible|horrible|awful|disgusting|dirty|filthy|rude|angry|upset|disappoint(?:ed|ing)|unacceptable|worst"
    "|hate[ds]?|broken|noisy|annoy(?:ed|ing)|furious|ridiculous|scam|problem|complain(?:t|ing)?",
    "רע|רעה|גרוע|גרועה|נורא|נוראה|איום|איומה|מגעיל|מלוכלך|מלוכלכת|מאכזב|מאכזבת|עצבני|כועסים|כועסת?|בושה|חוצפה"
    "|מקולקל|מקולקלת|שבור|שבורה|רועש|רועשת|בעיה|תלונה",
)
_GREETING = _words("good (?:morning|evening|afternoon|night|day)", "(?:בוקר|ערב|לילה|יום) טוב")
_NO_PROBLEM = _words("no problem", "אין בעיה")
_NEGATION = re.compile(r"(?:\b(?:not|no|never|\w+n't)|(?<![א-ת])(?:לא|אין|אינו|אינה))\s+(?:\S+\s+)?$")


def analyse(turn: Turn, reply: Reply) -> Analysis:
    """Note language, intent, sentiment and what is left to do.

    ``intent`` is one of person, complaint, cancellation, check_out, check_in, parking, wifi, price,
    booking, directions, amenities, smalltalk, other. ``open_request``: the guest waits for more than was
    said. ``needs_human``: staff should look.
    """
    said = canonical(turn.question)
    intent = _intent(said)
    return Analysis(
        language=reply.language,
        intent=intent,
        sentiment=_sentiment(said),
        open_request=reply.handover or bool(reply.offered) or intent in _FOR_STAFF,
        needs_human=reply.handover or intent in _MUST_BE_SEEN,
        documents_disagree=", ".join(f"{believed} ≠ {other}" for believed, other in reply.conflicts) or None,
        held_back=reply.held_back or None,
    )


def _intent(said: str) -> str:
    return next((name for name, words in _INTENTS if words.search(said)), OTHER)


def _sentiment(said: str) -> Sentiment:
    score = sum(_score(sentence) for sentence in sentences(_NO_PROBLEM.sub(" ", _GREETING.sub(" ", said))))
    if score == 0:
        return Sentiment.NEUTRAL
    return Sentiment.POSITIVE if score > 0 else Sentiment.NEGATIVE


def _score(sentence: str) -> int:
    """Good words less bad ones; a good word after a negation is a bad one, a bad one counts for nothing."""
    score = 0
    for match in _POSITIVE.finditer(sentence):
        score += -1 if _NEGATION.search(sentence[: match.start()]) else 1
    for match in _NEGATIVE.finditer(sentence):
        score -= 0 if _NEGATION.search(sentence[: match.start()]) else 2
    return score

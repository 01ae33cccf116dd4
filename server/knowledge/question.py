"""What a guest's message may be asking, read in the light of what was said before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.domain.conversations import HistoryLine, Speaker
from server.knowledge.words import content_words, words

MAX_READINGS = 6
MAX_QUESTIONS = 4
# Beyond this a message is not read: nobody asks a front desk in so many letters.
MAX_LENGTH = 1_000

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?؟])\s+|\n+")
_SMALL_TALK = frozenset(
    words(
        """
        hi hello hey dear good morning afternoon evening thanks thank thx you so much very ok okay k great
        cool awesome perfect nice lovely wonderful excellent sounds alright right well yes yeah yep sure no
        please sorry
        היי הי שלום בוקר ערב צהריים טוב טובים תודה רבה מעולה מצוין יופי נהדר אוקיי אוקי בסדר סבבה כן לא
        אחלה בבקשה סליחה
        """
    )
)
_JOINING = frozenset(words("and also but so oh uh um umm hm by the way וגם ואגב אגב אז"))
_INTERROGATIVE = (
    r"(?:do|does|did|is|are|am|can|could|may|will|would|should|have|has|any"
    r"|what|when|where|how|which|who|why)\b"
)
_HEBREW_INTERROGATIVE = r"(?:האם|יש|כמה|מתי|איפה|היכן|איך|אפשר|ניתן|מותר|עד מתי|ממתי|באיזו|באיזה)(?!\w)"
_ASKS = re.compile(rf"^(?:{_INTERROGATIVE}|ו?{_HEBREW_INTERROGATIVE})", re.IGNORECASE)
# Where one sentence goes over into a second question.
_BETWEEN_QUESTIONS = re.compile(
    rf"\s*[,;]?\s+(?:and|also|plus)\s+(?:also\s+)?(?={_INTERROGATIVE})|\s*[,;]?\s+(?:וגם\s+|ו)(?={_HEBREW_INTERROGATIVE})",
    re.IGNORECASE,
)
# A message that leans on the one before it.
_LEANING_WORDS = frozenset(
    words("it its that this these those one ones them there same else זה זאת זו הוא היא אותו אותה הם שם עוד")
)
_LEANING_START = re.compile(
    r"^\s*(?:or|what about|how about|what if|how much|how long|how far|until when|why)\b"
    r"|^\s*(?:ומה|ואם|ואיפה|ומתי|וכמה|ויש|ואפשר|או|מה עם|כמה|ממתי|עד מתי|למה)\b",
    re.IGNORECASE,
)
_MOST_WORDS_THAT_LEAN = 3


def readings(question: str, history: Sequence[HistoryLine]) -> list[str]:
    """The ways to read *question*, the plainest first; never empty.

    What it asks, without greetings and thanks; each of its sentences that asks; all that it says ("We have
    a dog. Can he come?"); and for one that leans on what was said before ("and is it free?") also together
    with the guest's line before it.
    """
    question = question[:MAX_LENGTH]
    asking = _asking(question)
    whole = " ".join(asking)
    found = [whole, *asking, " ".join(_telling(question))]
    before = _previous(history)
    if before and _leans(question, whole):
        found.append(f"{before} {whole}".strip())
    distinct = [reading for reading in dict.fromkeys(found) if reading]
    return distinct[:MAX_READINGS] or [question]


def questions(message: str) -> list[str]:
    """The questions of a message that asks several things, in their order; else the message alone."""
    parts = [
        part
        for sentence in _telling(message[:MAX_LENGTH])
        for part in _BETWEEN_QUESTIONS.split(sentence)
        if content_words(part) and (part.endswith(("?", "؟")) or _ASKS.match(part))
    ]
    return parts[:MAX_QUESTIONS] if len(parts) > 1 else [message]


def _asking(text: str) -> list[str]:
    """The sentences that may ask something; only those with a question mark where there are any."""
    told = _telling(text)
    return [sentence for sentence in told if sentence.endswith(("?", "؟"))] or told


def _telling(text: str) -> list[str]:
    """The sentences that say something, without the small talk they begin with."""
    trimmed = [_without_small_talk(sentence) for sentence in _BETWEEN_SENTENCES.split(text)]
    return [sentence for sentence in trimmed if content_words(sentence)]


def _without_small_talk(sentence: str) -> str:
    """*sentence* from its first word that is neither a greeting nor thanks."""
    remaining = sentence.strip(" ,;-–—")
    while remaining:
        first, _, rest = remaining.partition(" ")
        if any(word not in _SMALL_TALK and word not in _JOINING for word in words(first)):
            break
        remaining = rest.lstrip(" ,;-–—")
    return remaining


def _leans(question: str, whole: str) -> bool:
    if len(content_words(whole)) > _MOST_WORDS_THAT_LEAN:
        return False
    trimmed = _without_small_talk(question)
    return bool(_LEANING_START.match(trimmed)) or not _LEANING_WORDS.isdisjoint(words(trimmed))


def _previous(history: Sequence[HistoryLine]) -> str:
    """What the guest asked last, before this."""
    for line in reversed(history):
        if line.speaker is Speaker.GUEST:
            return " ".join(_asking(line.text[:MAX_LENGTH]))
    return ""

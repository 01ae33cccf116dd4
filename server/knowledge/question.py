"""What a guest's message may be asking, read in the light of what was said before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.domain.conversations import HistoryLine, Speaker
from server.knowledge.words import content_words, forms, words

MAX_READINGS = 6
MAX_QUESTIONS = 4
# Beyond this a message is not read: nobody asks a front desk in so many letters.
MAX_LENGTH = 1_000

_QUESTION_MARKS = ("?", "؟")
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
# Words that name nothing of their own: a message of these alone is about what was named before it.
_NAMES_NOTHING = frozenset(
    forms(word)[0]
    for word in words(
        """
        price cost much free charge extra fee pay paid payment money cheap expensive discount deal include
        long take last far away close near distance minute hour time half open opening closed start begin end
        until till late early earlier later when now today tonight tomorrow morning afternoon evening night
        noon day daily week weekend month year old age monday tuesday wednesday thursday friday saturday
        sunday shabbat sabbath holiday january february march april june july august september october
        november december book reserve reservation advance order need bring pick up collect get find run
        kid child children baby adult adults person people guest couple family group per each one two three
        both big size large small many more less another other else same again still already work available
        availability allowed possible sure exactly detail information info explain mean address phone number
        contact link mine first second next use using sign everyone anyone whats hows wheres whens
        מחיר עולה עולים עלות יעלה תעלה חינם תשלום משלמים לשלם תוספת נוסף יקר זול הנחה כלול כולל כלולה כסף
        זמן לוקח נמשך רחוק קרוב מרחק דקות שעה שעות חצי פתוח פתוחה פתוחים סגור סגורה נפתח נסגר מתחיל מתחילים
        נגמר מסתיים מוקדם מאוחר עכשיו היום הערב מחר בוקר צהריים ערב לילה יום ימים שבוע סופש חודש שנה גיל בן
        בת שנים ראשון שני שלישי רביעי חמישי שישי שבת חג חגים ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט
        ספטמבר אוקטובר נובמבר דצמבר להזמין הזמנה מראש לשריין לתאם תיאום תור להביא לקחת לאסוף לקבל
        ילדים ילד ילדה תינוק מבוגר מבוגרים אנשים אדם זוג משפחה קבוצה כולם אחד אחת שניים שניהם
        גדול גודל קטן הרבה אחר אחרת אותו זמין זמינים פנוי פנויה עובד עובדת אפשרי בטוח בדיוק פרטים מידע
        להסביר כתובת טלפון מספר קישור להשתמש להירשם להרשם נרשמים
        """
    )
)
_MOST_WORDS_THAT_LEAN = 6
# Of a long reply the beginning tells what it is about.
_HOST_WORDS = 12


def readings(question: str) -> list[str]:
    """The ways to read *question* by itself, the plainest first; never empty.

    What it asks, without greetings and thanks; each of its sentences that asks; all that it says ("We have
    a dog. Can he come?").
    """
    question = question[:MAX_LENGTH]
    asking = _asking(question)
    found = [" ".join(asking), *asking, " ".join(_telling(question))]
    distinct = [reading for reading in dict.fromkeys(found) if reading]
    return distinct[:MAX_READINGS] or [question]


def in_context(question: str, history: Sequence[HistoryLine]) -> str | None:
    """*question* behind what was said before it, if it names nothing of its own ("and is it free?").

    None if it stands alone. "And a helipad?" does: it is not about the thing before.
    """
    said = " ".join(_asking(question[:MAX_LENGTH]))
    before = _before(history)
    goes_on = (
        said.endswith(_QUESTION_MARKS) or _ASKS.match(said) or not _JOINING.isdisjoint(words(question)[:1])
    )
    return f"{before} {said}" if before and goes_on and _names_nothing(said) else None


def names_something(message: str) -> bool:
    """Whether *message* can be understood by itself: "is it free?" and "2" cannot."""
    said = " ".join(_asking(message[:MAX_LENGTH]))
    return bool(content_words(said)) and not _names_nothing(said)


def questions(message: str) -> list[str]:
    """The questions of a message that asks several things, in their order; else the message alone."""
    parts = [
        part
        for sentence in _telling(message[:MAX_LENGTH])
        for part in _BETWEEN_QUESTIONS.split(sentence)
        if content_words(part) and (part.endswith(_QUESTION_MARKS) or _ASKS.match(part))
    ]
    return parts[:MAX_QUESTIONS] if len(parts) > 1 else [message]


def _asking(text: str) -> list[str]:
    """The sentences that may ask something; only those with a question mark where there are any."""
    told = _telling(text)
    return [sentence for sentence in told if sentence.endswith(_QUESTION_MARKS)] or told


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


def _names_nothing(question: str) -> bool:
    content = content_words(question)
    return 0 < len(content) <= _MOST_WORDS_THAT_LEAN and all(
        word.isdecimal() or any(_says_little(form) for form in forms(word)) for word in content
    )


def _says_little(form: str) -> bool:
    """Whether a base form names nothing of its own; with a prefix, words of no content come here too."""
    return form in _NAMES_NOTHING or not content_words(form)


def _before(history: Sequence[HistoryLine]) -> str:
    """What the guest asked last, and the beginning of what was replied to it."""
    replied = ""
    for line in reversed(history):
        if line.speaker is Speaker.GUEST:
            return f"{' '.join(_asking(line.text[:MAX_LENGTH]))} {replied}".strip()
        replied = " ".join(line.text[:MAX_LENGTH].split()[:_HOST_WORDS])
    return ""

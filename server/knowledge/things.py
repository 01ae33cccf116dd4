"""What a statement speaks of that its sources do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.claims import Kind
from server.knowledge.clauses import Clause, Word, all_forms, topics
from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical
from server.knowledge.words import forms, words

# Words by which things are told and joined, and which are no things themselves.
COLOURLESS = frozenset(
    form
    for word in words(
        """
        wear worn youd youll theyd theyll weve wed into across opposite payment money request able
        about above absolutely accept accepted according accordingly actually additionally advance
        advise again ahead aim allocated along alongside alternatively amount apart apply applies
        approx aside assigned assume aware away based basis become been being below beside best
        better beyond both bother brief briefly care carefully case certain choice clear clearly
        close closer come comfortable comfortably complete completely concerned confirm consider
        convenient count cover covers covered currently daughter day decide definitely delighted
        depend depends depending designated direct directly done door down due during earlier
        easier easily easy either else encourage end ensure entire entirely especially even event
        exact exactly example first expect explore extend extremely family fair fairly father fee
        feel few find fit fits fixed flat flexible follow following follows free freely fresh
        friend full fully gain general generally gentle gladly go goes going grab granted handle
        handy happen happens head heads held hence hesitate husband ideal ideally idea include
        instead intend invited issue issued item join keen keep kept kind kindly later latest
        least leave left level likely limit limited list little local lower lucky main mainly make
        manage matter maximum mean means meant merely mind minimum miss mother move near nearly
        necessary neither nice nicely note offer often okay once ones onto option optional
        optionally order other others otherwise ourselves outright overall own pack parents party
        pass perfectly permit person personal place plan planned plans plus point politely
        possible prefer preferred prior prepare prepared privately procedure promptly proper
        properly provided put quick quickly quite range rather reach reached read really reason
        receive received recommend refer regard regarding regardless relax remain remains remind
        require required requires reserve reserved rest restricted result right safe safely sadly
        same say seem seems select self separate set share short shortly show side simple simply
        simultaneously sister situation small son soon sort specific specifically spend standard
        state stated step stick still stop stops strict strictly strongly such suit suitable suits
        sure switch talk tell tend thing things think third though through throughout thus
        together too top total totally towards treat treated trip try turn type typical typically
        under unless unlike up upon usual value various vary version very via visit wait way
        welcome well whatever whenever whether whole wife willing wish within wonderful work works
        worth yourself yourselves situated lasts lasting settle settled handled ends room rooms
        apartment house hotel inn property accommodation villa חדר חדרים דירה מלון בית מתחם אותו
        אותה אותם אותן משם ומשם לשם לאחר בו בה בהם ובו ובה ובהם שבו שבה שבהם ישירות נשלח נשלחת
        נשלחים תקבלו מקבלים קבלת במהלך לאורך לצורך עבור תמורת בסך בעלות מחיר הינו הינה הינם ישנו
        ישנה ישנם בדרך כלל לרוב ברוב עצמו עצמה עצמכם בעצמכם יחד נדרש נדרשת נדרשים נדרשות דרוש
        דרושה חשוב כדאי רצוי מומלץ ממליצים ביותר מספיק בקלות בנוחות בנוסף כמו כן כך לכן ולכן מכאן
        אולם למרות אף גם לבד מצטערים אפשרי אפשרית קל נוח נוחה נעים מתאים מתאימה מתאימים מיועד
        מיועדת מיועדים משמש משמשת מוגבל מוגבלת מוגבלים שייך קובע נקבע נקבעת נמצא ממתין ממתינה
        פונים פנו לפנות ניתן מתקיים מתקיימת מתקיימים מתבצע מתבצעת נערך נערכת נעשה נעשית הבן הבת
        אשתך בעלך אמא אבא ההורים בלבד לפחות לכל היותר החל ועד סביב בערך כ סביבות יומי יומית שבועי
        נשמח תוכלו תוכלי תוכל יוכלו יוכל תצטרכו צריכים תרצו רוצים מעוניינים בוקר צהריים ערב לילה
        נפרד בנפרד
        """
    )
    for form in forms(word)
)
# One other word for the same may be unknown; so many unknown words are a thing made up, and so is one name.
_UNKNOWN_WORDS = 2
_TITLED_NAME = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\b\.? ([A-Z][a-z]+)")
_TELLING = (Kind.PRICE, Kind.TIME, Kind.DATE)


def invented(said: Sequence[Clause], sources: Sequence[str], asked: Sequence[str]) -> str:
    """Words that no source has, in a statement that rests on it otherwise."""
    has_value = any(value.kind in _TELLING for clause in said for value in clause.readings)
    # What the guest asked for by another word may have a price or an hour, which is checked by itself.
    unknown = set(map(_spelled, unknown_words(said, [*sources, *asked] if has_value else sources)))
    if any(speaks_of_other(word, sources) for word in unknown):
        return "invented"
    names = " ".join(name for clause in said for name in _TITLED_NAME.findall(clause.text))
    if set(words(names)) - set(words("\n".join([*sources, *asked]))):
        return "invented"
    heard = (unknown_words([clause], [*sources, *asked]) for clause in said)
    counts = (len(set(map(_spelled, words))) for words in heard)
    return "invented" if max(counts, default=0) >= _UNKNOWN_WORDS else ""


# How a thing is told, not what: a number may stand there without the word "telephone".
_OF_FORM = frozenset(
    ["telephone", "contact-phone", "whatsapp", "address", "distance", "price", "staff", "days", "rules"]
)


def speaks_of_other(text: str, sources: Sequence[str]) -> bool:
    """Whether all that *text* names are things that no source names, nor what they belong to."""
    told = [topic for source in sources for topic in topics(source)]
    within = {name for topic in told for name in (topic.name, *topic.broader)}
    named = {topic.name for topic in told}
    said = [topic for topic in topics(text) if topic.name not in _OF_FORM]
    return bool(said) and not any(topic.name in within or topic.broader & named for topic in said)


def unknown_words(said: Sequence[Clause], sources: Sequence[str]) -> list[Word]:
    """The content words that no source has in any form."""
    told = frozenset[str]().union(*map(all_forms, sources))
    words = (word for clause in said for word in clause.words)
    return [word for word in words if not word & told and not word & COLOURLESS and "#" not in _spelled(word)]


def _spelled(word: Word) -> str:
    """The longest form of *word* that is spelled as it was said."""
    return max((form for form in word if form[0] not in "~="), key=len)


_BEFORE = (
    re.compile(
        r"\b(?:the|a|an|one|\d+) (?:day|night|evening|morning|hour|week|month)s? (?:before|ahead|prior"
        r"|in advance|earlier)\b"
        r"|(?<![א-ת])ה?(?:יום|ימים|יומיים|ערב|לילה|שעה|שעות|שבוע|שבועיים)(?: אחד)? (?:ש?לפני|מראש"
        r"|קודם)(?![א-ת])"
    ),
    re.compile(
        r"\b(?:the|a|an|one|\d+) (?:day|night|evening|morning|hour|week|month)s? (?:after|later|afterwards)\b"
        r"|(?<![א-ת])ה?(?:יום|ימים|יומיים|ערב|לילה|שעה|שעות|שבוע|שבועיים)(?: אחד)? (?:אחרי|לאחר"
        r"|מאוחר)(?![א-ת])"
    ),
)


_SAME_DAY = re.compile(
    r"\b(?:on )?the (?:same|very) day\b|\blast[- ]minute\b|(?<![א-ת])ב?(?:אותו היום|רגע האחרון)(?![א-ת])"
)
# "Within 7 days after you leave" counts on, and is no day after.
_WITHIN = re.compile(r"\bwithin \d+|(?<![א-ת])תוך \d+")


def moved(statement: str, sources: Sequence[str]) -> str:
    """The day before, where the source says the day itself."""
    told = in_digits(canonical("\n".join(sources)))
    plain = in_digits(canonical(statement))
    if _WITHIN.search(plain) and _WITHIN.search(told):
        return ""
    if _SAME_DAY.search(plain) and not _SAME_DAY.search(told) and _BEFORE[0].search(told):
        return "other_day"
    return "other_day" if any(when.search(plain) and not when.search(told) for when in _BEFORE) else ""

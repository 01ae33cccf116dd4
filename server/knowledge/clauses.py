"""A text cut into clauses, each with what it is about and what it says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from server.knowledge.claims import MONTHS, Claim, Kind, claims
from server.knowledge.concepts import concept_terms
from server.knowledge.days import days_of
from server.knowledge.numerals import NUMBER_WORDS
from server.knowledge.policies import negates, waives
from server.knowledge.reading import canonical, sentences
from server.knowledge.readings import bare_amounts, readings
from server.knowledge.words import content_words, forms, words

# Said of what costs nothing, as its price.
FREE = Claim(Kind.PRICE, "free")

# A word in all the base forms that it may have.
Word = frozenset[str]


class Clause(NamedTuple):
    """A part of a sentence that says one thing.

    ``values`` are its claims, ``readings`` all that they may mean, ``amounts`` its bare numbers,
    ``denied`` the words that it says "no" of;
    ``words`` are its content words without them, in their order, with those of a clause that it goes on from.
    """

    text: str
    words: tuple[Word, ...]
    values: frozenset[Claim]
    days: frozenset[str]
    is_negative: bool
    own_words: tuple[Word, ...]
    readings: frozenset[Claim]
    amounts: frozenset[str]
    denied: tuple[Word, ...]


def _all_forms(text: str) -> frozenset[str]:
    return frozenset(form for word in words(text) for form in forms(word))


# Said of anything: they bind a value to nothing.
GENERIC = _all_forms(
    """
    cost costs price prices priced charge charges charged fee fees rate rates pay pays paid per each every
    amount take takes taken run runs begin begins start starts end ends open opens opened close closed
    closes serve served give gives get come comes go goes reach use used using bring brought rent rented buy
    bought sell sold last lasts leave leaves make made see find stay stays hour hours time times day days
    night nights week person people guest guests extra additional only just also still further total until
    till before after between during about around approximately please note remember kindly welcome
    unfortunately afraid sorry sure course certainly indeed lovely happy glad great perfect good hi dear yes
    no not never none cannot through though dont doesnt cant isnt arent wont didnt havent hasnt youll youre
    theres thats lets fine help call contact write free included including include includes complimentary
    allowed permitted possible available must should other others over up even however although while since
    because if unless except mostly usually always any all both problem worries mention mentioned morning
    evening afternoon hope wait thank thanks long much im ive well enjoy congratulations wonderful apologise
    apologies inconvenience arrive arrives need needs want like weigh weighs keep keeps let request
    requested arrange arranged located situated consist consists carry measure already simply otherwise upon
    easily directly own place date full enough able ask asked ready monday tuesday wednesday thursday friday
    saturday sunday mr ms mrs am pm noon midnight clock nis ils usd eur gbp euro euros dollar dollars shekel
    shekels pound pounds עולה עולים עלות מחיר המחיר תשלום בתשלום לשלם מוגש מוגשת מתחיל מתחילה פתוח פתוחה
    פתוחים סגור סגורה סגורים שעה שעות בשעה משעה יום ימים לילה לילות אדם לאדם אורח אורחים לאורחים לקוח זמן
    החל נא יש להזמין להביא לקחת אסור אסורה אינו אינה אינם אינן איננו בלי ללא לא כן בטח בהחלט כמובן לצערנו
    בשמחה נכון חינם כלול כלולה כלולים תוספת בתוספת בין עד מ ל בלבד רק תמיד ניתן ניתנת ניתנים אפשרי אפשרית
    אפשר יכולים יכול יכולה להשתמש להיכנס נכנסים כניסה שקל שקלים שח אירו דולר אחר ועד ומ היא הוא הן הם זה זו
    כל לכל בכל סליחה נמצא נמצאת נמצאים נמצאות ממוקם ממוקמת מתקיים מתקיימת עומד עומדת אנא פשוט מגיע מגיעה טוב
    תודה רבה צר נוחות מזל בעיה להגיע מגיעים צריך צריכים בבקשה שני שלישי רביעי חמישי שישי שבת ראשון אחת עשר
    עשרה חצי רבע שתיים שלוש ארבע חמש שש שבע שמונה תשע עשרים שלושים ב שכל ויש mon tue tues wed weds thu thur
    thurs fri sat sun q a weekend weekends weekday weekdays half quarter past same back number numbers next
    too right swiss australian canadian moroccan franc francs baht dirham dirhams kroner krona yen pence
    cents cent יורו פרנק דירהם באט חדש חדשים minute minutes month months week weeks year years half way ways
    part parts thing things couple hold works work working operate operates running include keep sits stand
    stands lies lie pick choose decide helps help whichever turn look looks looking send sends tell know
    kindly sounds sound cash-only separately together without within inside outside near nearby away ago
    early late later חוץ פועל פועלת פועלים בטלפון טלפון לכתוב להישאר אחריו אחריה אחרי לפני ואת את אחרת מידע
    היותר נוספת נוסף משלמים משלם משלמת נפגשים זמין זמינה ניתנים אפשרות ליד מול סמוך בתוך מתאים מתאימה דקה
    דקות שבוע שבועות חודש חודשים שנה פעם פעמים מקום ואין אליכם אליך לכם לך שלכם שלך אצלנו אצלכם נשמח לעזור
    חשוב לזכור לדעת שימו לב

    """
)
_SAYING_NOTHING = (
    GENERIC
    | NUMBER_WORDS
    | frozenset(form for name in MONTHS for form in forms(name))
    | frozenset(
        [
            "בימי",
            "ימי",
            "בבוקר",
            "בערב",
            "בלילה",
            "שעה",
            "צהריימ",
            "בצהריימ",
            "הצהריימ",
            "אחהצ",
            "א",
            "ב",
            "ג",
            "ד",
            "ה",
            "ו",
            "ש",
        ]
    )
)
_BREAKS = re.compile(
    r"[;()]|\band (?=(?:there|it|they|we|you|no|not|cannot|is|are|may|must)\b)|\s(?=ו(?:אין|לא|אסור|יש"
    r"|ניתן|אפשר)\s)|:(?=\s)|,(?=\s)(?!\s(?:and )?(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?"
    r"|sun)(?:days?)?\b)"
    r"|\s-\s(?!\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d)"
    r"|\b(?:but|however|while|whereas|otherwise)\b|(?=\b(?:instead of|rather than)\b)"
    r"|(?<![א-ת])(?:אבל|אך|אולם|אלא)(?![א-ת])|(?=(?<![א-ת])(?:במקום(?! ל)|מלבד|למעט|חוץ מ))"
    r"|(?=\b(?:except|other than|apart from|save (?:for|the|on)|bar (?:the|number|for|one|on))\b)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\W*(?:and |or )?(?:it|they|these|those|this|that|also|not (?:for|on|in|at|with))\b", re.IGNORECASE
)
_OF_IT = re.compile(r"\b(?:it|them)\W*$", re.IGNORECASE)
_HEBREW_WORD = re.compile("[א-ת]+")
# Letters of a Hebrew root, and of the beginning by which longer English words are alike.
_ROOT = 3
_BEGINNING = 5
_ALSO = re.compile(r"\s(?:and|or)\s|\s(?=ו[א-ת])")
_VALUE_KINDS = frozenset(Kind) - {Kind.MONTH, Kind.WEEKDAY}


@lru_cache(maxsize=1000)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of *text* that say anything."""
    found: list[Clause] = []
    for sentence in sentences(text):
        begun, heading, named = len(found), None, _named_first(sentence)
        for part in _parts(sentence):
            clause = _read(part)
            if heading and not clause.days:
                clause = _under(heading, clause)
            before = found[-1] if found else None
            if before and len(found) > begun and _is_heading(before):
                heading = found.pop()
                clause = _under(heading, clause)
            elif before and _is_continued(clause) and not (len(found) == begun and _is_heading(clause)):
                days = clause.days or (before.days if len(found) > begun else frozenset())
                clause = clause._replace(words=(*before.words, *clause.words), days=days)
                if clause.is_negative and not clause.own_words and not clause.values:
                    found[-1] = before._replace(is_negative=True)
                    continue
            if len(found) > begun and _is_exempted(clause, found[begun:]):
                clause = clause._replace(is_negative=False)
            if clause.words or clause.values:
                found.append(clause._replace(words=(*clause.words, *_missing(named, clause.words))))
    return tuple(found)


# "The fig room - large, with a balcony, 580": all of it is told of the fig room.
_NAMED_FIRST = re.compile(r"^\W*([^-:.,;?()]{2,40}?)(?:\s-\s|:\s)(?=.)")


def _named_first(sentence: str) -> tuple[Word, ...]:
    named = _NAMED_FIRST.match(canonical(sentence))
    return telling_words(named[1]) if named else ()


def _missing(named: tuple[Word, ...], words: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(word for word in named if word not in words)


def _is_exempted(clause: Clause, before: list[Clause]) -> bool:
    """Whether *clause* takes something out of what was denied before it: "no food, except fruit"."""
    return _EXCEPT.match(canonical(clause.text)) is not None and before[-1].is_negative


def _is_heading(clause: Clause) -> bool:
    """Whether *clause* only names a day that the next one is about: "Wed - steak night"."""
    return bool(clause.days) and not clause.words and all(v.kind is Kind.WEEKDAY for v in clause.values)


def _under(heading: Clause, clause: Clause) -> Clause:
    return clause._replace(
        values=clause.values | heading.values,
        readings=clause.readings | heading.readings,
        days=clause.days | heading.days,
        is_negative=clause.is_negative or heading.is_negative,
    )


class Topic(NamedTuple):
    """A thing that a text names, by `concepts.tsv`, and all that it belongs to."""

    name: str
    broader: frozenset[str]


def _is_continued(clause: Clause) -> bool:
    """Whether *clause* leaves its subject to the one before: "at 9:30, 13:30 and 18:00", "it costs 5 €"."""
    if clause.words:
        return _GOES_ON.match(clause.text) is not None or _OF_IT.search(clause.text) is not None
    return bool(clause.values) or clause.is_negative


@lru_cache(maxsize=2000)
def topics(text: str) -> frozenset[Topic]:
    """The things that *text* names."""
    return frozenset(
        Topic(itself[1:], frozenset(term[1:] for term in within[1:]))
        for itself, *within in concept_terms(text)
    )


@lru_cache(maxsize=2000)
def all_forms(text: str) -> frozenset[str]:
    """Every base form of every word of *text*, and its root."""
    return frozenset(form for word in words(text) for form in _word(word))


def is_of_same_day(one: Clause, other: Clause) -> bool:
    """Whether both may tell of one day."""
    return not one.days or not other.days or bool(one.days & other.days)


def overlap(one: tuple[Word, ...], other: tuple[Word, ...]) -> int:
    """How many words of *one* are in *other*."""
    return sum(any(word & also for also in other) for word in one)


def _word(word: str) -> Word:
    return frozenset((*forms(word), *_root(word)))


def _root(word: str) -> Iterator[str]:
    """What a word keeps in most of its forms: its first letters, in Hebrew its firm consonants."""
    if _HEBREW_WORD.fullmatch(word):
        firm = re.sub("[אהוי]", "", word)
        while len(firm) > _ROOT and firm[0] in ("נתמלבכש" if word.startswith("תי") else "נמלבכש"):
            firm = firm[1:]
        while len(firm) > _ROOT and firm[-1] in "תמנכ":
            firm = firm[:-1]
        if len(firm) >= _ROOT:
            yield f"~{firm}"
        return
    yield "~" + re.sub(r"(?:es|s|e)$", "", word)
    if len(word) > _BEGINNING and not word.startswith("check"):
        yield f"~{word[:_BEGINNING]}"


def _parts(sentence: str) -> Iterator[str]:
    start = 0
    for match in _BREAKS.finditer(sentence):
        yield from _at_conjunctions(sentence[start : match.start()])
        start = match.end()
    yield from _at_conjunctions(sentence[start:])


def _at_conjunctions(part: str) -> Iterator[str]:
    """Cut where there is a value on both sides: "to 10:30 on weekdays and to 11:30 at weekends"."""
    start = 0
    for match in _ALSO.finditer(part):
        if _has_value(part[start : match.start()]) and _has_value(part[match.end() :]):
            yield part[start : match.start()]
            start = match.end()
    yield part[start:]


def _has_value(text: str) -> bool:
    return any(claim.kind in _VALUE_KINDS for claim in claims(text))


def _read(text: str) -> Clause:
    own = telling_words(text)
    values = claims(text) | ({FREE} if waives(text) else frozenset())
    is_negative = _denies(text)
    return Clause(
        text=text.strip(),
        words=own,
        own_words=own,
        values=values,
        readings=values | readings(text),
        amounts=bare_amounts(text),
        days=days_of(text),
        is_negative=is_negative,
        denied=telling_words(_WITHOUT.split(text)[-1]) if is_negative else (),
    )


def telling_words(text: str) -> tuple[Word, ...]:
    apart = _GLUED.sub(" ", text)
    found = (_word(word) for word in content_words(apart) if not word[0].isdigit())
    lettered = (frozenset({f"#{letter}"}) for letter in _LETTERED.findall(canonical(text)))
    return (*(word for word in found if not word & _SAYING_NOTHING), *lettered)


# Models lose the space beside a mark.
_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])")
# "Flat B" in Hebrew; after "day" it is a weekday.
_LETTERED = re.compile(r"(?<!יום )(?<!ימים )(?<!ימי )(?<![א-ת'-])ו?ב?([א-י])'(?![א-ת-])")


# What stands before these is not denied with what stands after.
_WITHOUT = re.compile(
    r"\b(?:without|but no|and no|with no|has no|have no)\b|(?<![א-ת])ו?(?:בלי|ללא)(?![א-ת])", re.IGNORECASE
)
_EXCEPT = re.compile(r"^\W*(?:except|other than|apart from|save|bar)\b|^\W*(?:חוץ מ|למעט|מלבד)")
_FINED = re.compile(
    r"\b(?:exempt|fined|a fine of|penalty|at your own risk)\b|(?<![א-ת])[ובל]?(?:קנס|קנסות)(?![א-ת])"
)
_CLOSED = re.compile(
    r"\b(?:is|are|be|stays?|remains?|we're) (?:also |always |then )?(?:closed|locked)\b|\b(?:closed"
    r"|locked)(?= (?:on|from|at|between)\b)"
    r"|\b(?:closed|locked)\W*$|(?<![א-ת])ו?ש?ה?(?:סגור|סגורה|סגורים|סגורות|נעול|נעולה)(?![א-ת])"
)


def _denies(text: str) -> bool:
    plain = canonical(text)
    return negates(plain) or any(words.search(plain) for words in (_EXCEPT, _FINED, _CLOSED))

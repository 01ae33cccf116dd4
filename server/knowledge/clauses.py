"""A text cut into clauses, each with what it is about and what it says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from server.knowledge.claims import Claim, Kind, claims
from server.knowledge.concepts import concept_terms
from server.knowledge.days import days_of
from server.knowledge.generic import SAYING_NOTHING
from server.knowledge.policies import negates, permits, waives
from server.knowledge.reading import canonical, sentences
from server.knowledge.readings import bare_amounts, readings
from server.knowledge.synonyms import senses
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


_BREAKS = re.compile(
    r"[;()]|\band (?=(?:there|it|they|we|you|no|not|cannot|is|are|may|must)\b)|\s(?=ו(?:אין|לא|אסור|יש"
    r"|ניתן|אפשר)\s)|:(?=\s)|,(?=\s)(?!\s(?:and )?(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?"
    r"|sun)(?:days?)?\b)"
    r"|\s[–—]\s(?=(?:they|it|there|we|you|so)\b|they're|it's|there's)|\s-\s(?!\d|(?:jan|feb|mar|apr|may"
    r"|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d)"
    r"|\b(?:but|however|while|whereas)\b|(?=\botherwise\b)|(?=\b(?:instead of|rather than)\b)"
    r"|(?=\bnor (?!is|are|do|can|will))"
    r"|(?<![א-ת])(?:אבל|אך|אולם|אלא)(?![א-ת])|(?=(?<![א-ת])(?:במקום(?! ל)|מלבד|למעט|חוץ מ))"
    r"|(?=\b(?:except|other than|apart from|save (?:for|the|on)|bar (?:the|number|for|one|on))\b)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\W*(?:and |or )?(?:it|they|these|those|this|that|also|including|even|not (?:for|on|in|at|with))\b"
    r"|\W*(?:כולל|גם|אפילו)(?![א-ת])",
    re.IGNORECASE,
)
_OF_IT = re.compile(r"\b(?:it|them)\W*$", re.IGNORECASE)
_HEBREW_WORD = re.compile("[א-ת]+")
# Letters of a Hebrew root, and of the beginning by which longer English words are alike.
_ROOT = 3
_ENDING = re.compile(r"(?:es|s|e)$")
_BEGINNING = 5
_ALSO = re.compile(r"\s(?:and|or)\s|\s(?=ו-?[א-ת\d])")
_VALUE_KINDS = frozenset(Kind) - {Kind.MONTH, Kind.WEEKDAY}


@lru_cache(maxsize=1000)
def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of *text* that say anything."""
    found: list[Clause] = []
    subject: tuple[Word, ...] = ()
    for sentence in sentences(text):
        begun = len(found)
        _add_sentence(sentence, found, subject)
        subject = found[begun].own_words if begun < len(found) else subject
    return tuple(found)


def _add_sentence(sentence: str, found: list[Clause], subject: tuple[Word, ...]) -> None:
    """Add the clauses of *sentence* to those *found* before it, the last of which began with *subject*."""
    begun, heading, named = len(found), None, _named_first(sentence)
    for part in _parts(_ALL_BUT.sub(r"\1except", sentence)):
        clause = _read(part) if heading is None else _under_day(heading, _read(part))
        before = found[-1] if found else None
        is_first = len(found) == begun
        if before and not is_first and _is_heading(before):
            heading = found.pop()
            clause = _under(heading, clause)
        elif before and _is_continued(clause) and not (is_first and _is_heading(clause)):
            clause = _of_sentence_before(clause, before, subject) if is_first else _continued(clause, before)
            if clause.is_negative and not clause.own_words and not clause.values:
                found[-1] = before._replace(is_negative=True)
                continue
        if len(found) > begun:
            clause = _contrasted(clause, found[-1])
        if clause.words or clause.values:
            found.append(clause._replace(words=(*clause.words, *_missing(named, clause.words))))
    if named and len(found) > begun + 1:
        found[begun] = _named_for(found[begun], found[begun + 1])


def _continued(clause: Clause, before: Clause) -> Clause:
    """*clause* with what it goes on from, and with its day, unless that was an exception."""
    is_exception = _EXCEPT.match(canonical(before.text)) is not None
    days = clause.days or (frozenset() if is_exception else before.days)
    return clause._replace(words=(*dict.fromkeys(before.words), *clause.words), days=days)


def _of_sentence_before(clause: Clause, before: Clause, subject: tuple[Word, ...]) -> Clause:
    """ "They" are what the sentence before began with as well as what it ended with."""
    is_priced = any(value.kind is Kind.PRICE for value in clause.values)
    is_of_subject = clause.own_words or clause.is_negative or is_priced
    told_of = (*subject, *before.words) if is_of_subject else before.words
    return clause._replace(words=(*dict.fromkeys(told_of), *clause.words))


def _contrasted(clause: Clause, before: Clause) -> Clause:
    """*clause* as it is meant after a denial: what it allows is of the same, what it excepts is allowed."""
    if not clause.words and _grants(clause, before):
        clause = clause._replace(words=before.words, own_words=_subject(before))
    is_exempted = _EXCEPT.match(canonical(clause.text)) is not None and before.is_negative
    return clause._replace(is_negative=False) if is_exempted else clause


def _named_for(heading: Clause, clause: Clause) -> Clause:
    """*heading* with what it is named for: "Cancelled a week before: half is returned"."""
    if not heading.values or clause.is_negative:
        return heading
    return heading._replace(words=(*heading.words, *_missing(clause.words, heading.words)))


# "Every room but the attic": no contrast, an exception.
_ALL_BUT = re.compile(
    r"(\b(?:every|all|any|each|none|no)(?:\s\w+){0,3}\s)but(?=\s(?:the|on|in|for|at|one|number)\b)",
    re.IGNORECASE,
)

# "The fig room - large, with a balcony, 580": all of it is told of the fig room.
_NAMED_FIRST = re.compile(r"^\W*([^-:.,;?()]{2,40}?)(?:\s-\s|:\s)(?=.)")


def _named_first(sentence: str) -> tuple[Word, ...]:
    named = _NAMED_FIRST.match(canonical(sentence))
    return telling_words(named[1]) if named else ()


def _missing(named: tuple[Word, ...], words: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(word for word in named if word not in words)


def _grants(clause: Clause, before: Clause) -> bool:
    """Whether *clause* allows of what was denied before it: "not sold, but may be brought"."""
    is_contrast = before.is_negative and not clause.is_negative
    return is_contrast and not clause.values and permits(clause.text)


def _subject(clause: Clause) -> tuple[Word, ...]:
    """What *clause* tells of before its denial."""
    return telling_words(_NOT.split(clause.text, maxsplit=1)[0]) or clause.own_words


_NOT = re.compile(
    r"\b(?:is|are|may|can|do|does)? ?not\b|\bcannot\b|\b\w+n['’]t\b|(?<![א-ת])(?:לא|אינו|אינה|אינם"
    r"|אינן)(?![א-ת])"
)


def _is_heading(clause: Clause) -> bool:
    """Whether *clause* only names a day that the next one is about: "Wed - steak night"."""
    is_named = bool(clause.days) and not clause.words and _FROM.match(clause.text) is None
    return is_named and all(v.kind is Kind.WEEKDAY for v in clause.values)


# "From Saturday to Saturday" goes with what stands before it.
_FROM = re.compile(r"\W*(?:from|until|to|between)\b", re.IGNORECASE)


def _under_day(heading: Clause, clause: Clause) -> Clause:
    return clause if clause.days else _under(heading, clause)


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


@lru_cache(maxsize=1_000)
def in_senses(clause: Clause) -> Clause:
    """*clause* with its words by their senses alone, by which it can be held against another language."""
    return clause._replace(words=_senses_of(clause.words), own_words=_senses_of(clause.own_words))


def _senses_of(told: tuple[Word, ...]) -> tuple[Word, ...]:
    meant = (frozenset(form for form in word if form[0] == "=") for word in told)
    return tuple(word for word in meant if word)


def is_of_same_day(one: Clause, other: Clause) -> bool:
    """Whether both may tell of one day."""
    return not one.days or not other.days or bool(one.days & other.days)


def overlap(one: tuple[Word, ...], other: tuple[Word, ...]) -> int:
    """How many words of *one* are in *other*."""
    return sum(any(word & also for also in other) for word in one)


@lru_cache(maxsize=4_000)
def _word(word: str) -> Word:
    return frozenset((*forms(word), *_root(word), *senses(word)))


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
    yield "~" + _ENDING.sub("", word)
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
    for match in _ALSO.finditer(part) if _has_value(part) else ():
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
    return (*(word for word in found if not word & SAYING_NOTHING), *lettered)


# Models lose the space beside a mark.
_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z])|\bflat (?=fee|rate|charge|price)")
# "Flat B" in Hebrew; after "day" it is a weekday.
_LETTERED = re.compile(r"(?<!יום )(?<!ימים )(?<!ימי )(?<![א-ת'-])ו?ב?([א-י])'(?![א-ת-])")


# What stands before these is not denied with what stands after.
_WITHOUT = re.compile(
    r"\b(?:without|but no|and no|with no|has no|have no)\b|(?<![א-ת])ו?(?:בלי|ללא)(?![א-ת])", re.IGNORECASE
)
_EXCEPT = re.compile(r"^\W*(?:except|other than|apart from|save|bar)\b|^\W*(?:חוץ מ|למעט|מלבד)")
# Who brings their own is given none.
_OWN = re.compile(
    r"\b(?:bring|need|take|use)\w* (?:along )?(?:your|their|one's) own\b|(?<![א-ת])(?:להביא|תביאו"
    r"|הביאו)(?![א-ת])[^.;,]*"
    r"(?<![א-ת])(?:משלכם|משלך|מהבית)(?![א-ת])"
)
_FREE_OF = re.compile(r"\bfree of (?!charge|cost)")
_FINED = re.compile(
    r"\b(?:fined|a fine of|penalty|at your own risk)\b|(?<![א-ת])[ובל]?(?:קנס|קנסות)(?![א-ת])"
)
_CLOSED = re.compile(
    r"\bwe close (?:all|every|on)\b|\b(?:is|are|be|stays?|remains?|we're) (?:also |always "
    r"|then )?(?:closed|locked)\b|\b(?:closed"
    r"|locked)(?= (?:on|from|at|between)\b)"
    r"|\b(?:stays?|are|is|switched|turned) off(?! (?:the|your))\b|\b(?:closed|locked)\W*$"
    r"|(?<![א-ת])ו?ש?ה?(?:סגור|סגורה|סגורים|סגורות|נעול|נעולה|כבוי|כבויה|כבויים|כבויות)(?![א-ת])"
)


def _denies(text: str) -> bool:
    plain = canonical(text)
    return negates(plain) or any(words.search(plain) for words in (_EXCEPT, _FINED, _CLOSED, _OWN, _FREE_OF))

"""What a statement speaks of that its sources do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.claims import Kind
from server.knowledge.clauses import Clause, Word, all_forms, topics
from server.knowledge.reading import canonical

# A synonym may be unknown; two unknown words are a thing made up.
_UNKNOWN_WORDS = 2
_TELLING = (Kind.PRICE, Kind.TIME, Kind.DATE)


def invented(said: Sequence[Clause], sources: Sequence[str], asked: Sequence[str]) -> str:
    """Words that no source has, in a statement that rests on it otherwise."""
    has_value = any(value.kind in _TELLING for clause in said for value in clause.values)
    # What the guest asked for by another word may have a price or an hour, which is checked by itself.
    unknown = {
        max(word, key=len) for word in unknown_words(said, [*sources, *asked] if has_value else sources)
    }
    if any(speaks_of_other(word, sources) for word in unknown):
        return "invented"
    heard = (unknown_words([clause], [*sources, *asked]) for clause in said)
    counts = (len({max(word, key=len) for word in words}) for words in heard)
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
    told = all_forms("\n".join(sources))
    words = (word for clause in said for word in clause.words)
    return [word for word in words if not word & told and not any(form[0] == "#" for form in word)]


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


def moved(statement: str, sources: Sequence[str]) -> str:
    """The day before, where the source says the day itself."""
    told = canonical("\n".join(sources))
    plain = canonical(statement)
    return "other_day" if any(when.search(plain) and not when.search(told) for when in _BEFORE) else ""

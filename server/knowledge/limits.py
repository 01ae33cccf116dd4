"""How far a rule goes: for all or some, only so, free or not, done or not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.claims import Kind
from server.knowledge.clauses import Clause, all_forms, overlap, telling_words
from server.knowledge.days import days_of
from server.knowledge.numerals import in_digits
from server.knowledge.policies import negates, promises, waives
from server.knowledge.reading import canonical, sentences
from server.knowledge.words import forms

# Words that leave nothing out, by what they say; a source must say the same of the same.
_WIDE = tuple(
    re.compile(rf"(?:\b(?:{english})\b|(?<![א-ת])[ובלהמש]{{0,2}}(?:{hebrew})(?![א-ת]))(?P<next>\s+\S+)?")
    for english, hebrew in (
        ("any|anytime|whatever|whichever|however you|no matter|regardless", "כלשהו|כלשהי"),
        ("all|every|daily|each|everything", "כל"),
        ("whole|entire|throughout", "כולו|כולה"),
        ("everyone|everybody|anyone|anybody|everywhere|anywhere|all guests", "כולם|כולן|לכל אחד|בכל מקום"),
        (
            "always|anytime|whenever|around the clock|24/7|24 hours a day|at all times",
            "תמיד|מסביב לשעון|24 שעות ביממה",
        ),
        (
            "unlimited|for as long as you (?:like|want|wish|stay)|no limit|without limit|as many|as much"
            "|no restrictions?",
            "ללא הגבלה|בלי הגבלה|כמה שרוצים|כמה שצריך",
        ),
    )
)
_NOT_WIDE = re.compile(
    r"\b(?:at all\b(?! times)|any ?time (?=(?:between|from|after|until|before|within)\b)|all right"
    r"|\b(?:is|are|were) all\b|\bthe (?:whole|entire) (?:family|party|group|team|table|day|amount|sum)\b"
    r"|\ball the way\b|\beach (?:additional|extra|further)\b"
    r"|\bevery (?=\d|quarter|half|hour|other)|\beach way\b|\b(?:whichever|whatever) (?=you)"
    r"|24 שעות(?= לפני| מראש)|after all|all the best|first of all|any questions?|anything else)"
    r"|\bevery (?=(?:mon|tues|wednes|thurs|fri|satur|sun)day)|כל (?=יום (?:ראשון|שני|שלישי|רביעי|חמישי"
    r"|שישי)|שבת)"
    r"|\b(?:all|every|any) (?:the |of the )?(?:other|others|rest|remaining)\b|\b(?:everyone|everybody"
    r"|everything) else\b"
    r"|כל (?:ה?שאר|ה?יתר)"
    r"|לכל היותר|לכל הפחות|בכל זאת|בכל מקרה|בכל דבר|בכל שאלה|בכל עת|כל טוב"
)
# Said of all alike, of whatever they are.
_ALL = re.compile(
    r"\b(?:in|of|for) (?:all|both|each)(?: of them)?\b(?=[.,;)]|$)|\b(?:all|both|each)\W*$|\b(?:all"
    r"|each) (?:with|en|have|has|of them)\b|\balle\b"
    r"|\b(?:none|no \w+) (?:\w+ )?(?:anywhere|in any)\b|(?<![א-ת])(?:כולם|כולן|לכולן|לכולם|בכולם"
    r"|בכולן)(?![א-ת])"
)
_NO_THING = frozenset(forms("the")) | frozenset(("of", "our", "your", "in", "to", "a", "at", "year"))
_LIMIT = re.compile(
    r"\b(?:only|up to|at most|at least|maximum|minimum|max|min|no more than|or more|or older|from age"
    r"|over|under|except"
    r"|unless|apart from|other than|aside from|excluding|all but|until|by|within|limited|subject to"
    r"|as long as|provided that|when|if|one|first)\b"
    r"|(?<![א-ת])[ובלהש]{0,2}(?:רק|בלבד|עד|לפחות|מינימום|מקסימום|למעט|חוץ|אלא|בתיאום|בהזמנה|על בסיס|בכפוף"
    r"|מגיל|מעל|מתחת|אם|בליווי)(?![א-ת])"
)
HARD_LIMIT = re.compile(
    r"\b(?:only|except|unless|minimum|at least)\b|(?<![א-ת])(?:רק|בלבד|למעט|מינימום|לפחות|בכפוף|בתיאום"
    r"|בהזמנה)(?![א-ת])"
)


def widened(statement: str, sources: Sequence[str], is_same_language: bool) -> str:
    """All, every, always: where no source says so of the same."""
    plain = canonical(statement)
    narrowed = _NOT_WIDE.sub(" ", plain)
    if not any(wide.search(narrowed) for wide in _WIDE):
        return ""
    told = [
        canonical(part)
        for source in sources
        for sentence in sentences(source)
        for part in sentence.split(";")
    ]
    if not is_same_language and not any(HARD_LIMIT.search(sentence) for sentence in told):
        return ""
    told_of = frozenset(form for word in telling_words(statement) for form in word)
    for wide in _WIDE:
        for match in wide.finditer(narrowed):
            if match[0].startswith("any") and negates(narrowed[: match.end()]):
                continue
            alike = [sentence for sentence in told if wide.search(sentence) or _ALL.search(sentence)]
            is_named = is_same_language and match[0].split()[0] != "daily"
            of = all_forms(match["next"] or "") - _NO_THING if is_named else frozenset()
            if is_same_language and _is_per(match, told):
                continue
            if _is_each(match, plain, told):
                continue
            fitting = [
                sentence
                for sentence in alike
                if not of
                or of & all_forms(sentence)
                or (_ALL.search(sentence) and told_of & all_forms(sentence))
            ]
            if is_same_language and _drops_exception(plain, fitting, told_of):
                return "widened"
            about = told_of - of
            nearest = max((len(about & all_forms(sentence)) for sentence in fitting), default=-1)
            narrower = (
                one
                for one in told
                if one not in fitting and (_is_narrow(one, match[0]) or of & all_forms(one))
            )
            if any(len(about & all_forms(sentence)) > nearest for sentence in narrower) or not fitting:
                return "widened"
    return ""


_EXCEPTION = re.compile(
    r"\b(?:except|excluding|apart from|other than|but not|but (?:the|for|on)|bar (?:the|number|for)|only"
    r"|unless)\b"
    r"|(?<![א-ת])(?:חוץ|למעט|מלבד|פרט|רק|בלבד|ולא|אך|אבל)(?![א-ת])"
)


def _drops_exception(plain: str, fitting: Sequence[str], told_of: frozenset[str]) -> bool:
    """Whether what is nearest to the statement *plain* takes something out, and the statement does not."""
    if not fitting or _EXCEPTION.search(plain):
        return False
    nearest = max(fitting, key=lambda sentence: len(told_of & all_forms(sentence)))
    is_near = 2 * len(told_of & all_forms(nearest)) >= len(told_of)
    return (
        is_near and re.search(r"\bexcept\b|\bbar (?:the|number|for)\b|חוץ מ|למעט|מלבד", nearest) is not None
    )


def _is_narrow(sentence: str, wide: str) -> bool:
    """Whether *sentence* tells of some only, where *wide* tells of all."""
    is_of_days = re.search(r"\bda(?:y|ily)|always|יום|ה?שבוע|תמיד", wide) is not None
    return HARD_LIMIT.search(sentence) is not None or (is_of_days and bool(days_of(sentence)))


def _is_each(match: re.Match[str], plain: str, told: Sequence[str]) -> bool:
    """ "Each crate", where the source says "a crate"."""
    if match[0].split()[0] not in ("each", "every"):
        return False
    counted = re.findall(r"[a-z]{3,}", plain[match.start() :])[1:3]
    return any(
        re.search(rf"\b(?:an?|per|one|each|every) {noun[:-1]}", line) for noun in counted for line in told
    )


def _is_per(match: re.Match[str], told: Sequence[str]) -> bool:
    """ "For every suite" in Hebrew, where the source says "for a suite"."""
    after = (match["next"] or "").strip(" .,")
    return match[0].startswith("לכל") and any(
        re.search(rf"(?<![א-ת])ל{re.escape(after)}", line) for line in told
    )


def unlimited(said: Sequence[Clause], told: Sequence[Clause]) -> str:
    """A limit left out: what its source allows only so, the statement allows."""
    if _LIMIT.search(canonical(" ".join(clause.text for clause in said))):
        return ""
    limited = [clause for clause in told if clause.words and _is_limited(clause, said)]
    return (
        "limit_dropped"
        if any(_goes_beyond(clause, other, told) for clause in said for other in limited)
        else ""
    )


def _is_limited(clause: Clause, said: Sequence[Clause]) -> bool:
    """Whether *clause* has a limit, or holds up to a number, that the statement leaves out."""
    if HARD_LIMIT.search(canonical(clause.text)):
        return True
    stated = {value for other in said for value in other.values}
    prices = {value for value in clause.values if value.kind in (Kind.PRICE, Kind.TIME)}
    is_other_matter = bool(prices) and not prices & stated
    is_told = bool(prices) and prices <= stated
    if is_other_matter or is_told or (clause.values - prices) & stated:
        return False
    return _is_aged(clause, said)


def _is_aged(clause: Clause, said: Sequence[Clause]) -> bool:
    """Whether *clause* goes up to a number only, and *said* speaks of those whom the number is told of."""
    text = in_digits(canonical(clause.text))
    aged = _AGED.search(text)
    if aged is None:
        return False
    of = telling_words(text[: aged.start()])[-1:]
    return not of or not clause.is_negative or any(overlap(of, other.words) for other in said)


def _goes_beyond(clause: Clause, limited: Clause, told: Sequence[Clause]) -> bool:
    """Whether *clause* speaks of what is *limited*, and not of all that it is limited to."""
    shared = overlap(limited.words, clause.words)
    known = {form for other in told for word in other.words for form in word}
    is_more = any(not word & known for word in clause.words)
    is_subject = is_more and overlap(limited.own_words[:1], clause.words)
    is_gone_on = limited.own_words != limited.words
    if is_gone_on and limited.own_words and not overlap(limited.own_words, clause.words):
        return False
    if clause.is_negative != limited.is_negative or not (
        (shared and 2 * shared >= len(limited.words)) or is_subject
    ):
        return False
    return is_more or shared < len(limited.words)


_MINIMUM_STAY = re.compile(
    r"\b(?:minimum|at least|min)\b[^.;:,]{0,24}?\b(\d+) nights?|(?<![\d.])(\d+)[- ]nights? min(?:imum)?\b"
    r"|(?:מינימום|לפחות)[^.;:,]{0,16}?(\d+) לילות|(?<![\d.])(\d+) לילות (?:לפחות|מינימום)"
)
_ONE_NIGHT = re.compile(r"\b(?:single|one|1|just a) nights?\b|(?<![א-ת])לילה (?:אחד|בודד)(?![א-ת])")


def understayed(statement: str, sources: Sequence[str]) -> str:
    """A single night, where all sources that tell of a shortest stay tell of a longer one."""
    if not _ONE_NIGHT.search(canonical(statement)) or negates(statement):
        return ""
    told = in_digits(canonical("\n".join(sources)))
    is_longer = any(int(next(filter(None, found))) > 1 for found in _MINIMUM_STAY.findall(told))
    return "limit_dropped" if is_longer and _ALLOWS_STAY.search(canonical(statement)) else ""


_ALLOWS_STAY = re.compile(
    r"\b(?:fine|ok|okay|possible|welcome|can|may|allowed|yes)\b|אפשר|ניתן|בסדר|מתאפשר|כן"
)
_ALSO = re.compile(r"\b(?:also|even|including|too)\b|(?<![א-ת])(?:גם|אפילו|כולל)(?![א-ת])")


def also(clause: Clause, told: Sequence[Clause]) -> str:
    """ "Also on Saturdays", where the sources speak of Saturdays only to take them out."""
    plain = canonical(clause.text)
    marked = _ALSO.search(plain)
    if marked is None or clause.is_negative:
        return ""
    named = telling_words(plain[marked.end() :])
    days = clause.days if not named else frozenset()
    others = tuple(word for word in clause.words if word not in named)
    spoken = [
        one
        for one in told
        if days & one.days
        or (
            named
            and overlap(named, one.own_words) == len(named)
            and (not others or overlap(others, one.own_words))
        )
    ]
    return "limit_dropped" if spoken and all(_is_taken_out(one) for one in spoken) else ""


def _is_taken_out(clause: Clause) -> bool:
    return clause.is_negative or HARD_LIMIT.search(canonical(clause.text)) is not None


_AGED = re.compile(
    r"\b(?:under|over|up to|aged?|at most|at least|more than|less than|fewer than|minimum|within"
    r"|older than)\s+\S*\d"
    r"|(?<![א-ת])[בל]?(?:עד|מעל|מתחת|לפחות|מגיל|גיל|בגילאי|תוך|לכל היותר)\s+(?:גיל\s+)?\S*\d"
)


def waived(statement: str, sources: Sequence[str]) -> str:
    """Free of charge, where no source says so."""
    is_told = any(waives(source) or _SPARES.search(canonical(source)) for source in sources)
    return "not_free" if waives(statement) and not is_told else ""


_SPARES = re.compile(
    r"\b(?:includ(?:es?|ing)|exempt|(?:in|part of) the (?:price|rate))\b|(?<![א-ת])(?:כולל|כוללת|כוללים"
    r"|כוללות|פטור|פטורה|פטורים|פטורות)(?![א-ת])"
)


def promised(statement: str, sources: Sequence[str]) -> str:
    """A thing done or to be done that no source tells of."""
    told = frozenset(word for source in sources for word in promises(source))
    return "promise" if promises(statement) - told else ""

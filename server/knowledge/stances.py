"""Whether a thing is so: allowed or forbidden, there or not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.clauses import Clause, Word, clauses, is_of_same_day, overlap, topics
from server.knowledge.limits import HARD_LIMIT
from server.knowledge.reading import canonical, sentences

# So many words in common are no accident.
_SURE = 2


def denied(clause: Clause, sources: Sequence[str]) -> str:
    """Denied what no source denies or limits, or what one affirms more clearly than any denies it."""
    if not clause.is_negative or not clause.words:
        return ""
    words = clause.own_words or clause.words
    refused = affirmed = 0
    for sentence in (one for source in sources for one in sentences(source)):
        told = clauses(sentence)
        shared = overlap(words, tuple(word for one in told for word in one.words))
        if any(map(_refuses, told)) or _OTHERWISE.search(canonical(sentence)):
            refused = max(refused, shared)
        else:
            affirmed = max(affirmed, shared)
    for told in map(clauses, sources):
        alike = max((overlap(words, one.words) for one in told if _refuses(one)), default=0)
        refused = max(refused, alike)
        if alike < len(words) and any(
            is_of_same_day(one, clause) and _affirms_all(one, words) for one in told
        ):
            return "negation_added"
    return "" if refused and refused >= affirmed else "negation_added"


# Who is left over is denied what was said before.
_OTHERWISE = re.compile(r"\botherwise\b|(?<![א-ת])אחרת(?![א-ת])")


def _affirms_all(clause: Clause, words: Sequence[Word]) -> bool:
    return not _refuses(clause) and overlap(tuple(words), clause.words) == len(words)


def _refuses(clause: Clause) -> bool:
    plain = canonical(clause.text)
    return clause.is_negative or HARD_LIMIT.search(plain) is not None or "-free" in plain


def affirmed(clause: Clause, told: Sequence[Clause], titles: frozenset[str]) -> str:
    """Allowed what a source forbids, there what is not."""
    if clause.is_negative or not clause.words:
        return ""
    rivals = [yes for yes in told if not yes.is_negative and yes.words]
    for no in (
        other for other in told if other.is_negative and other.words and is_of_same_day(clause, other)
    ):
        is_gone_on = clause.own_words != clause.words
        if is_gone_on and not overlap(clause.own_words, no.own_words):
            continue
        shared = overlap(no.words, clause.words)
        is_covered = any(
            parts and 4 * overlap(parts, clause.words) >= 3 * len(parts) for parts in (no.own_words, no.words)
        )
        if is_covered and not any(_excuses(yes, no, clause) for yes in rivals):
            return "negation_dropped"
        subject = clause.words[:1]
        is_about_it = 2 * shared >= len(no.words) and overlap(subject, no.words)
        is_titled = shared < _SURE and any(word & titles for word in subject)
        if is_about_it and not is_titled and not any(overlap(subject, yes.words) for yes in rivals):
            return "negation_dropped"
    return ""


def affirmed_across(clause: Clause, told: Sequence[Clause]) -> str:
    """Affirmed in one language what a source denies in another: told by the things that they name."""
    if clause.is_negative:
        return ""
    named = _things(clause)
    denied = [_things(no) for no in told if no.is_negative]
    affirmed = [_things(yes) for yes in told if not yes.is_negative]
    somewhere = frozenset().union(*affirmed)
    is_denied = any(
        names and ((names <= named and not names <= somewhere) or (len(named) > 1 and named <= names))
        for names in denied
    )
    return "negation_dropped" if is_denied and not any(named <= names for names in affirmed) else ""


def denied_across(clause: Clause, told: Sequence[Clause]) -> str:
    """Denied in one language what a source says in another; both by their senses."""
    if not clause.is_negative or len(clause.words) < _SURE:
        return ""
    denying = max((overlap(clause.words, one.words) for one in told if _refuses(one)), default=0)
    is_affirmed = any(is_of_same_day(one, clause) and _affirms_all(one, clause.words) for one in told)
    return "negation_added" if is_affirmed and denying < len(clause.words) else ""


_BINDS = re.compile(
    r"\b(?:must|have to|has to|needs? to|required|mandatory|compulsory|obligatory|we (?:kindly )?ask"
    r"|please|asked to)\b"
    r"|(?<![א-ת])[וש]{0,2}(?:חובה|חייב|חייבת|חייבים|חייבות|צריך|צריכים|נדרש|נדרשת|מבקשים|נא"
    r"|יש ל[א-ת]+)(?![א-ת])"
)
_RELEASES = re.compile(
    r"\b(?:no need|(?:nobody|no one|not|n't|never) (?:has to|have to|needs? to|needed|required|necessary"
    r"|obligatory"
    r"|mandatory|compulsory)|need not|needn't|(?:don't|doesn't|won't|do not|does not) (?:need|have) to"
    r"|optional|nobody needs)\b"
    r"|(?<![א-ת])[וש]{0,2}(?:אין (?:צורך|חובה|חיוב)|לא (?:צריך|צריכים|חובה|חייב|חייבים|נדרש|נדרשת)"
    r"|אינו חובה|אינה חובה)(?![א-ת])"
)


def turned_round(clause: Clause, told: Sequence[Clause]) -> str:
    """Asked for what a source asks of nobody, or the other way round."""
    duty = _duty(clause)
    if not duty or not clause.words:
        return ""
    alike = [one for one in told if _duty(one) and 2 * overlap(clause.words, one.words) >= len(clause.words)]
    return "obligation" if alike and all(_duty(one) != duty for one in alike) else ""


def _duty(clause: Clause) -> str:
    """Whether *clause* ``binds`` the guest or ``releases`` them; empty for neither."""
    plain = canonical(clause.text)
    if _RELEASES.search(plain):
        return "releases"
    return "binds" if _BINDS.search(plain) else ""


_NO_THING = frozenset({"rules", "days", "price", "staff", "house-rules", "opening-hours"})


def _things(clause: Clause) -> frozenset[str]:
    return frozenset(topic.name for topic in topics(clause.text)) - _NO_THING


def unechoed(told: Sequence[Clause], said: Sequence[Clause]) -> list[Clause]:
    """*told* without the denials that the statement repeats as such."""
    denials = [clause for clause in said if clause.is_negative]
    return [
        clause
        for clause in told
        if not clause.is_negative
        or not clause.words
        or any(denial is clause for denial in denials)
        or not any(4 * overlap(clause.words, denial.words) >= 3 * len(clause.words) for denial in denials)
    ]


def _excuses(yes: Clause, no: Clause, clause: Clause) -> bool:
    """Whether what *clause* shares with the denial is said as well where the source affirms."""
    shared = tuple(word for word in no.words if overlap((word,), clause.words))
    is_nearer = _similarity(yes, clause) >= _similarity(no, clause)
    return is_nearer and overlap(shared, yes.words) == len(shared)


def _similarity(one: Clause, other: Clause) -> float:
    """What they share of all that both are about."""
    shared = overlap(one.words, other.words)
    return shared / max(1, len(one.words) + len(other.words) - shared)


def denied_thing(said: Sequence[Clause], told: Sequence[Clause], titles: frozenset[str]) -> str:
    """A thing affirmed that the sources name only where they deny."""
    heard = unechoed(told, said)
    affirmed = titles | {form for yes in told for word in _affirmed_words(yes) for form in word}
    for clause in said:
        if clause.is_negative:
            continue
        denied = {
            form
            for no in told
            if not (no.values and no not in heard)
            if no.is_negative and is_of_same_day(clause, no)
            for word in no.denied
            for form in word
        }
        if any(word & denied and not word & affirmed for word in clause.own_words):
            return "negation_dropped"
    return ""


def _affirmed_words(clause: Clause) -> Sequence[Word]:
    if not clause.is_negative:
        return clause.own_words
    return [word for word in clause.own_words if word not in clause.denied]

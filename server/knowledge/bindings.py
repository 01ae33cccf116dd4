"""A value belongs to a thing and a day: the hours of one are wrong for the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from server.knowledge.claims import Claim, Kind
from server.knowledge.clauses import FREE, Clause, in_senses, is_of_same_day, overlap
from server.knowledge.reading import canonical

# What a value may be bound to; an address or a phone number is unmistakable.
_BOUND = (Kind.TIME, Kind.PRICE, Kind.PERCENT, Kind.NUMBER, Kind.DATE, Kind.WEEKDAY)
_VALUE_WEIGHT = 2
# "Outside the season" is what the source tells of as "otherwise".
OUTSIDE = re.compile(r"\b(?:outside|out of|other than|rest of|other|not|\w+n't)\b|מחוץ ל|שאר|יתר")
_OTHERWISE = re.compile(r"\botherwise\b", re.IGNORECASE)
# So many words in common are no accident.
_SURE = 2

_EXCEPT = re.compile(
    r"\b(?:except|other than|apart from|but not|not on)\b|(?:חוץ מ|למעט|שאינ[םו]|מלבד|ולא ב)"
)
# What is not so any more, or not for these, is compared with, and told of nothing.
_INSTEAD = re.compile(r"\W*(?:instead of|rather than)\b|\W*במקום(?![א-ת])")


def misbound(clause: Clause, told: Sequence[Clause], is_same_language: bool, is_of_rest: bool = False) -> str:
    """Why a value of *clause* is the sources' for another thing or another day; empty if none is.

    Args:
        is_of_rest: the statement tells of what the sources call "otherwise".
    """
    if is_of_rest:
        told = [other for other in told if _OTHERWISE.search(other.text)] or told
    # A name that stands in both languages must not decide.
    clause = clause._replace(words=clause.own_words) if is_same_language else in_senses(clause)
    if not is_same_language and FREE not in clause.values:
        # Of another language too few words are known to tell that something is free from what it costs.
        told = [other._replace(readings=other.readings - {FREE}) for other in told]
    faults = (_misbound_value(value, clause, told) for value in sorted(clause.values))
    return next(filter(None, faults), "") or _misbound_range(clause, told)


def _misbound_value(value: Claim, clause: Clause, told: Sequence[Clause]) -> str:
    if not _is_bound(value, clause):
        return ""
    if value.kind is Kind.WEEKDAY and _EXCEPT.search(canonical(clause.text)):
        return "" if any(value.value in other.days for other in told) else "other_day"
    rivals = [other for other in told if _tells_of(other, value.kind)]
    holders = [other for other in rivals if _holds(other, value)]
    if value.kind is Kind.TIME:
        # An hour in so many words comes before one that may be meant.
        holders = [other for other in holders if value in other.values] or holders
    if not holders:
        return _other_day(value, clause, rivals, told)
    holders = [other for other in holders if is_of_same_day(clause, other)]
    if value.kind is Kind.WEEKDAY:
        rivals = [other for other in rivals if other.is_negative == clause.is_negative]
        holders = [other for other in holders if other.is_negative == clause.is_negative]
    if not holders:
        return "other_day"
    best = max(holders, key=lambda other: _likeness(clause, other, value))
    is_nearer_another = any(
        _is_nearer(other, best, clause, value)
        for other in rivals
        if other not in holders
        and _is_rival(other, value)
        and not _is_said_too(other, value, clause)
        and (value.kind is Kind.WEEKDAY or is_of_same_day(clause, other))
    )
    return "other_thing" if is_nearer_another or _is_of_another(value, clause, best, told) else ""


def _is_of_another(value: Claim, clause: Clause, holder: Clause, told: Sequence[Clause]) -> bool:
    """Whether *clause* gives a price to what the source tells of elsewhere, and to nothing of what has it."""
    if value.kind is not Kind.PRICE or len(clause.words) < _SURE or not holder.words:
        return False
    titles = _common(told)
    words = tuple(word for word in clause.words if not word & titles)
    others = (other for other in told if not _holds(other, value) and not other.is_negative)
    return (
        len(words) >= _SURE
        and not overlap(words, holder.words)
        and any(overlap(words, other.words) == len(words) for other in others)
    )


def _common(told: Sequence[Clause]) -> frozenset[str]:
    """What all clauses of a source are about, as its title names it."""
    shared = [frozenset(form for word in clause.words for form in word) for clause in told]
    return frozenset.intersection(*shared) if shared else frozenset()


def _is_bound(value: Claim, clause: Clause) -> bool:
    if value.kind is Kind.WEEKDAY and value.value not in clause.days:
        return False
    plain = canonical(clause.text)
    is_exception = _EXCEPT.search(plain) is not None
    return value.kind in _BOUND and not (is_exception and value == FREE) and not _INSTEAD.match(plain)


def _other_day(value: Claim, clause: Clause, rivals: Sequence[Clause], told: Sequence[Clause]) -> str:
    """A day that the guest asked for, where the sources tell of other days."""
    if value.kind is not Kind.WEEKDAY or any(_OTHER_DAYS.search(canonical(other.text)) for other in told):
        return ""
    is_otherwise = any(
        other.days
        and not other.is_negative
        and value.value not in other.days
        and overlap(clause.words, other.words)
        for other in rivals
    )
    return "other_day" if is_otherwise else ""


def _misbound_range(clause: Clause, told: Sequence[Clause]) -> str:
    """The beginning of one span with the end of another: "08:00 to 20:00" of two shifts."""
    times = _times(clause)
    if len(times) < 2 or any(times <= other.values for other in told):
        return ""
    is_span = any(len(_times(other)) > 1 and times & other.values for other in told)
    return "other_range" if is_span else ""


def _times(clause: Clause) -> set[Claim]:
    return {value for value in clause.values if value.kind is Kind.TIME}


_OTHER_DAYS = re.compile(
    r"\b(?:other days|otherwise|daily|every day|any day|all week)\b|(?:שאר|יתר) (?:ה)?ימים|כל יום"
)


def _days(clause: Clause) -> frozenset[Claim]:
    return frozenset(value for value in clause.values if value.kind is Kind.WEEKDAY)


def _is_said_too(other: Clause, value: Claim, clause: Clause) -> bool:
    """Whether *clause* has all that *other* holds of the kind of *value*: it may tell of both."""
    alike = {also for also in other.values if also.kind is value.kind}
    if value.kind is Kind.PRICE and not alike:
        return other.amounts <= {claim.value.split()[0] for claim in clause.values} | clause.amounts
    return value.kind is not Kind.WEEKDAY and alike <= clause.values


def _is_rival(clause: Clause, value: Claim) -> bool:
    """Whether *clause* counts something itself, where *value* is a number: a price does not."""
    return value.kind is not Kind.NUMBER or any(
        also.kind is Kind.NUMBER and also.value[0].isdigit() for also in clause.values
    )


def _tells_of(clause: Clause, kind: Kind) -> bool:
    is_priced = kind is Kind.PRICE and bool(clause.amounts)
    return is_priced or any(also.kind is kind for also in clause.readings)


def _holds(clause: Clause, value: Claim) -> bool:
    if value.kind is Kind.WEEKDAY:
        return value.value in clause.days or value in clause.readings
    amount = value.value.split()[0]
    is_bare_price = value.kind is Kind.PRICE and amount in clause.amounts
    is_of_price = value.kind is Kind.NUMBER and any(
        price.kind is Kind.PRICE and price.value.split()[0] == amount for price in clause.values
    )
    return is_bare_price or is_of_price or value in clause.readings


def _is_nearer(rival: Clause, holder: Clause, clause: Clause, value: Claim) -> bool:
    """Whether *clause* is more about *rival* than *holder*; of two alike, what is all in it is nearer."""
    ahead = _likeness(clause, rival, value) - _likeness(clause, holder, value)
    shared = [word for word in rival.own_words if overlap((word,), clause.words)]
    has_more = any(not overlap((word,), holder.words) for word in shared)
    is_whole = bool(shared) and len(shared) == len(rival.own_words)
    is_holder_whole = overlap(holder.own_words, clause.words) == len(holder.own_words)
    return ahead > 0 or (ahead == 0 and is_whole and has_more and not is_holder_whole)


def _likeness(clause: Clause, other: Clause, value: Claim) -> int:
    shared = sum(
        _VALUE_WEIGHT for also in clause.values if also.kind is not value.kind and also in other.values
    )
    is_of_day = value.kind is not Kind.WEEKDAY and bool(clause.days & other.days)
    return overlap(clause.words, other.words) + shared + is_of_day

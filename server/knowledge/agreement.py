"""Whether what a statement says of a thing is what its sources say of that thing.

Numbers that stand in a source are not enough: the price of one thing is wrong for another, the hours of one
day for the next. Statement and sources are cut into clauses and laid side by side. What two languages make
of one thing can be compared by their values and concepts alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from server.domain.language import detect_language
from server.knowledge.bindings import OUTSIDE, misbound
from server.knowledge.clauses import Clause, all_forms, clauses, in_senses
from server.knowledge.crossings import crossed
from server.knowledge.limits import also, promised, understayed, unlimited, waived, widened
from server.knowledge.measures import other_basis, other_unit
from server.knowledge.opposites import opposed
from server.knowledge.policies import permits
from server.knowledge.reading import canonical
from server.knowledge.stances import (
    affirmed,
    affirmed_across,
    denied,
    denied_across,
    denied_thing,
    turned_round,
    unechoed,
)
from server.knowledge.things import invented, moved, speaks_of_other


@dataclass(frozen=True)
class Source:
    """What a statement cites. A ``title`` names what its ``body`` is about, and states nothing."""

    title: str
    body: str


def disagreement(
    statement: str, sources: Sequence[Source], known: Sequence[str], asked: Sequence[str]
) -> str:
    """Why *statement* is not what *sources* say, as a short code; empty if nothing speaks against it.

    Args:
        known: what else may be spoken of: the business's facts, and what the desk said.
        asked: the guest's words, which may be used.
    """
    bodies = [source.body for source in sources]
    texts = [*(f"{source.title}\n{source.body}" for source in sources), *known]
    said = clauses(statement)
    told = tuple(clause for body in bodies for clause in clauses(body))
    if _CONDITION.search(canonical(statement)):
        told = tuple(_as_condition(clause) for clause in told)
    titled = tuple(clause for source in sources for clause in _under_title(source))
    titles = frozenset[str]().union(*(all_forms(source.title) for source in sources))
    if any(all(is_quoted(part, body) for part in _SENTENCE_END.split(statement)) for body in bodies):
        return ""
    is_same_language = detect_language(statement) == _language("\n".join(bodies))
    is_of_rest = OUTSIDE.search(canonical(statement)) is not None
    faults: list[Callable[[], str]] = [
        lambda: promised(statement, texts),
        lambda: waived(statement, texts),
        lambda: widened(statement, texts, is_same_language),
        lambda: other_basis(statement, bodies),
        lambda: other_unit(statement, bodies),
        lambda: opposed(said, told),
        lambda: understayed(statement, bodies),
        lambda: _first(also(clause, told) for clause in said),
        lambda: _first(misbound(clause, titled, is_same_language, is_of_rest) for clause in said),
        lambda: crossed(statement, bodies, by_senses=not is_same_language),
    ]
    if is_same_language:
        faults += [
            lambda: _first(denied(clause, bodies) for clause in said),
            lambda: _first(affirmed(clause, unechoed(told, said), titles) for clause in said),
            lambda: denied_thing(said, told, titles),
            lambda: unlimited(said, told),
            lambda: _first(turned_round(clause, told) for clause in said),
            lambda: moved(statement, texts),
            lambda: invented(said, texts, asked),
        ]
    else:
        told_senses = tuple(map(in_senses, told))
        faults += [
            lambda: "unheard_of" if speaks_of_other(statement, texts) else "",
            lambda: _first(affirmed_across(clause, told) for clause in said),
            lambda: unlimited(tuple(map(in_senses, said)), told_senses),
            lambda: _first(denied_across(in_senses(clause), told_senses) for clause in said),
            lambda: _first(turned_round(in_senses(clause), told_senses) for clause in said),
            lambda: _first(
                affirmed(
                    in_senses(clause), _sure(unechoed(told, said), 1 + (not permits(clause.text))), titles
                )
                for clause in said
            ),
        ]
    return _first(fault() for fault in faults)


def is_quoted(statement: str, body: str) -> bool:
    """Whether *statement* is whole sentences of *body*, word for word."""
    said = _WORDS.findall(canonical(statement))
    told = _sentence_words(body)
    for start in range(len(told) if said else 0):
        run: list[str] = []
        for sentence in told[start:]:
            run += sentence
            if len(run) >= len(said):
                break
        if run == said:
            return True
    return False


@lru_cache(maxsize=500)
def _sentence_words(body: str) -> Sequence[Sequence[str]]:
    return [_WORDS.findall(canonical(sentence)) for sentence in _SENTENCE_END.split(body)]


def _sure(told: Iterable[Clause], senses: int) -> list[Clause]:
    """*told* by its senses; what denies by fewer than so many says too little of what is denied."""
    meant = map(in_senses, told)
    return [clause for clause in meant if not clause.is_negative or len(clause.words) >= senses]


_language = lru_cache(maxsize=1000)(detect_language)
_CONDITION = re.compile(
    r"\b(?:if|when|unless|once|provided|as long as)\b|(?<![א-ת])(?:אם|כש[א-ת]+|רק|אלא)(?![א-ת])"
)
_UNLESS = re.compile(r"\bunless\b|אלא אם")


def _as_condition(clause: Clause) -> Clause:
    """ "Not unless you pay" says the same as "if you pay"."""
    return clause._replace(is_negative=False) if _UNLESS.search(canonical(clause.text)) else clause


_WORDS = re.compile(r"[^\W_]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…;])\s+|\n+")


@lru_cache(maxsize=500)
def _under_title(source: Source) -> Sequence[Clause]:
    """The clauses of *source*, each about what its title names, if that is one thing."""
    is_one_thing = _SEVERAL.search(source.title) is None
    named = [word for one in clauses(source.title) for word in one.words if is_one_thing]
    return tuple(clause._replace(words=(*clause.words, *named)) for clause in clauses(source.body))


_SEVERAL = re.compile(r"\b(?:and|or)\b|[,/&]|(?<![א-ת])ו(?=[א-ת]{3})")


def _first(faults: Iterable[str]) -> str:
    return next(filter(None, faults), "")

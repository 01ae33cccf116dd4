"""The things that guests ask about, each with the words for it in English and Hebrew.

A question and a document that name the same concept match though they share no word: across languages, and
where one says "dog" and the other "pets". `concepts.tsv` has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from server.knowledge.words import forms, words

_LONGEST_TERM = 3
_ARTICLE = "ה"

# A term as the base form of each of its words.
_Key = tuple[str, ...]


def concept_terms(text: str) -> Sequence[Sequence[str]]:
    """The concepts that *text* names, as terms of a `LexicalIndex`: each itself, then all that it belongs to.

    A longer term hides the shorter ones within it: a "swimming pool table" is no pool.
    """
    return [
        (_itself(concept), *(_within(one) for one in (concept, *_all_broader(concept))))
        for concept in _named(text)
    ]


def asked_concepts(question: str) -> Sequence[Sequence[str]]:
    """The concepts that *question* names, to be looked up among ``concept_terms``.

    A question about pets finds what is told of dogs; one about a babysitter finds, if nothing is told of
    that, what is told of children in general, but not of cots.
    """
    return [
        (_within(concept), *(_itself(one) for one in _all_broader(concept))) for concept in _named(question)
    ]


def _itself(concept: str) -> str:
    return f"={concept}"


def _within(concept: str) -> str:
    """The concept or anything that belongs to it."""
    return f"<{concept}"


def _named(text: str) -> list[str]:
    said = words(text)
    found: list[str] = []
    start = 0
    while start < len(said):
        length, concepts = _longest_at(said, start)
        found += concepts
        start += length
    return found


def _longest_at(said: Sequence[str], start: int) -> tuple[int, Sequence[str]]:
    """The longest term at a place: in how many words, and the concepts it names."""
    lexicon = _lexicon()
    for length in range(min(_LONGEST_TERM, len(said) - start), 0, -1):
        for key in _keys(said[start : start + length]):
            if key in lexicon:
                return length, lexicon[key]
    return 1, ()


def _keys(term: Sequence[str]) -> Iterator[_Key]:
    """The base forms of a term's words: of the first any, of the others one."""
    if len(term) == 1:
        for form in forms(term[0]):
            yield (form,)
        return
    rest = tuple(_plain(word) for word in term[1:])
    for form in forms(term[0]):
        yield (form, *rest)


def _plain(word: str) -> str:
    """A word within a term: its ending is part of the term, the article that Hebrew puts there is not."""
    return forms(word)[0].removeprefix(_ARTICLE)


@cache
def _all_broader(concept: str) -> Sequence[str]:
    """What *concept* belongs to, the nearest first."""
    broader = _broader()
    found = [concept]
    for one in found:
        found += [more for more in broader[one] if more not in found]
    return tuple(found[1:])


@cache
def _rows() -> Sequence[tuple[str, Sequence[str], Sequence[str]]]:
    """Each concept's id, those it belongs to, and its terms."""
    text = files(__package__).joinpath("concepts.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [
        (name, broader.split(), [term for term in f"{english}|{hebrew}".split("|") if term.strip()])
        for name, broader, english, hebrew in rows
    ]


@cache
def _broader() -> Mapping[str, Sequence[str]]:
    return {name: broader for name, broader, _ in _rows()}


@cache
def _lexicon() -> Mapping[_Key, Sequence[str]]:
    found: dict[_Key, list[str]] = defaultdict(list)
    for name, _, terms in _rows():
        for term in terms:
            said = words(term)
            # Under each form of its first word: prefixes of the others are part of the term.
            for key in {(*first, *(_plain(word) for word in said[1:])) for first in _first_forms(said)}:
                if name not in found[key]:
                    found[key].append(name)
    return found


def _first_forms(said: Sequence[str]) -> Iterator[tuple[str]]:
    yield from ((form,) for form in forms(said[0])[:1]) if said else ()

"""Two things that changed places: "the terrace can be booked, the hall cannot" for the other way round.

Each word may well stand in the source, and each number too; what is wrong is what stands beside what. A text
is cut into its smallest pieces. A statement is crossed if one piece of it takes part of one piece of the
source and part of another, while a second piece of the statement takes what the first one left of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from server.knowledge.claims import Kind, claims
from server.knowledge.clauses import FREE, Word, telling_words
from server.knowledge.policies import negates, waives
from server.knowledge.reading import sentences

_CUTS = re.compile(
    r";|:(?=\s)|,(?=\s)|\s[-–—]\s|\b(?:and|but|or|while|whereas|however|otherwise|instead)\b"
    r"|(?<![א-ת])(?:אבל|אך|אולם|ואילו|או)(?![א-ת])|\s(?=ו[א-ת\d-])",
    re.IGNORECASE,
)
# Where "and" joins things of one kind.
_WIDE_CUTS = re.compile(
    r";|:(?=\s)|,(?=\s)|\s[-–—]\s|\b(?:but|while|whereas|however|otherwise)\b|(?<![א-ת])(?:אבל|אך|אולם|ואילו)(?![א-ת])",
    re.IGNORECASE,
)
# Words that tell little by themselves, and much beside one another.
_NAMED = tuple(
    (name, re.compile(rf"\b(?:{english})\b|(?<![א-ת])[בהול]{{0,2}}(?:{hebrew})(?![א-ת])", re.IGNORECASE))
    for name, english, hebrew in (
        ("=others", "others?|rest|else|otherwise", "אחרים|אחרות|שאר|יתר"),
        ("=morning", "mornings?", "בוקר"),
        ("=evening", "evenings?|nights?", "ערב|לילה"),
        ("=before", "before|until", "לפני|עד"),
        ("=after", "after|from", "אחרי|לאחר"),
    )
)
_FEWEST = 2
_DENIED: Word = frozenset({"no"})
_AFFIRMED: Word = frozenset({"yes"})


class Piece(NamedTuple):
    """The smallest part of a sentence: its words, its values among them, and whether it denies.

    ``forms`` are all forms of its words; ``place`` is that of its sentence.
    """

    words: tuple[Word, ...]
    is_negative: bool
    forms: frozenset[str] = frozenset()
    place: int = 0


def crossed(statement: str, sources: Sequence[str], *, by_senses: bool) -> str:
    """Why what *statement* tells of several things is not told so in *sources*; empty if it may be."""
    cuts = (cut for cut in (_CUTS, _WIDE_CUTS) if cut.search(statement))
    return next(filter(None, (_crossed(statement, sources, cut, by_senses) for cut in cuts)), "")


def _crossed(statement: str, sources: Sequence[str], cut: re.Pattern[str], by_senses: bool) -> str:
    """Why the parts of *statement* are not together in *sources* as they are in it; empty if they may be.

    Args:
        by_senses: words are compared by their senses alone, as those of two languages must be.
    """
    said = _all_pieces([statement], cut, by_senses)
    if len(said) < _FEWEST:
        return ""
    told = _all_pieces(sources, cut, by_senses)
    touched = [
        [piece for piece in told if piece.forms & one.forms or _is_denial(piece, told)] for one in said
    ]
    for (one, of_one), (other, of_other) in permutations(zip(said, touched, strict=True), 2):
        shared = [piece for piece in of_one if any(piece is also for also in of_other)]
        for first, second in permutations(shared, 2):
            is_near = abs(first.place - second.place) <= 1
            if is_near and _swaps(one, other, first, second) and not _is_told(one, first, second, told):
                return "crossed"
    return ""


def _all_pieces(texts: Sequence[str], cut: re.Pattern[str], by_senses: bool) -> list[Piece]:
    lines = (sentence for text in texts for sentence in sentences(text))
    return [
        piece._replace(place=place)
        for place, line in enumerate(lines)
        for piece in _pieces(line, cut, by_senses)
    ]


def _is_denial(piece: Piece, told: Sequence[Piece]) -> bool:
    """Whether *piece* denies what another of its sentence affirms, or the other way round."""
    return any(one.place == piece.place and one.is_negative is not piece.is_negative for one in told)


def _swaps(one: Piece, other: Piece, first: Piece, second: Piece) -> bool:
    """Whether *one* is of *first* and *second*, and *other* of what is left of both."""
    mixed = _only(one, first, second, other), _only(one, second, first, other)
    if not all(mixed) or all(map(_is_value, mixed[0] + mixed[1])):
        return False
    left = _only(other, first, second, one), _only(other, second, first, one)
    is_of_values = all(map(_is_value, other.words)) and any(map(_is_value, mixed[0] + mixed[1]))
    return all(left) or (is_of_values and any(left))


def _only(said: Piece, told: Piece, besides: Piece, beside: Piece) -> list[Word]:
    """What *said* alone, without *beside*, shares with *told* alone, without *besides*."""
    elsewhere = besides.forms | beside.forms
    words = [word for word in said.words if word & told.forms and not word & elsewhere]
    is_opposed = told.place == besides.place and told.is_negative is not besides.is_negative
    if is_opposed and said.is_negative is told.is_negative is not beside.is_negative:
        words.append(_DENIED if said.is_negative else _AFFIRMED)
    return words


def _is_value(word: Word) -> bool:
    return any(form[0] == "@" for form in word)


def _is_told(one: Piece, first: Piece, second: Piece, told: Sequence[Piece]) -> bool:
    """Whether a piece of the source holds more of *one* than either of the two that it would mix up."""
    most = max(_held(one, first), _held(one, second))
    return any(_held(one, piece) > most for piece in told)


def _held(one: Piece, other: Piece) -> int:
    return sum(not word.isdisjoint(other.forms) for word in one.words)


@lru_cache(maxsize=1_000)
def _pieces(sentence: str, cut: re.Pattern[str], by_senses: bool) -> Sequence[Piece]:
    named = _NAMED_FIRST.match(sentence)
    heading = _words(named[1], by_senses) if named else ()
    found: list[tuple[Sequence[Word], bool]] = []
    for part in cut.split(sentence[named.end() :] if named else sentence):
        words = _words(part, by_senses)
        if found and words and all(map(_is_value, words)) and not _are_priced(found[-1][0], words):
            found[-1] = ((*found[-1][0], *words), found[-1][1])
        elif words:
            found.append(((*heading, *words), negates(part)))
    return tuple(Piece(tuple(words), no, frozenset[str]().union(*words)) for words, no in found)


# "Cane bungalow: fan, cold shower": all of it is told of that bungalow.
_NAMED_FIRST = re.compile(r"\W*([^-:.,;?()]{2,40}):\s")


def _are_priced(one: Sequence[Word], other: Sequence[Word]) -> bool:
    """Whether both name a price: the second is another thing's."""
    return all(any(form.startswith(_PRICED) for word in words for form in word) for words in (one, other))


_PRICED = f"@{Kind.PRICE}"


def _words(part: str, by_senses: bool) -> Sequence[Word]:
    words = telling_words(part)
    if by_senses:
        words = tuple(_senses(words))
    values = claims(part) | ({FREE} if waives(part) else frozenset())
    told = sorted(claim for claim in values if claim.kind is not Kind.WEEKDAY)
    named = (frozenset({name}) for name, pattern in _NAMED if pattern.search(part))
    words = (*words, *named)
    return (*words, *(frozenset({f"@{claim.kind}:{claim.value}"}) for claim in told))


def _senses(words: Sequence[Word]) -> Iterator[Word]:
    for word in words:
        meant = frozenset(form for form in word if form[0] == "=")
        if meant:
            yield meant

"""What a question's terms and those of each of a set of texts have in common."""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.knowledge.words import content_words, forms, letter_runs

_K1 = 1.2
_B = 0.6

# A text as terms, each given by its possible forms with the most specific first.
Terms = Callable[[str], Sequence[Sequence[str]]]


def word_terms(text: str) -> Sequence[Sequence[str]]:
    """The content words with their base forms."""
    return [forms(word) for word in content_words(text)]


def letter_terms(text: str) -> Sequence[Sequence[str]]:
    """Runs of letters, each its own only form."""
    return [(run,) for run in letter_runs(text)]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a question and each text have in common; a row for each text.

    ``of_question`` is the BM25 weight of the question's terms in the text, as a share of their whole
    weight: about 0 to 1, more where a rare term is repeated. A term that no text has weighs most: what the
    business never speaks of lowers all. ``of_text`` is the share of the text's own terms, by rarity, that
    the question has, 0 to 1: "bike parking" is less about a question that names parking than "parking" is.
    """

    of_question: NDArray[np.float32]
    of_text: NDArray[np.float32]


class LexicalIndex:
    """An inverted index over the texts of one business.

    The texts of all terms stand in one array, a term's after those of the term before: a tenth of what as
    many small arrays would take.
    """

    def __init__(self, texts: Sequence[str], terms: Terms, asked: Terms | None = None) -> None:
        """Args:
        terms: of a text.
        asked: of a question, where they are not the same.
        """
        self._size = len(texts)
        self._asked = asked or terms
        self._rows: dict[str, int] = {}
        read = _Occurrences()
        for place, text in enumerate(texts):
            self._read(place, terms(text), read)
        self._starts, self._texts, counts = read.by_row(len(self._rows))
        lengths = np.array(read.lengths, dtype=np.float32)
        norms = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        self._weights = (counts * (_K1 + 1) / (counts + norms[self._texts])).astype(np.float32)
        own = np.bincount(
            read.own_places, [self._rarity(row) for row in read.own_rows], minlength=self._size
        ).astype(np.float32)
        self._own_weights = np.where(own > 0, own, 1)

    def compare(self, question: str) -> Overlap:
        """*question* with each text."""
        of_question = np.zeros(self._size, dtype=np.float32)
        of_text = np.zeros(self._size, dtype=np.float32)
        total = 0.0
        for form in dict.fromkeys(self._known_form(term) for term in self._asked(question)):
            row = self._rows.get(form)
            rarity = self._rarity(row)
            total += rarity
            if row is not None:
                posting = slice(self._starts[row], self._starts[row + 1])
                texts = self._texts[posting]
                of_question[texts] += np.float32(rarity) * self._weights[posting]
                of_text[texts] += np.float32(rarity)
        if total:
            of_question /= np.float32(total)
        return Overlap(of_question, np.minimum(of_text / self._own_weights, 1))

    def _read(self, place: int, terms: Sequence[Sequence[str]], read: _Occurrences) -> None:
        read.lengths.append(len(terms))
        for form, count in Counter(form for term in terms for form in term).items():
            # The same words stand in most indexes.
            read.add(self._rows.setdefault(sys.intern(form), len(self._rows)), place, count)
        for form in {term[0] for term in terms}:
            read.add_own(self._rows[form], place)

    def _known_form(self, term: Sequence[str]) -> str:
        return next((form for form in term if form in self._rows), term[0])

    def _rarity(self, row: int | None) -> float:
        texts = 0 if row is None else int(self._starts[row + 1] - self._starts[row])
        return math.log(1 + (self._size - texts + 0.5) / (texts + 0.5))


class _Occurrences:
    """Which term stands in which text how often, in the order of reading; and each text's own terms."""

    def __init__(self) -> None:
        self.lengths = array("i")
        self._rows, self._places, self._counts = array("i"), array("i"), array("i")
        self.own_rows, self.own_places = array("i"), array("i")

    def add(self, row: int, place: int, count: int) -> None:
        """A form of a term."""
        self._rows.append(row)
        self._places.append(place)
        self._counts.append(count)

    def add_own(self, row: int, place: int) -> None:
        """A term as the text has it."""
        self.own_rows.append(row)
        self.own_places.append(place)

    def by_row(self, rows: int) -> tuple[NDArray[np.intp], NDArray[np.intc], NDArray[np.float32]]:
        """Where each row starts, and the end; the texts and counts, row after row."""
        row = np.array(self._rows, dtype=np.intc)
        order = np.argsort(row, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
        texts = np.array(self._places, dtype=np.intc)[order]
        return starts, texts, np.array(self._counts, dtype=np.float32)[order]

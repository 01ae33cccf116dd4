"""How well a question's words cover each of a set of texts (BM25, scaled to what could be reached)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
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
class _Posting:
    """The places of the texts that have a term, and its weight in each."""

    texts: NDArray[np.intp]
    weights: NDArray[np.float32]


class LexicalIndex:
    """An inverted index over the texts of one business."""

    def __init__(self, texts: Sequence[str], terms: Terms) -> None:
        self._size = len(texts)
        self._terms = terms
        split = [terms(text) for text in texts]
        lengths = np.array([len(text) for text in split], dtype=np.float32)
        self._norms = (_K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))).astype(np.float32)
        self._postings = self._make_postings(split)

    def coverage(self, question: str) -> NDArray[np.float32]:
        """For each text the BM25 weight of the question's terms in it, as a share of their whole weight.

        About 0 to 1; more where a rare term is repeated. A term that no text has weighs most: what the
        business never speaks of lowers all scores.
        """
        scores = np.zeros(self._size, dtype=np.float32)
        total = 0.0
        for term in dict.fromkeys(self._known_form(term) for term in self._terms(question)):
            posting = self._postings.get(term)
            rarity = self._rarity(len(posting.texts) if posting else 0)
            total += rarity
            if posting:
                scores[posting.texts] += np.float32(rarity) * posting.weights
        return scores / np.float32(total) if total else scores

    def _known_form(self, term: Sequence[str]) -> str:
        return next((form for form in term if form in self._postings), term[0])

    def _rarity(self, texts: int) -> float:
        return math.log(1 + (self._size - texts + 0.5) / (texts + 0.5))

    def _make_postings(self, split: Sequence[Sequence[Sequence[str]]]) -> dict[str, _Posting]:
        counts: dict[str, dict[int, int]] = defaultdict(dict)
        for place, text in enumerate(split):
            for form, count in Counter(form for term in text for form in term).items():
                counts[form][place] = count
        return {form: self._posting(places) for form, places in counts.items()}

    def _posting(self, places: Mapping[int, int]) -> _Posting:
        texts = np.fromiter(places.keys(), dtype=np.intp)
        count = np.fromiter(places.values(), dtype=np.float32)
        return _Posting(texts, count * np.float32(_K1 + 1) / (count + self._norms[texts]))

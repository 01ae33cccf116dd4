"""Words that tell the same of a thing, in other words or another language: "lift", "elevator", "מעלית".

`synonyms.tsv` has them. What guests look for stands in `concepts.tsv`; these are the words to tell of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from server.knowledge.words import forms, words


def senses(word: str) -> frozenset[str]:
    """What *word* (of ``words``) may mean, as ids behind an equals sign; empty if it is in no row."""
    by_form = _senses()
    return by_form[word] if word in by_form else _of_forms(word, by_form)


def _of_forms(word: str, by_form: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return next((by_form[form] for form in forms(word) if form in by_form), frozenset())


@cache
def _senses() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    text = files(__package__).joinpath("synonyms.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, english, hebrew = line.split("\t")
        for term in f"{english} {hebrew}".split():
            for word in words(term):
                found[word].add(f"={name}")
                if word.isascii():
                    found[forms(word)[0]].add(f"={name}")
    return {word: frozenset(names) for word, names in found.items()}

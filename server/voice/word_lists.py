"""Lists of words as they stand in the modules: separated by white space, so that they can be read."""

from __future__ import annotations


def word_list(text: str) -> list[str]:
    """The words of *text*, in their order."""
    return text.split()


def word_set(text: str) -> frozenset[str]:
    """The words of *text*."""
    return frozenset(text.split())


def phrase_set(text: str) -> frozenset[str]:
    """The phrases of *text*, which a bar separates."""
    return frozenset(" ".join(phrase.split()) for phrase in text.split("|"))

"""Which words make the gate look twice, and what may still become one of them.

A half-written word may be shown only if no such word begins like it: "Hel" may, "thr" may not.
"""

from __future__ import annotations

import re
from functools import cache

from server.conversation.leaks import MACHINERY
from server.knowledge import claims, policies
from server.knowledge.numerals import NUMBER_WORDS
from server.knowledge.reading import canonical

_LETTERS = re.compile(r"[a-z]+|[א-ת]+")
_ESCAPES = re.compile(r"\\.|\(\?P?<?[a-z!=]*>?|\[[^\]]*\]")
_OPTIONAL_LETTER = re.compile(r"([a-zא-ת]+)([a-zא-ת])\?")
# What patterns for numbers and days hold that makes nothing to be looked at by itself.
_HARMLESS = frozenset(["the", "in", "per", "for", "of", "rs", "clock"])
# They begin what is looked for, and are nothing without the words after them.
_NEVER_LAST = frozenset(
    [
        "there",
        "we",
        "you",
        "guests",
        "i",
        "as",
        "an",
        "my",
        "been",
        "the",
        "language",
        "system",
        "initial",
        "original",
        "hidden",
        "internal",
        "developer",
        "function",
        "stack",
        "knowledge",
    ]
)
_HEBREW_PREFIXES = "ושהבלמכ"
# From so many letters on, a word that goes on after a wary one is watched too: "refund", "refundable".
_STEM_LETTERS = 4
# What "n't" may follow that is no wary word itself.
_BEFORE_NOT = (
    "does",
    "did",
    "could",
    "would",
    "should",
    "has",
    "have",
    "had",
    "was",
    "were",
    "must",
    "might",
)
# Marks within a word: of an abbreviation, of a contraction.
_WITHIN = frozenset("'\"׳״’")
_PLAIN = frozenset(" \n,.;!?…-–—־()'\"׳״’‘“”")


def is_plain(character: str) -> bool:
    """Whether *character* alone gives no reason to look twice: a letter, or common punctuation."""
    return character.isalpha() or character in _PLAIN


def is_of_word(character: str) -> bool:
    """Whether *character* goes on with a word; marks that are seen only together with a letter do."""
    return character.isalpha() or character in _WITHIN or not canonical(character)


def states_word(word: str) -> bool:
    """Whether a whole *word* is one that claims are made of, or in a script that is not checked."""
    plain = canonical(word)
    is_foreign = not plain.isascii() and _LETTERS.fullmatch(plain) is None
    return is_foreign or any(form in _claim_words() for form in _without_prefixes(plain))


def may_become_wary(word: str) -> bool:
    """Whether a word that begins as *word* could be one to look at twice."""
    plain = canonical(word)
    if _LETTERS.fullmatch(plain) is None:
        return True
    prefixes, stems = _prefixes(), _stems()
    return any(
        form in prefixes or any(form[:end] in stems for end in range(_STEM_LETTERS, len(form) + 1))
        for form in _without_prefixes(plain)
    )


def _without_prefixes(word: str) -> list[str]:
    """A Hebrew *word* with up to two of its prefixed letters taken off; any other as it is."""
    forms = [word]
    while len(forms) < 3 and forms[-1] and forms[-1][0] in _HEBREW_PREFIXES:
        forms.append(forms[-1][1:])
    return forms


@cache
def _claim_words() -> frozenset[str]:
    worded = {word for word in _literals(claims.WORDED) if len(word) > 2} - _HARMLESS
    return NUMBER_WORDS | worded


@cache
def _watched() -> frozenset[str]:
    ruling = _literals((*policies.WORDED, MACHINERY.pattern)) - _NEVER_LAST
    return _claim_words() | ruling | frozenset(_BEFORE_NOT)


@cache
def _stems() -> frozenset[str]:
    return frozenset(word for word in _watched() if len(word) >= _STEM_LETTERS)


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(word[:end] for word in _watched() for end in range(len(word) + 1))


def _literals(patterns: tuple[str, ...]) -> frozenset[str]:
    """The words that stand in regular expressions, with and without a last letter that may be missing."""
    plain = [_ESCAPES.sub(" ", pattern) for pattern in patterns]
    spelled = [_OPTIONAL_LETTER.sub(r" \1 \1\2 ", pattern) for pattern in plain]
    return frozenset(word for pattern in spelled for word in _LETTERS.findall(pattern))

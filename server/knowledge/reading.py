"""Texts as they are compared with one another: one spelling for what looks the same to a reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_UNUSUAL = re.compile(r"[^\x00-\x7fא-ת]")
# Vowel points, enclosing marks and invisible characters change nothing that a reader takes in.
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
_DASHES = frozenset("‐‑‒–—―−־")
_QUOTES = {"’": "'", "‘": "'", "׳": "'", "“": '"', "”": '"', "״": '"'}
# "10 p.m. to 7 a.m." is one sentence.
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?!(?<=\b[ap]\.m\.)\s+[a-z])\s+|\n+")
_WORD = re.compile(r"[^\W_]+")
# What is longer comes once; what is shorter is read again and again, and must not be remembered without end.
_REMEMBERED_CHARS = 2_000


def canonical(text: str) -> str:
    """*text* in lower case with plain digits, dashes, quotes and spaces, without marks that cannot be seen.

    Compatible forms become what they stand for (``１２``, ``①``, ``½`` and Arabic digits become ASCII).
    """
    return _remembered(text) if len(text) <= _REMEMBERED_CHARS else _canonical(text)


def _canonical(text: str) -> str:
    plain = _UNUSUAL.sub(_plain, unicodedata.normalize("NFKD", text))
    # Lower case may bring new marks (a dotted capital I), hence once more.
    return _UNUSUAL.sub(_plain, plain.casefold())


_remembered = lru_cache(maxsize=4_000)(_canonical)


@lru_cache(maxsize=1_000)
def sentences(text: str) -> Sequence[str]:
    """The sentences and lines of *text*, each with the mark that ends it."""
    return tuple(sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip())


def word_runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every run of *length* words that follow one another in *text*."""
    words = _WORD.findall(canonical(text))
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def _plain(match: re.Match[str]) -> str:
    character = match[0]
    category = unicodedata.category(character)
    if category in _UNSEEN:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _DASHES:
        return "-"
    if category == "Zs":
        return " "
    return _QUOTES.get(character, "/" if character == "⁄" else character)

"""Texts as they are compared with one another: one spelling for what looks the same to a reader."""

from __future__ import annotations

import re
import unicodedata

_UNUSUAL = re.compile(r"[^\x00-\x7fא-ת]")
# Vowel points, enclosing marks and invisible characters change nothing that a reader takes in.
_UNSEEN = frozenset({"Mn", "Me", "Cf"})
_DASHES = frozenset("‐‑‒–—―−־")
_QUOTES = {"’": "'", "‘": "'", "׳": "'", "“": '"', "”": '"', "״": '"'}
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_WORD = re.compile(r"[^\W_]+")


def canonical(text: str) -> str:
    """*text* in lower case with plain digits, dashes, quotes and spaces, without marks that cannot be seen.

    Compatible forms become what they stand for (``１２``, ``①``, ``½`` and Arabic digits become ASCII).
    """
    plain = _UNUSUAL.sub(_plain, unicodedata.normalize("NFKD", text))
    # Lower case may bring new marks (a dotted capital I), hence once more.
    return _UNUSUAL.sub(_plain, plain.casefold())


def sentences(text: str) -> list[str]:
    """The sentences and lines of *text*, each with the mark that ends it."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


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

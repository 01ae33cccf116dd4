"""Whether a full stop ends a sentence: what stands before it, and what begins after it."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto

from server.voice.word_lists import word_set

# They belong to the sentence whose mark they follow.
CLOSING = frozenset("\"'”’»)]}*_`״׳")
# Marks of direction: as if they were not there.
UNSEEN = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Ending(Enum):
    """What a mark with a space after it is."""

    CERTAIN = auto()
    # No end: "Dr. Cohen", "e.g. tea", "1. Towels".
    NONE = auto()
    # An end, unless it goes on with a number or in lower case: "No. 5", "at 7 a.m. daily", "wait... maybe".
    IN_DOUBT = auto()


_NO_END = word_set(
    """
    dr mr mrs ms prof rev hon capt sgt lt col gen st mt vs approx dept incl excl cf viz vol pp גב רח
    שד פרופ
    """
)
_MAY_END = word_set(
    """
    no nos nr tel ext apt rm fl est min max fig hr hrs etc a.m p.m am pm inc ltd co corp jr sr ave
    rd blvd sq al jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs
    fri sat sun טל מס עמ קומ דק שע וכו וכד וגו
    """
)
_HEBREW_PREFIXES = "ובלמהש"
_BEHIND = "".join(CLOSING | UNSEEN)
_LAST_WORD = re.compile(r"[^\s(\[{“”„*–—]+$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_LIST_NUMBER = re.compile(r"[\W_]*(?:\d{1,3}|[^\W\d_])\.")


_PLAIN_WORD = re.compile(r"(?:[A-Z]?[a-z]+(?:'[a-z]+)?|[א-ת]+)[.!?]")
_ADDRESS_SIGNS = re.compile(r"[@/]|www")
# Sites that people name with their ending: "booking.com".
_SITES = word_set(
    """
    booking airbnb expedia agoda hotels tripadvisor google gmail facebook instagram waze wolt paypal yahoo
    outlook hotmail walla wikipedia youtube whatsapp trip kayak vrbo gett yango moovit
    """
)
_BEFORE_SITES = word_set("at visit see via site website page link online אתר באתר דרך בקישור")


def ending(text: str) -> Ending:
    """What the mark at the end of *text* is, by what stands before it."""
    body = text.rstrip(_BEHIND)
    if body.endswith(("..", "…")):
        return Ending.IN_DOUBT
    if not body.endswith("."):
        return Ending.CERTAIN
    if _LIST_NUMBER.fullmatch(body, body.rfind("\n") + 1):
        return Ending.NONE
    last = _LAST_WORD.search(body[:-1])
    return _ending_after(last[0].strip(_BEHIND).casefold()) if last else Ending.CERTAIN


def ends_at_once(text: str) -> bool:
    """Whether the mark at the end of *text* ends a sentence, whatever follows: it stands behind a plain word.

    What may be the beginning of an address is none. Should more marks follow ("...", "?!"), they come to
    stand before the next sentence, where they are not heard.
    """
    *before, last = text.split()
    if _PLAIN_WORD.fullmatch(last) is None or ending(text) is not Ending.CERTAIN:
        return False
    if _ADDRESS_SIGNS.search(text) or _is_within_brackets(text):
        return False
    is_name = bool(before) and last[0].isupper()
    is_after_cue = bool(before) and before[-1].casefold() in _BEFORE_SITES
    may_be_site = is_name or is_after_cue or last[:-1].casefold() in _SITES
    return last[-1] != "." or not may_be_site


def _is_within_brackets(text: str) -> bool:
    return text.count("(") != text.count(")") or text.count('"') % 2 == 1 or text.count("**") % 2 == 1


def _ending_after(word: str) -> Ending:
    """What a full stop after *word* is."""
    forms = {word, word.lstrip(_HEBREW_PREFIXES)}
    if forms & _MAY_END or word[-1:].isdigit():
        return Ending.IN_DOUBT
    if forms & _NO_END or _DOTTED.fullmatch(word) or (len(word) == 1 and word.isalpha()):
        return Ending.NONE
    return Ending.CERTAIN


def goes_on(character: str) -> bool:
    """Whether a word that begins with *character* goes on with the sentence before a mark in doubt."""
    return character.isdigit() or character.islower() or unicodedata.category(character) == "Sc"

"""Cuts text into sentences that can be spoken, while it is still being written.

Every decision is made character by character on what was not spoken yet, so it makes no difference in which
pieces the text came. The first sentence, for which the caller waits, ends with the mark after a plain word,
or at a comma if it is long. Otherwise a mark waits for the character after it ("3.5", "?!", "example.com"),
and only where that leaves a doubt (an abbreviation, a number, an ellipsis) for how the next word begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.voice.sentence_ends import CLOSING, UNSEEN, Ending, ending, ends_at_once, goes_on

_MARKS = frozenset(".!?…؟。")
_CLAUSE_MARKS = frozenset(",;،")
_DASHES = frozenset("-–—")
# After a full stop these say that it was none: "example.com", "./", "a.m.,".
_GLUING = frozenset("/@_-:&=%+#~,;")
_ADDRESS = re.compile(r"(?:https?:|www\.|\w\.[a-z]{2,}[/?])\S*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of the pieces, in characters.

    A text-to-speech request may hold 5,000 bytes; 200 characters are 800 at the very most.
    """

    longest: int = 200
    # Shorter sentences are spoken together with the next.
    shortest: int = 20
    shortest_first: int = 2
    # The first sentence is cut at the first comma or dash after so many, that speech may begin.
    first_clause: int = 24


class SentenceSplitter:
    """Splits one answer.

    The pieces together are the text, but for white space at their ends. A piece without a letter or digit
    comes only at the end, or where so many other characters follow one another that they fill it.
    """

    def __init__(self, lengths: Lengths | None = None) -> None:
        self._lengths = lengths or Lengths()
        self._is_first = True
        self._begin()

    def feed(self, piece: str) -> list[str]:
        """The sentences that are certain now."""
        sentences: list[str] = []
        waiting = list(reversed(piece))
        while waiting:
            cut = self._take(waiting.pop())
            if cut is not None:
                sentences.append(self._text[:cut].strip())
                # What stands after the cut is read anew, as the beginning of a sentence.
                waiting.extend(reversed(self._text[cut:]))
                self._is_first = False
                self._begin()
        return sentences

    def finish(self) -> list[str]:
        """The rest; the splitter is as new then."""
        rest = self._text.strip()
        self._is_first = True
        self._begin()
        return [rest] if rest else []

    def _begin(self) -> None:
        self._text = ""
        self._has_content = False
        # Behind a mark that may have ended the sentence; whether a space has followed it.
        self._end: int | None = None
        self._is_spaced = False
        # Where a piece that gets too long is cut best.
        self._clause_end = 0
        self._word_end = 0

    def _take(self, character: str) -> int | None:
        """Go on by *character*; returns where the text is to be cut."""
        if not self._text and character.isspace():
            return None
        self._text += character
        cut = None
        if character not in UNSEEN:
            cut = self._cut_at_mark(character)
            if cut is None:
                cut = self._cut_at_line_or_clause(character)
            self._has_content = self._has_content or character.isalnum()
            self._note(character)
        if cut is None and len(self._text) >= self._lengths.longest:
            return self._best_cut()
        return cut

    def _cut_at_mark(self, character: str) -> int | None:
        """Judge a mark that stood before *character*; take *character* for one."""
        position = len(self._text) - 1
        end, self._end = self._end, None
        cut = None
        if end is not None and self._is_spaced:
            cut = self._cut_in_doubt(end, character)
        elif end is not None:
            if character in _MARKS or character in CLOSING:
                self._end = position + 1
                return None
            cut = self._cut_after(end, character)
        if cut is None and self._end is None and character in _MARKS and self._has_content:
            if self._is_first and ends_at_once(self._text):
                return self._if_long_enough(position + 1)
            self._end, self._is_spaced = position + 1, False
        return cut

    def _cut_after(self, end: int, character: str) -> int | None:
        """The mark before *end* is complete: *character* is the first after it."""
        kind = ending(self._text[:end])
        if not character.isspace():
            return self._if_long_enough(end) if self._parts_glued(end, kind, character) else None
        if kind is Ending.IN_DOUBT:
            self._end, self._is_spaced = end, True
        return self._if_long_enough(end) if kind is Ending.CERTAIN else None

    def _cut_in_doubt(self, end: int, character: str) -> int | None:
        """A mark in doubt and a space stood before *character*."""
        if character.isspace():
            self._end = end
            return None
        return None if goes_on(character) else self._if_long_enough(end)

    def _parts_glued(self, end: int, kind: Ending, character: str) -> bool:
        """Whether a mark with no space after it ends a sentence all the same."""
        before = self._text[:end]
        if kind is not Ending.CERTAIN or character in _GLUING:
            return False
        if not before.endswith("."):
            return _ADDRESS.search(before) is None
        return not character.isalnum() or (_is_hebrew(character) and _is_hebrew(before[-3:-1]))

    def _cut_at_line_or_clause(self, character: str) -> int | None:
        position = len(self._text) - 1
        if character == "\n":
            return self._if_long_enough(position)
        if self._is_first and position >= self._lengths.first_clause:
            if character in _CLAUSE_MARKS and self._text[position - 1].isalpha():
                return position + 1
            if character.isspace() and self._text[-2] in _DASHES and _parts_clauses(self._text[:-1]):
                return position
        return None

    def _if_long_enough(self, cut: int) -> int | None:
        least = self._lengths.shortest_first if self._is_first else self._lengths.shortest
        return cut if self._has_content and cut >= least else None

    def _note(self, character: str) -> None:
        """Remember the best places to cut at, should no sentence end in time."""
        if not character.isspace() or not self._has_content:
            return
        position = len(self._text) - 1
        before = self._text[:position]
        if before[-1] in _CLAUSE_MARKS or before[-1] in ":)" or _parts_clauses(before):
            self._clause_end = position
        elif not before[-1].isdigit() and ending(before) is Ending.CERTAIN:
            self._word_end = position

    def _best_cut(self) -> int:
        longest = self._lengths.longest
        return self._clause_end if self._clause_end > longest // 2 else self._word_end or longest


def _parts_clauses(text: str) -> bool:
    """Whether *text* ends in a dash that stands apart, and not between two numbers."""
    before = text[:-1].rstrip()
    return text[-1] in _DASHES and len(before) < len(text) - 1 and before[-1:].isalpha()


def _is_hebrew(text: str) -> bool:
    return bool(text) and all("א" <= character <= "ת" for character in text)

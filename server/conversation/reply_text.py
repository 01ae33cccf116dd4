"""A model's characters as the guest would read them, with the citation marks told apart.

Works character by character, so that it makes no difference in which pieces they come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from server.conversation.prompts import FACTS_ID


@dataclass(frozen=True, slots=True)
class Visible:
    """A character to show, after the white space before it (in ``space``, empty for none)."""

    character: str
    space: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark with the ids that it names, in lower case."""

    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskTeam:
    """The model says that it does not know."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A square bracket that begins no mark of ours."""


Event = Visible | Mark | AskTeam | Stray

_ID = r"(?:p\d{1,3}|" + FACTS_ID + ")"
_MARK = re.compile(rf"\[\s*{_ID}(?:\s*[,;]\s*{_ID})*\s*\]", re.IGNORECASE | re.ASCII)
_ONE_ID = re.compile(_ID, re.IGNORECASE | re.ASCII)
_ASK_TEAM = re.compile(r"\[\[\s*ask[-_ ]?team\s*\]\]", re.IGNORECASE)
_MAY_BECOME_MARK = re.compile(r"\[[\sa-z0-9,;]*|\[\[[\sa-z_-]*\]?", re.IGNORECASE | re.ASCII)
_LONGEST_MARK = 60
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACES = re.compile(r" {2,}")
_NO_GAP_BEFORE = frozenset(".,;:!?)")


class ReplyText:
    """Reads characters in, gives events out. White space at either end is never shown."""

    def __init__(self) -> None:
        self._bracket = ""
        self._space = ""
        self._has_begun = False
        self._is_after_mark = False
        self._last = ""

    @property
    def is_open(self) -> bool:
        """Whether a bracket has been opened and not closed."""
        return bool(self._bracket)

    def read(self, character: str) -> Iterator[Event]:
        """What *character* completes: nothing, or one event."""
        if _CONTROL.match(character):
            character = " "
        if self._bracket or character == "[":
            yield from self._in_bracket(character)
        elif character.isspace():
            self._space += character
        elif not (character == "*" == self._last and not self._space):
            yield self._visible(character)

    def _visible(self, character: str) -> Visible:
        space = _SPACES.sub(" ", self._space) if self._has_begun else ""
        # Two halves of a word or number must not grow together where a mark stood between them.
        if self._is_after_mark and self._has_begun and not space and character not in _NO_GAP_BEFORE:
            space = " "
        self._space, self._has_begun, self._is_after_mark, self._last = "", True, False, character
        return Visible(character, space)

    def _in_bracket(self, character: str) -> Iterator[Event]:
        self._bracket += character
        if _MARK.fullmatch(self._bracket):
            cited = tuple(identifier.lower() for identifier in _ONE_ID.findall(self._bracket))
            self._bracket, self._space, self._is_after_mark = "", "", True
            yield Mark(cited)
        elif _ASK_TEAM.fullmatch(self._bracket):
            self._bracket = ""
            yield AskTeam()
        elif len(self._bracket) > _LONGEST_MARK or not _MAY_BECOME_MARK.fullmatch(self._bracket):
            self._bracket = ""
            yield Stray()

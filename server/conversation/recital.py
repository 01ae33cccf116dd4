"""How a reply is told to whoever reads along while it is made."""

from __future__ import annotations

from server.domain.events import Listener, Replace, Token, ToolResult, ToolStart


class Recital:
    """Tells the words of a reply as they pass the gate.

    Args:
        opening: what stands before the reply's own words, such as a disclosure; empty if nothing does.
    """

    def __init__(self, listen: Listener, opening: str = "") -> None:
        self._listen = listen
        self._opening = opening
        self._has_begun = False
        self._held_back = ""

    @property
    def held_back(self) -> str:
        """Why the gate let words not out; empty if it held nothing back."""
        return self._held_back

    def say(self, words: str) -> None:
        """More of the reply."""
        if not words:
            return
        self._listen(Token(words if self._has_begun else self._opening + words))
        self._has_begun = True

    def void(self) -> None:
        """What was said is not the reply."""
        if self._has_begun:
            self._listen(Replace(""))
        self._has_begun = False

    def hold_back(self, reason: str) -> None:
        """The words are not the reply: the gate does not let them out."""
        self._held_back = reason
        self.void()

    def look_up(self, step: ToolStart | ToolResult) -> None:
        """Something is looked up for the reply."""
        self._listen(step)

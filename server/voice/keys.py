"""The keys that a caller presses: digits are words of their turn, 0 alone is a wish for a person.

Times are seconds of the call's stopwatch.
"""

from __future__ import annotations

from dataclasses import dataclass

# So long after the last key the caller has entered all; who wants a person presses one and hears nothing.
PAUSE_S = 2.0
PERSON_PAUSE_S = 1.0
_OPERATOR, _ENDS, _REPEATS = "0", "#", "*"
# Nobody enters more; a line that hangs on a key might.
_MOST_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Entered:
    """Digits, to be taken as words."""

    digits: str


@dataclass(frozen=True, slots=True)
class WantsPerson:
    """0, and nothing else."""


@dataclass(frozen=True, slots=True)
class WantsRepeat:
    """What was said last, once more."""


KeyWish = Entered | WantsPerson | WantsRepeat


class Keys:
    """What one caller enters, from the first key to ``#`` or a pause."""

    def __init__(self) -> None:
        self._digits = ""
        self.due_at: float | None = None

    def press(self, key: str, now: float) -> KeyWish | None:
        """A key; returns what the caller wants with it, if that is known. Else `on_time` at ``due_at`` is."""
        if key == _REPEATS:
            self._take()
            return WantsRepeat()
        if key == _ENDS:
            return self._wish()
        if key.isdecimal():
            self._digits += key
            self.due_at = now + (PERSON_PAUSE_S if self._digits == _OPERATOR else PAUSE_S)
        return self._wish() if len(self._digits) >= _MOST_DIGITS else None

    def on_time(self) -> KeyWish | None:
        """``due_at`` has come: no key has followed."""
        return self._wish()

    def _wish(self) -> KeyWish | None:
        return wish(self._take())

    def _take(self) -> str:
        digits, self._digits, self.due_at = self._digits, "", None
        return digits


def wish(keys: str) -> KeyWish | None:
    """What a caller wants who has pressed *keys*, without the ``#`` that ends them; None if nothing."""
    if _REPEATS in keys:
        return WantsRepeat()
    if keys == _OPERATOR:
        return WantsPerson()
    return Entered(keys) if keys.isdecimal() else None

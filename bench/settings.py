"""Options of benches that take lists, such as ``--calls 1,20,50``."""

from __future__ import annotations

from collections.abc import Sequence

import click


class CommaList(click.ParamType[list[str] | list[int]]):
    """Comma-separated values: of some names, or whole numbers.

    Args:
        allowed: the names, or ``int``.
        all_of_them: a name for the whole list.
    """

    name = "list"

    def __init__(self, allowed: Sequence[str] | type[int], all_of_them: str = "") -> None:
        self._allowed = allowed
        self._all = all_of_them

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str] | list[int]:
        """The values in the order given."""
        words = [word.strip() for word in value.split(",")]
        if isinstance(self._allowed, type):
            if not all(word.isdecimal() for word in words):
                self.fail(f"{value!r} is no list of whole numbers such as 1,20,50", param, ctx)
            return [int(word) for word in words]
        if words == [self._all]:
            return list(self._allowed)
        if unknown := [word for word in words if word not in self._allowed]:
            known = ", ".join(self._allowed)
            self.fail(f"{unknown[0]!r} is none of {known}", param, ctx)
        return words

"""Options of benches that take lists, such as ``--chats 0,200``: the bench runs once for each value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from bench.figures import Command
from bench.scratch import DATABASES


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


def list_option(
    *names: str, of: Sequence[str] | type[int], default: str, tells: str, all_of_them: str = ""
) -> Callable[[Command], Command]:
    """An option that takes a ``CommaList``; *names* are as click takes them."""
    kind = CommaList(of, all_of_them)
    return click.option(*names, type=kind, default=default, show_default=True, help=tells)


def database_option(default: str) -> Callable[[Command], Command]:
    """``--database``: the kinds of database to measure on, given to the command as ``databases``."""
    tells = "sqlite, postgres or both."
    return list_option(
        "--database", "databases", of=DATABASES, all_of_them="both", default=default, tells=tells
    )

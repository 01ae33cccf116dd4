"""Where something stands in a file, for messages."""

from __future__ import annotations

from server.domain.phrases import Phrase


def line(number: int) -> Phrase:
    """Counted from 1."""
    return Phrase("line {number}", number=number)


def page(number: int) -> Phrase:
    """Counted from 1."""
    return Phrase("page {number}", number=number)


def within(name: str, place: str) -> Phrase:
    """*place* in the file *name*."""
    return Phrase("{name}, {place}", name=name, place=place)

"""Brings the translations up to date with the words of the code: ``make translations``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from server.translations import LOCALE

ROOT = Path(__file__).resolve().parents[1]
_SOURCES: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("server/**/*.py", extract_python),
    ("server/console/templates/*.html", babel_extract),
)
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "Phrase": None,
    "Counted": (1, 2),
    "Written": None,
}
_WIDTH = 110

Words = str | tuple[str, ...] | list[str]


def words_of_the_code() -> Catalog:
    """Every message of the console and to staff, without a translation."""
    found = Catalog()
    for words in _extracted():
        found.add(words)
    return found


def read_catalogue(path: Path) -> Catalog:
    """The translations in *path*, whose name is that of their language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def as_file(catalogue: Catalog) -> bytes:
    """*catalogue* as it is kept: sorted, and without places in the code, which change with every line."""
    written = BytesIO()
    write_po(written, catalogue, width=_WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    return written.getvalue()


def updated(catalogue: Catalog, words: Catalog) -> Catalog:
    """*catalogue* with all *words* and no other; what is translated stays so."""
    # A guess by likeness would have to be found and mended: a gap is found by the tests.
    catalogue.update(words, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def main() -> None:
    """Update the catalogue of each language and tell what it lacks."""
    words = words_of_the_code()
    for path in sorted(LOCALE.glob("*.po")):
        catalogue = updated(read_catalogue(path), words)
        path.write_bytes(as_file(catalogue))
        lacking = sum(not is_translated(message) for message in catalogue if message.id)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {lacking} to be translated\n")


def is_translated(message: Message) -> bool:
    """Whether *message* has its translation, in each of its plural forms."""
    return all(forms_of(message.string))


def forms_of(words: Words | None) -> Sequence[str]:
    """A message or its translation: one text, or one for each plural form."""
    return (words or "",) if isinstance(words, str | None) else tuple(words)


def _extracted() -> Iterator[Words]:
    for pattern, method in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            with path.open("rb") as file:
                for _line, words, _comments, _context in extract(method, file, _KEYWORDS):
                    yield words


if __name__ == "__main__":
    main()

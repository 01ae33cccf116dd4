"""The lines of a PDF file, with their sizes and places on the page."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any

from pypdf import PageObject, PasswordType, PdfReader

from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.bidi import HAS_RTL, as_read, is_reversed

MAX_PAGES = 500
MAX_CHARACTERS = 2_000_000
# Hebrew words have five letters on average; where they run together, spaces were not stored.
_RUN_TOGETHER = 12
_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text on page *page*, counted from 1; ``y`` grows upward; ``size`` is that of its letters."""

    text: str
    page: int
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class _Fragment:
    """Characters in the order in which they are stored, and the point where they begin."""

    text: str
    x: float
    y: float
    size: float


def read_lines(content: bytes, name: str) -> list[Line]:
    """The lines of a file in the order in which it stores them, right-to-left lines as they are read.

    Raises:
        InvalidRequest: it is no PDF file, needs a password, holds pictures only, or is too long.
    """
    try:
        rows = list(_rows(content, name))
    except (InvalidRequest, MemoryError):
        raise
    except Exception as error:  # a broken file breaks pypdf in many ways
        raise InvalidRequest(
            Phrase("{name}: is not a sound PDF file; save it again as PDF", name=name)
        ) from error
    lines = _as_lines(rows)
    if not lines:
        raise InvalidRequest(
            Phrase(
                "{name}: holds no text, only pictures; run text recognition (OCR) on it, or give the text"
                " in another format",
                name=name,
            )
        )
    words = [word for line in lines for word in line.text.split() if HAS_RTL.search(word)]
    if words and mean(map(len, words)) > _RUN_TOGETHER:
        raise InvalidRequest(
            Phrase(
                "{name}: its words run together, for it stores no spaces; give it as .docx or .html",
                name=name,
            )
        )
    return lines


def _rows(content: bytes, name: str) -> Iterator[tuple[int, list[_Fragment]]]:
    """The fragments of each line, with the number of the page."""
    reader = PdfReader(io.BytesIO(content))
    # A file that only forbids printing opens with an empty password.
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise InvalidRequest(Phrase("{name}: is protected by a password; save it without one", name=name))
    if len(reader.pages) > MAX_PAGES:
        raise InvalidRequest(
            Phrase(
                "{name}: has more than {most} pages; split it into several files", name=name, most=MAX_PAGES
            )
        )
    characters = 0
    for number, page in enumerate(reader.pages, start=1):
        for row in _rows_of(page):
            characters += sum(len(fragment.text) for fragment in row)
            if characters > MAX_CHARACTERS:
                raise InvalidRequest(
                    Phrase("{name}: holds too much text; split it into several files", name=name)
                )
            yield number, row


def _rows_of(page: PageObject) -> list[list[_Fragment]]:
    rows: list[list[_Fragment]] = []

    def add(text: str, cm: list[float], tm: list[float], _font: Any, font_size: float) -> None:
        text = _UNSPEAKABLE.sub("", text.replace("\n", "").replace("\t", " "))
        if not text.strip() and not (rows and text):
            return
        fragment = _placed(_as_stored(text), cm, tm, font_size)
        if rows and (not text.strip() or abs(rows[-1][0].y - fragment.y) < 0.5 * fragment.size):
            rows[-1].append(fragment)
        else:
            rows.append([fragment])

    page.extract_text(visitor_text=add)
    return rows


def _as_stored(text: str) -> str:
    """pypdf turns right-to-left runs round, whichever way they are stored; this turns them back."""
    return text[::-1] if HAS_RTL.search(text) else text


def _placed(text: str, cm: Sequence[float], tm: Sequence[float], font_size: float) -> _Fragment:
    x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
    y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    # How far up a point of the font's height goes on the page, by both matrices.
    across, up = tm[2] * cm[0] + tm[3] * cm[2], tm[2] * cm[1] + tm[3] * cm[3]
    return _Fragment(text, x, y, round(abs(font_size) * math.hypot(across, up), 1))


def _as_lines(rows: Sequence[tuple[int, list[_Fragment]]]) -> list[Line]:
    stored = ["".join(fragment.text for fragment in row) for _, row in rows]
    turn = is_reversed(stored)
    lines = []
    for (page, row), text in zip(rows, stored, strict=True):
        if turn and HAS_RTL.search(text):
            text = as_read(_from_left_to_right(row))
        text = _SPACE.sub(" ", text).strip()
        if text:
            lines.append(Line(text, page, row[0].y, _size(row)))
    return lines


def _from_left_to_right(row: Sequence[_Fragment]) -> str:
    """*row* as it looks; between fragments that were not stored one after the other there is a gap."""
    order = sorted(range(len(row)), key=lambda place: row[place].x)
    text = row[order[0]].text
    for previous, place in pairwise(order):
        text += ("" if place == previous + 1 else " ") + row[place].text
    return text


def _size(row: Sequence[_Fragment]) -> float:
    sizes: Counter[float] = Counter()
    for fragment in row:
        sizes[fragment.size] += len(fragment.text.strip())
    return sizes.most_common(1)[0][0]

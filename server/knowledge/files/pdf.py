"""A PDF file as sections: headings told by their size, paragraphs by the gaps between lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from server.knowledge.files.marks import split_marks
from server.knowledge.files.outline import Heading, Section, Text, sections, tidied
from server.knowledge.files.pdf_lines import Line, read_lines
from server.knowledge.files.places import page, within

# By how much a heading is larger than most of the text.
_LARGER = 1.12
# A gap between paragraphs, in line distances.
_PARAGRAPH_GAP = 1.35
# How far lines of a paragraph are apart at least and at most, in sizes of their letters.
_CLOSE, _WIDE = 1.6, 2.5
# From how many pages on headers and footers are told.
_MANY_PAGES = 3
# Without headings, paragraphs are put together up to this length, and titled by their first words.
_GROUP = 800
_TITLE_WORDS = 8

_BULLET = re.compile(r"(?:[•·▪◦‣*–—-]|[0-9]{1,3}[.)])\s")
_HYPHENATED = re.compile(r"[^\W\d_]-$")
_SENTENCE_END = (".", "!", "?", ":", ";")


def pdf_sections(content: bytes, name: str, title: str) -> list[Section]:
    """The sections of a file in order; *title* stands above text without a heading.

    Raises:
        InvalidRequest: see `read_lines`; or a heading's braces cannot be read.
    """
    lines = _without_headers(read_lines(content, name))
    items = list(_items(lines, name))
    if any(isinstance(item, Heading) for item in items):
        return sections(tidied(items, title))
    return sections(_titled([item for item in items if isinstance(item, Text)]))


def _without_headers(lines: Sequence[Line]) -> list[Line]:
    """*lines* without those at the edges of a page that most pages have, their numbers apart."""
    pages = [list(page) for _, page in groupby(lines, key=lambda line: line.page)]
    if len(pages) < _MANY_PAGES:
        return list(lines)
    edges = [{id(line): _pattern(line) for line in _edge_lines(page)} for page in pages]
    counts = Counter(pattern for edge in edges for pattern in set(edge.values()))
    return [
        line
        for page, edge in zip(pages, edges, strict=True)
        for line in page
        if counts[edge.get(id(line), "")] * 2 <= len(pages)
    ]


def _edge_lines(page: Sequence[Line]) -> list[Line]:
    """What may be the header and the footer: the lines at both ends, and a second one close to them."""
    upward = sorted(page, key=lambda line: line.y)
    return [
        line
        for end in (upward, upward[::-1])
        for line in end[:2]
        if abs(line.y - end[0].y) <= _CLOSE * end[0].size
    ]


def _pattern(line: Line) -> str:
    return re.sub(r"[0-9]+", "0", line.text)


def _items(lines: Sequence[Line], name: str) -> Iterator[Heading | Text]:
    levels = _levels(lines)
    distance = _line_distance(lines)
    hyphenated = {word for line in lines for word in re.findall(r"\w+-\w+", line.text.lower())}
    for level, same in groupby(lines, key=lambda line: levels.get(line.size, 0)):
        for paragraph in _paragraphs(list(same), distance, is_heading=level > 0):
            text, place = _joined(paragraph, hyphenated), page(paragraph[0].page)
            if level:
                title, marks = split_marks(text, within(name, place))
                yield Heading(level, title or text, place, marks)
            else:
                yield Text(text, place)


def _levels(lines: Sequence[Line]) -> dict[float, int]:
    """The level of each size that is a heading's, the largest first."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    sizes = sorted((size for size in letters if size > body * _LARGER), reverse=True)
    return {size: level for level, size in enumerate(sizes, start=1)}


def _line_distance(lines: Sequence[Line]) -> float:
    """How far lines of one paragraph are apart, mostly."""
    gaps = [upper.y - lower.y for upper, lower in pairwise(lines) if upper.page == lower.page]
    return median([gap for gap in gaps if gap > 0] or [0.0])


def _paragraphs(lines: Sequence[Line], distance: float, *, is_heading: bool) -> Iterator[list[Line]]:
    paragraph: list[Line] = []
    for line in lines:
        if paragraph and _is_apart(paragraph[-1], line, distance, is_heading=is_heading):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _is_apart(upper: Line, lower: Line, distance: float, *, is_heading: bool) -> bool:
    gap = upper.y - lower.y
    if upper.page != lower.page or gap <= 0:
        # On the next page or column a sentence may go on.
        return is_heading or upper.text.endswith(_SENTENCE_END)
    return gap > min(max(distance * _PARAGRAPH_GAP, upper.size * _CLOSE), upper.size * _WIDE)


def _joined(lines: Iterable[Line], hyphenated: set[str]) -> str:
    text = ""
    for line in lines:
        if not text:
            text = line.text
        elif _BULLET.match(line.text):
            text += "\n" + line.text
        elif _HYPHENATED.search(text) and line.text[0].islower():
            whole = f"{text.split()[-1]}{line.text.split()[0]}".lower().strip(".,;:!?()")
            text = (text if whole in hyphenated else text[:-1]) + line.text
        else:
            text = f"{text.removesuffix(chr(0xAD))}{'' if text.endswith(chr(0xAD)) else ' '}{line.text}"
    return text


def _titled(paragraphs: Sequence[Text]) -> Iterator[Heading | Text]:
    """*paragraphs* in groups, each under its first words."""
    length = 0
    for paragraph in paragraphs:
        if length == 0 or length + len(paragraph.text) > _GROUP:
            length = 0
            words = paragraph.text.split()
            more = "…" if len(words) > _TITLE_WORDS else ""
            yield Heading(2, " ".join(words[:_TITLE_WORDS]) + more, paragraph.place)
        length += len(paragraph.text)
        yield paragraph

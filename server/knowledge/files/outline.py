"""What all formats become first: headings and text in reading order, and then sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from server.knowledge.files.marks import NO_MARKS, Marks

# A heading of this level names the page, not a topic.
_PAGE = 1
# What is longer is a paragraph in large letters.
_MAX_HEADING = 160


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` counts from 1, the highest; ``place`` is where it stands in the file, for messages."""

    level: int
    text: str
    place: str
    marks: Marks = NO_MARKS


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, a list or a table, as lines of plain text."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text under it, up to the next heading.

    ``path`` are the headings from the second level down to this one; paragraphs of ``body`` stand apart
    by an empty line.
    """

    place: str
    marks: Marks
    path: tuple[str, ...]
    body: str

    @property
    def title(self) -> str:
        """The heading, behind those it stands under."""
        return ": ".join(self.path)


@dataclass(slots=True)
class _Open:
    """A section while its text is being read."""

    heading: Heading
    path: tuple[str, ...]
    blocks: list[str] = field(default_factory=list)


def sections(items: Iterable[Heading | Text]) -> list[Section]:
    """The sections of a page in order; its first item must be a heading.

    A heading that has no text of its own is left out if there are headings under it.
    """
    found: list[_Open] = []
    above: list[Heading] = []
    for item in items:
        if isinstance(item, Text):
            found[-1].blocks.append(item.text)
        else:
            above = [*(other for other in above if other.level < item.level), item]
            path = tuple(heading.text for heading in above if heading.level > _PAGE) or (item.text,)
            found.append(_Open(item, path))
    return [
        Section(opened.heading.place, opened.heading.marks, opened.path, "\n\n".join(opened.blocks))
        for opened, following in zip_longest(found, found[1:])
        if opened.blocks or following is None or following.heading.level <= opened.heading.level
    ]


def tidied(items: Sequence[Heading | Text], title: str) -> list[Heading | Text]:
    """*items* of a file whose author thought of its looks, made fit for `sections`.

    Text above the first heading gets *title* as its heading. A heading with nothing under it is text,
    and so is a very long one. The highest heading names the page if there is no other of its level and
    it comes first; else all are topics.
    """
    tidy = _with_real_headings(items)
    headings = [item for item in tidy if isinstance(item, Heading)]
    top = min((heading.level for heading in headings), default=_PAGE)
    highest = {heading.text for heading in headings if heading.level == top}
    names_page = len(highest) == 1 and headings[0].level == top
    lower = _PAGE - top + (0 if names_page else 1)
    moved = [replace(item, level=item.level + lower) if isinstance(item, Heading) else item for item in tidy]
    if moved and isinstance(moved[0], Text):
        moved.insert(0, Heading(_PAGE, title, moved[0].place))
    return moved


def _with_real_headings(items: Sequence[Heading | Text]) -> list[Heading | Text]:
    kept: list[Heading | Text] = []
    for item in reversed(items):
        if isinstance(item, Heading) and not _leads(item, kept[-1] if kept else None):
            kept.append(Text(item.text, item.place))
        else:
            kept.append(item)
    return kept[::-1]


def _leads(heading: Heading, following: Heading | Text | None) -> bool:
    """Whether *heading* looks like one, with text or a lower heading under it."""
    if following is None or len(heading.text) > _MAX_HEADING:
        return False
    return isinstance(following, Text) or following.level > heading.level

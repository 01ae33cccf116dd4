"""A web page as headings and plain text: what a visitor reads, without what surrounds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Tag

from server.knowledge.files.marks import split_marks
from server.knowledge.files.outline import Heading, Section, Text, sections, tidied
from server.knowledge.files.places import line, within

# fmt: off
_NOT_READ = frozenset({
    "audio", "button", "canvas", "datalist", "form", "head", "iframe", "input", "math", "nav", "noscript",
    "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
})
# fmt: on
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_CELLS = frozenset({"td", "th"})
# These begin a new line; what else is block-level a new paragraph.
_LINES = frozenset({"li", "tr", "dt", "dd", "br", "caption"})
# fmt: off
_BLOCKS = _LISTS | {
    "address", "article", "aside", "blockquote", "body", "center", "details", "dialog", "div", "dl",
    "fieldset", "figcaption", "figure", "footer", "header", "hgroup", "hr", "html", "legend", "main", "p",
    "pre", "section", "summary", "table", "tbody", "tfoot", "thead",
}
# fmt: on
_WITH_ADDRESS = ("http://", "https://", "mailto:", "tel:")
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_MAX_TITLE = 160


def html_sections(markup: bytes | str, name: str, title: str, place: Callable[[Tag], str]) -> list[Section]:
    """The sections of a page in order.

    Args:
        title: stands above text without a heading if the page has no title itself.
        place: tells where an element stands, for messages.

    Raises:
        InvalidRequest: a heading's braces cannot be read.
    """
    page = BeautifulSoup(markup, "html.parser")
    own_title = " ".join(_plain(page.title.get_text()).split())[:_MAX_TITLE] if page.title else ""
    reader = _Reader(name, own_title or title, place)
    reader.read(page)
    return sections(tidied(reader.items, own_title or title))


def line_of(tag: Tag) -> str:
    """Where an element stands in the source."""
    return line(tag.sourceline or 1)


class _Reader:
    """Goes through a page from top to bottom; without recursion, however deep it is nested."""

    def __init__(self, name: str, title: str, place: Callable[[Tag], str]) -> None:
        self.items: list[Heading | Text] = []
        self._name = name
        self._place = place
        self._heading: Tag | None = None
        self._last = Heading(1, title, "its title")
        # Headings that go on after a <details> which has a heading of its own.
        self._around: list[Heading] = []
        self._goes_on: Heading | None = None
        self._line: list[str] = []
        self._lines: list[str] = []
        self._lists: list[int | None] = []
        self._bullet = ""
        self._links: list[int] = []
        self._table: Tag | None = None
        self._row: list[str] | None = None
        self._cell_start: int | None = None

    def read(self, page: Tag) -> None:
        """Fill ``items``."""
        around: list[tuple[Tag, Iterator[PageElement]]] = [(page, iter(page.contents))]
        while around:
            tag, children = around[-1]
            child = next(children, None)
            if child is None:
                self._close(tag)
                around.pop()
            elif isinstance(child, Tag):
                if not _is_hidden(child):
                    self._open(child)
                    around.append((child, iter(child.contents)))
            elif type(child) in (NavigableString, CData):
                self._line.append(_as_written(str(child), tag))
        self._end_paragraph()

    def _open(self, tag: Tag) -> None:
        name = tag.name
        if self._heading is not None and (name in _BLOCKS or name in _HEADINGS) and self._said():
            # It was never closed.
            self._end_heading()
        if name in _HEADINGS:
            self._end_paragraph()
            self._heading = tag
        elif name == "a":
            self._links.append(len(self._line))
        elif name == "table":
            self._open_table(tag)
        elif name == "tr":
            self._end_row()
            self._row = [] if self._table is not None else None
        elif name in _CELLS:
            self._open_cell()
        elif name in _LINES:
            self._end_line()
            if name == "li":
                self._bullet = self._next_bullet()
        elif name in _BLOCKS:
            self._open_block(tag)

    def _close(self, tag: Tag) -> None:
        name = tag.name
        if name in _HEADINGS or name == "summary":
            if self._heading is tag:
                self._end_heading()
        elif name == "a":
            self._close_link(tag)
        elif name == "tr":
            self._end_row()
        elif name in _CELLS:
            self._end_cell()
        elif name in _LINES:
            self._end_line()
        elif name in _BLOCKS:
            self._close_block(tag)

    def _open_block(self, tag: Tag) -> None:
        self._end_block()
        if tag.name in _LISTS:
            self._lists.append(_first_number(tag) if tag.name == "ol" else None)
        elif tag.name == "details":
            self._around.append(self._goes_on or self._last)
        elif tag.name == "summary" and self._around:
            self._end_paragraph()
            self._heading = tag

    def _close_block(self, tag: Tag) -> None:
        if tag.name in _LISTS and self._lists:
            self._end_line()
            self._lists.pop()
        self._end_block()
        if tag is self._table:
            self._end_row()
            self._table = None
            self._end_block()
        if tag.name == "details" and self._around:
            self._end_paragraph()
            around = self._around.pop()
            self._goes_on = around if around is not self._last else None

    # Headings

    def _said(self) -> bool:
        return bool("".join(self._line).strip() or self._lines)

    def _end_heading(self) -> None:
        tag, self._heading = self._heading, None
        self._end_line()
        text = " ".join(self._lines)
        self._lines = []
        if tag is None or not text:
            return
        place = self._place(tag)
        title, marks = split_marks(text, within(self._name, place))
        level = _HEADINGS.get(tag.name, self._around[-1].level + 1 if self._around else 2)
        self._goes_on = None
        self._last = Heading(level, title or text, place, replace(marks, id=marks.id or _id_of(tag)))
        self.items.append(self._last)

    # Lines and paragraphs

    def _end_line(self) -> None:
        text = _plain("".join(self._line))
        self._line = []
        self._links = []
        if text:
            self._lines += [self._bullet + line for line in text.split("\n")[:1]] + text.split("\n")[1:]
            self._bullet = ""

    def _end_block(self) -> None:
        """In a list, a cell and a heading, a block is only a line."""
        if self._lists or self._heading is not None or self._cell_start is not None:
            self._end_line()
        else:
            self._end_paragraph()

    def _end_paragraph(self) -> None:
        self._end_line()
        if not self._lines:
            return
        if self._goes_on is not None:
            self._last, self._goes_on = self._goes_on, None
            self.items.append(replace(self._last, marks=replace(self._last.marks, id="")))
        self.items.append(Text("\n".join(self._lines), "the text"))
        self._lines = []

    def _next_bullet(self) -> str:
        indent = "  " * (len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _close_link(self, tag: Tag) -> None:
        """The address follows the words of a link, if it tells more than they do."""
        words = "".join(self._line[self._links.pop() :]) if self._links else ""
        address = str(tag.get("href") or "").strip()
        if not address.lower().startswith(_WITH_ADDRESS) or not words.strip() or self._heading is not None:
            return
        if address.lower().startswith(("mailto:", "tel:")):
            address = address.split(":", 1)[1].split("?", 1)[0]
        if _letters(address) not in _letters(words):
            self._line.append(f" ({address})")

    # Tables

    def _open_table(self, tag: Tag) -> None:
        self._end_block()
        # A table around headings or other tables is there for the looks.
        if self._table is None and tag.find(["table", *_HEADINGS]) is None:
            self._table = tag

    def _open_cell(self) -> None:
        self._end_cell()
        if self._row is None:
            self._end_block()
        else:
            self._end_line()
            self._cell_start = len(self._lines)

    def _end_cell(self) -> None:
        if self._row is None or self._cell_start is None:
            self._end_line()
            return
        self._end_line()
        self._row.append(" ".join(line.strip() for line in self._lines[self._cell_start :]))
        del self._lines[self._cell_start :]
        self._cell_start = None

    def _end_row(self) -> None:
        if self._cell_start is not None:
            self._end_cell()
        self._end_line()
        if self._row:
            label, *values = [cell for cell in self._row if cell] or [""]
            line = f"{label}: {', '.join(values)}" if values else label
            self._lines += [line] if line else []
        self._row = None


def _is_hidden(tag: Tag) -> bool:
    return (
        tag.name in _NOT_READ
        or tag.has_attr("hidden")
        or str(tag.get("aria-hidden")).lower() == "true"
        or str(tag.get("role")).lower() in ("navigation", "search")
        or _HIDDEN_STYLE.search(str(tag.get("style") or "")) is not None
    )


def _id_of(tag: Tag) -> str:
    return _SPACE.sub("-", _UNSPEAKABLE.sub("", str(tag.get("id") or "")).strip())


def _first_number(tag: Tag) -> int:
    start = str(tag.get("start") or "1")
    return int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1


def _as_written(text: str, parent: Tag) -> str:
    """Line breaks count in <pre> only; there they are marked, to survive `_plain`."""
    return text.replace("\n", "\v") if parent.name in ("pre", "listing") else text.replace("\v", " ")


def _plain(text: str) -> str:
    lines = (_SPACE.sub(" ", _UNSPEAKABLE.sub(" ", line)).strip() for line in text.split("\v"))
    return "\n".join(line for line in lines if line)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())

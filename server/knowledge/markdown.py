"""A Markdown page as sections of plain text, fit to be sent in a chat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.errors import InvalidRequest

_EXPLICIT_ID = re.compile(r"\s*\{#([^\s{}#]+)\}\s*$")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text under it, up to the next heading.

    ``path`` are the headings from the second level down to this one; ``id`` is what the heading names in
    braces, or empty; ``line`` counts from 1.
    """

    line: int
    id: str
    path: tuple[str, ...]
    body: str

    @property
    def title(self) -> str:
        """The heading, behind those it stands under."""
        return ": ".join(self.path)


@dataclass(slots=True)
class _Open:
    """A section while its text is being read."""

    line: int
    level: int
    id: str
    path: tuple[str, ...]
    blocks: list[str] = field(default_factory=list)


def sections(text: str, name: str) -> list[Section]:
    """The sections of a page in order.

    A heading that has no text of its own is left out if there are headings under it.

    Raises:
        InvalidRequest: there is text above the first heading.
    """
    found = list(_read(MarkdownIt("commonmark").parse(text), name))
    return [
        Section(opened.line, opened.id, opened.path, "\n\n".join(opened.blocks))
        for opened, following in zip_longest(found, found[1:])
        if opened.blocks or following is None or following.level <= opened.level
    ]


def _read(tokens: Sequence[Token], name: str) -> Iterator[_Open]:
    current: _Open | None = None
    above: list[tuple[int, str]] = []
    place = 0
    while place < len(tokens):
        end = _end_of_block(tokens, place)
        token = tokens[place]
        if token.type == "heading_open":
            if current is not None:
                yield current
            current = _heading(token, _plain(tokens[place + 1].children or []), above)
        elif block := _block(tokens[place:end]):
            if current is None:
                raise InvalidRequest(
                    f"{name}, line {_line(token)}: this text has no heading; write one above it (## Parking)"
                )
            current.blocks.append(block)
        place = end
    if current is not None:
        yield current


def _heading(token: Token, text: str, above: list[tuple[int, str]]) -> _Open:
    """Opens a section; *above* holds the headings it stands under, and then this one too."""
    level = int(token.tag.removeprefix("h"))
    explicit = _EXPLICIT_ID.search(text)
    title = _EXPLICIT_ID.sub("", text).strip()
    above[:] = [(other, heading) for other, heading in above if other < level]
    above.append((level, title))
    # The first-level heading names the page, not the topic.
    path = tuple(heading for other, heading in above if other > 1) or (title,)
    return _Open(_line(token), level, explicit[1] if explicit else "", path)


def _end_of_block(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for place in range(start, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place + 1
    return len(tokens)


def _block(tokens: Sequence[Token]) -> str:
    """One top-level block as plain text; lists keep their bullets and numbers."""
    lines: list[str] = []
    bullet = ""
    for token in tokens:
        if token.type == "list_item_open":
            bullet = f"{token.info}. " if token.info else "- "
        elif token.type == "inline":
            lines.append("  " * max(token.level - 3, 0) + bullet + _plain(token.children or []))
            bullet = ""
        elif token.type in ("fence", "code_block", "html_block"):
            lines.append(token.content.strip("\n"))
    return "\n".join(lines).strip()


def _plain(tokens: Sequence[Token]) -> str:
    """Running text without its marks; the address of a link follows its words."""
    parts: list[str] = []
    href = ""
    for token in tokens:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "link_open":
                href = str(token.attrGet("href") or "")
            case "link_close":
                if href and href.removeprefix("mailto:") not in "".join(parts):
                    parts.append(f" ({href})")
            case _:
                parts.append(token.content)
    return "".join(parts).strip()


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1

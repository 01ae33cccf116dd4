"""A Markdown page as headings and plain text, fit to be sent in a chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.marks import split_marks
from server.knowledge.files.outline import Heading, Section, Text, sections
from server.knowledge.files.places import line, within


def markdown_sections(text: str, name: str) -> list[Section]:
    """The sections of a page in order.

    Raises:
        InvalidRequest: there is text above the first heading, or a heading's braces cannot be read.
    """
    items = list(_items(MarkdownIt("commonmark").parse(text), name))
    if items and isinstance(items[0], Text):
        raise InvalidRequest(
            Phrase(
                "{where}: this text has no heading; write one above it (## Parking)",
                where=within(name, items[0].place),
            )
        )
    return sections(items)


def _items(tokens: Sequence[Token], name: str) -> Iterator[Heading | Text]:
    place = 0
    while place < len(tokens):
        end = _end_of_block(tokens, place)
        token = tokens[place]
        if token.type == "heading_open":
            yield _heading(token, _plain(tokens[place + 1].children or []), name)
        elif block := _block(tokens[place:end]):
            yield Text(block, _line(token))
        place = end


def _heading(token: Token, text: str, name: str) -> Heading:
    title, marks = split_marks(text, f"{name}, {_line(token)}")
    return Heading(int(token.tag.removeprefix("h")), title, _line(token), marks)


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


def _line(token: Token) -> str:
    return line(token.map[0] + 1 if token.map else 1)

"""Files that a business keeps its knowledge in, as documents.

A fault is an ``InvalidRequest`` whose message names the file, the line and the remedy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from server.domain.knowledge import Document
from server.domain.language import detect_language
from server.errors import InvalidRequest
from server.knowledge.markdown import Section, sections

MAX_FILE_BYTES = 20 * 2**20
MAX_ID = 128
MAX_TITLE = 1_000
MAX_BODY = 20_000

# ``knowledge.he.md`` says of itself that it is in Hebrew.
_FILE_LANGUAGE = re.compile(r"\.([a-z]{2})\.(?:md|markdown)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A document and the line it starts on."""

    line: int
    document: Document


def read_documents(path: Path) -> list[Document]:
    """The documents of a file, JSON lines or Markdown by its ending.

    Raises:
        InvalidRequest: the file cannot be read, or something in it is wrong.
    """
    parse = _parser(path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidRequest(
                f"{path}: larger than {MAX_FILE_BYTES // 2**20} MB; split it into several files"
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise InvalidRequest(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return parse(text, str(path))


def parse_json_lines(text: str, name: str) -> list[Document]:
    """One JSON object a line: ``{"id", "title", "body"}``, all of them text; empty lines are skipped."""
    entries = [
        _Entry(line, _from_json(content, f"{name}, line {line}"))
        for line, content in enumerate(text.split("\n"), start=1)
        if content.strip()
    ]
    return _checked(entries, name)


def parse_markdown(text: str, name: str) -> list[Document]:
    """Each heading with text of its own is a document.

    Its id is what stands in braces after the heading (``## Pool {#pool}``), else a slug of the heading
    and those above it. In a file whose name ends in ``.he.md`` or the like, ``.he`` is added to the ids:
    documents whose ids differ only in that tell the same in two languages.
    """
    language = _FILE_LANGUAGE.search(PurePath(name).name)
    suffix = f".{language[1].lower()}" if language else ""
    entries = [
        _Entry(section.line, _from_section(section, suffix, f"{name}, line {section.line}"))
        for section in sections(text, name)
    ]
    return _checked(entries, name)


def _parser(path: Path) -> Callable[[str, str], list[Document]]:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return parse_json_lines
        case ".md" | ".markdown":
            return parse_markdown
    raise InvalidRequest(f"{path}: give a file that ends in .jsonl (JSON lines) or .md (Markdown)")


def _from_json(content: str, where: str) -> Document:
    try:
        value = json.loads(content)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidRequest(f'{where}: is not JSON; write {{"id": …, "title": …, "body": …}}') from error
    if not isinstance(value, dict):
        raise InvalidRequest(f'{where}: is not an object; write {{"id": …, "title": …, "body": …}}')
    key, title, body = (_text(value, field, where) for field in ("id", "title", "body"))
    return _document(key, title, body, detect_language(body), where)


def _text(value: dict[str, Any], field: str, where: str) -> str:
    text = value.get(field)
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest(f'{where}: "{field}" is missing, empty or not text; give it as a string')
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidRequest(
            f'{where}: "{field}" holds half of a character (\\ud800–\\udfff); write it in full'
        )
    return text.replace("\0", " ").strip()


def _from_section(section: Section, suffix: str, where: str) -> Document:
    if not section.body:
        raise InvalidRequest(
            f"{where}: there is no text under {section.title!r}; write some or take the heading away"
        )
    key = section.id or _slug(" ".join(section.path))[: MAX_ID - len(suffix)]
    if not key:
        raise InvalidRequest(f"{where}: the heading has no letters to make an id of; add one as {{#my-id}}")
    language = suffix.removeprefix(".") or detect_language(section.body)
    return _document(key + suffix, section.title, section.body, language, where)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[^\W_]+", text.lower()))


def _document(key: str, title: str, body: str, language: str, where: str) -> Document:
    for field, text, limit in (("id", key, MAX_ID), ("title", title, MAX_TITLE), ("body", body, MAX_BODY)):
        if len(text) > limit:
            raise InvalidRequest(
                f"{where}: the {field} is longer than {limit} characters; shorten or split it"
            )
    return Document(key, title, body, language)


def _checked(entries: Sequence[_Entry], name: str) -> list[Document]:
    if not entries:
        raise InvalidRequest(f"{name}: there is nothing in it; add at least one document")
    for line, first, key in _repeated(entries):
        raise InvalidRequest(f"{name}, line {line}: the id {key!r} is taken by line {first}; give another")
    return [entry.document for entry in entries]


def _repeated(entries: Sequence[_Entry]) -> Iterator[tuple[int, int, str]]:
    seen: dict[str, int] = {}
    for entry in entries:
        first = seen.setdefault(entry.document.id, entry.line)
        if first != entry.line:
            yield entry.line, first, entry.document.id

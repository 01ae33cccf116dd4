"""Reads a file by its ending.

What reads HTML, Word and PDF takes half a second to load, so it is loaded with the first such file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from server.domain.knowledge import Document
from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.documents import checked, entries_of, slug, with_ids_of_their_own
from server.knowledge.files.json_lines import parse_json_lines
from server.knowledge.files.markdown import markdown_sections
from server.knowledge.files.outline import Section

MAX_FILE_BYTES = 20 * 2**20
# ``knowledge.he.md`` says of itself that it is in Hebrew.
_LANGUAGE = re.compile(r"\.([a-z]{2})$", re.IGNORECASE)


def read_documents(path: Path, called: str = "") -> list[Document]:
    """The documents of a file, whose name is their ``source``.

    Files from elsewhere are read with `read_confined`, which bounds time and memory too.

    Args:
        called: its path as messages give it, such as its name alone; if empty, in full.

    Raises:
        InvalidRequest: the file cannot be read, or something in it is wrong.
    """
    # A name may hold bytes that are no text.
    name = (called or str(path)).encode(errors="replace").decode()
    parse = _parser(path, name)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidRequest(
                Phrase(
                    "{name}: larger than {most} MB; split it into several files",
                    name=name,
                    most=MAX_FILE_BYTES // 2**20,
                )
            )
        content = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(
            Phrase("{name}: cannot be read ({why}); check the path", name=name, why=error.strerror)
        ) from error
    return [replace(document, source=PurePath(name).name) for document in parse(content, name)]


def parse_markdown(text: str, name: str) -> list[Document]:
    """Each heading with text of its own is a document.

    Its id is what stands in braces after the heading (``## Pool {#pool}``), else a slug of the heading
    and those above it. In a file whose name ends in ``.he.md`` or the like, ``.he`` is added to the ids:
    documents whose ids differ only in that tell the same in two languages.
    """
    return checked(entries_of(markdown_sections(text, name), name, _language(name)), name)


def parse_html(content: bytes, name: str) -> list[Document]:
    """As Markdown, but ids are made from the file's name and the headings, or the ``id`` of these."""
    from server.knowledge.files.html import html_sections, line_of

    return _tidy(html_sections(content, name, _stem(name), line_of), name)


def parse_word(content: bytes, name: str) -> list[Document]:
    """As HTML."""
    from server.knowledge.files.word import word_sections

    return _tidy(word_sections(content, name, _stem(name)), name)


def parse_pdf(content: bytes, name: str) -> list[Document]:
    """As HTML."""
    from server.knowledge.files.pdf import pdf_sections

    return _tidy(pdf_sections(content, name, _stem(name)), name)


def _parser(path: Path, name: str) -> Callable[[bytes, str], list[Document]]:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return lambda content, name: parse_json_lines(_text(content, name), name)
        case ".md" | ".markdown":
            return lambda content, name: parse_markdown(_text(content, name), name)
        case ".html" | ".htm":
            return parse_html
        case ".docx":
            return parse_word
        case ".pdf":
            return parse_pdf
    raise InvalidRequest(
        Phrase(
            "{name}: give a file that ends in .jsonl (JSON lines), .md (Markdown), .html, .docx or .pdf",
            name=name,
        )
    )


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InvalidRequest(Phrase("{name}: is not UTF-8 text; save it as UTF-8", name=name)) from error


def _tidy(sections: Sequence[Section], name: str) -> list[Document]:
    with_ids = with_ids_of_their_own(sections, slug(_stem(name)))
    return checked(entries_of(with_ids, name, _language(name)), name)


def _language(name: str) -> str:
    found = _LANGUAGE.search(PurePath(name).stem)
    return found[1].lower() if found else ""


def _stem(name: str) -> str:
    """``rules`` of ``folder/rules.he.pdf``."""
    return _LANGUAGE.sub("", PurePath(name).stem)

"""JSON lines: a document a line, each field as the author gives it."""

from __future__ import annotations

import json
from typing import Any

from server.domain.knowledge import Document
from server.domain.language import detect_language
from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.documents import Entry, checked, make_document
from server.knowledge.files.marks import Marks
from server.knowledge.files.marks import checked as checked_marks
from server.knowledge.files.places import line, within

_EXAMPLE = '{"id": …, "title": …, "body": …}'


def parse_json_lines(text: str, name: str) -> list[Document]:
    """One JSON object a line: ``{"id", "title", "body"}``, all of them text; empty lines are skipped.

    ``valid_from``, ``valid_until`` and ``hours`` may be given too; see ``Document``.

    Raises:
        InvalidRequest: a line is not that.
    """
    entries = [
        Entry(line(number), _document(content, within(name, line(number))))
        for number, content in enumerate(text.split("\n"), start=1)
        if content.strip()
    ]
    return checked(entries, name)


def _document(content: str, where: str) -> Document:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            Phrase("{where}: is not JSON; write {example}", where=where, example=_EXAMPLE)
        ) from error
    if not isinstance(value, dict):
        raise InvalidRequest(
            Phrase("{where}: is not an object; write {example}", where=where, example=_EXAMPLE)
        )
    key, title, body = (_required(value, field, where) for field in ("id", "title", "body"))
    valid_from, valid_until, hours = (
        _optional(value, field, where) for field in ("valid_from", "valid_until", "hours")
    )
    marks = checked_marks(Marks(valid_from=valid_from, valid_until=valid_until, hours=hours), where)
    return make_document(key, title, body, detect_language(body), marks, where)


def _required(value: dict[str, Any], field: str, where: str) -> str:
    text = value.get(field)
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest(
            Phrase(
                '{where}: "{field}" is missing, empty or not text; give it as a string',
                where=where,
                field=field,
            )
        )
    return _plain(text, field, where)


def _optional(value: dict[str, Any], field: str, where: str) -> str:
    text = value.get(field) or ""
    if not isinstance(text, str):
        raise InvalidRequest(
            Phrase(
                '{where}: "{field}" is not text; give it as a string, or leave it out',
                where=where,
                field=field,
            )
        )
    return _plain(text, field, where)


def _plain(text: str, field: str, where: str) -> str:
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidRequest(
            Phrase(
                '{where}: "{field}" holds half of a character (\\ud800–\\udfff); write it in full',
                where=where,
                field=field,
            )
        )
    return text.replace("\0", " ").strip()

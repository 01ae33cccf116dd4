"""Sections become documents: ids, lengths, and long ones in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from textwrap import wrap

from server.domain.knowledge import Document
from server.domain.language import detect_language
from server.domain.phrases import Phrase
from server.errors import InvalidRequest
from server.knowledge.files.marks import Marks
from server.knowledge.files.outline import Section
from server.knowledge.files.places import within

MAX_ID = 128
MAX_TITLE = 1_000
MAX_BODY = 20_000
_LIMITS = ((Phrase("id"), MAX_ID), (Phrase("title"), MAX_TITLE), (Phrase("body"), MAX_BODY))
# An answer quotes a document: what is longer is told in several.
LONG_BODY = 1_500
# Room in an id for a number and a language: "-1234.he".
_ID_ROOM = 8

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document and its place in the file."""

    place: str
    document: Document


def slug(text: str) -> str:
    """*text* as an id: its letters and digits in lower case, with hyphens between words."""
    return "-".join(re.findall(r"[^\W_]+", text.lower()))


def entries_of(sections: Sequence[Section], name: str, language: str) -> list[Entry]:
    """A document for each section, several for a long one.

    Args:
        language: what the file says it is in, which is added to the ids (``pool.he``); or empty.

    Raises:
        InvalidRequest: a section has no text, or no id can be made of it.
    """
    keys = [_key(section, within(name, section.place)) for section in sections]
    taken = set(keys)
    return [
        Entry(section.place, _document(section, piece_key, piece, language, within(name, section.place)))
        for section, key in zip(sections, keys, strict=True)
        for piece_key, piece in _numbered(key, pieces(section.body), taken)
    ]


def with_ids_of_their_own(sections: Sequence[Section], prefix: str) -> list[Section]:
    """*sections* each with an id that begins with *prefix* and is the only one in the file.

    For files whose author did not think of ids; the prefix keeps them apart from other files' ids.
    """
    limit = MAX_ID - 2 * _ID_ROOM
    keys = [
        "-".join(filter(None, (prefix, section.marks.id or slug(" ".join(section.path)))))[:limit] or "page"
        for section in sections
    ]
    taken, seen = set(keys), set[str]()
    with_ids: list[Section] = []
    for section, key in zip(sections, keys, strict=True):
        unique = _next_free(key, taken) if key in seen else key
        seen.add(unique)
        with_ids.append(replace(section, marks=replace(section.marks, id=unique)))
    return with_ids


def make_document(key: str, title: str, body: str, language: str, marks: Marks, where: str) -> Document:
    """Raises InvalidRequest: something is too long."""
    for (field, limit), text in zip(_LIMITS, (key, title, body), strict=True):
        if len(text) > limit:
            raise InvalidRequest(
                Phrase(
                    "{where}: the {field} is longer than {limit} characters; shorten or split it",
                    where=where,
                    field=field,
                    limit=limit,
                )
            )
    return Document(key, title, body, language, marks.valid_from, marks.valid_until, marks.hours)


def checked(entries: Sequence[Entry], name: str) -> list[Document]:
    """The documents of a whole file.

    Raises:
        InvalidRequest: there are none, or two have the same id.
    """
    if not entries:
        raise InvalidRequest(Phrase("{name}: there is nothing in it; add at least one document", name=name))
    places: dict[str, str] = {}
    for entry in entries:
        key = entry.document.id
        if key in places:
            raise InvalidRequest(
                Phrase(
                    "{where}: the id {key!r} is taken by {taken_by}; give another",
                    where=within(name, entry.place),
                    key=key,
                    taken_by=places[key],
                )
            )
        places[key] = entry.place
    return [entry.document for entry in entries]


def joined(files: Iterable[tuple[str, Sequence[Document]]]) -> list[Document]:
    """The documents of several files, each with its path.

    Raises:
        InvalidRequest: two would replace what the other says.
    """
    paths: dict[str, str] = {}
    documents: dict[str, Document] = {}
    for path, found in files:
        name = PurePath(path).name
        if name in paths:
            raise InvalidRequest(
                Phrase(
                    "{name}: has the name of {other}, by which its documents are known; rename one",
                    name=path,
                    other=paths[name],
                )
            )
        paths[name] = path
        for document in found:
            if document.id in documents:
                raise InvalidRequest(
                    Phrase(
                        "{where}: the id {key!r} is taken by {taken_by}; give another",
                        where=path,
                        key=document.id,
                        taken_by=documents[document.id].source,
                    )
                )
            documents[document.id] = document
    return list(documents.values())


def pieces(body: str) -> list[str]:
    """*body* in pieces of at most ``LONG_BODY`` characters, cut between paragraphs, or where one is longer
    between its lines, its sentences, its words. A longer word stays whole."""
    parts = _parts(body, ["\n\n", "\n"])
    filled: list[str] = []
    for separator, part in parts:
        if filled and len(filled[-1]) + len(separator) + len(part) <= LONG_BODY:
            filled[-1] += separator + part
        else:
            filled.append(part)
    return filled


def _parts(text: str, separators: Sequence[str]) -> Iterator[tuple[str, str]]:
    """*text* in the largest parts that are not long, each with what stands before it."""
    if len(text) <= LONG_BODY:
        yield " ", text
        return
    if not separators:
        for sentence in _SENTENCE_END.split(text):
            yield from ((" ", part) for part in _wrapped(sentence))
        return
    first, *smaller = separators
    for block in filter(str.strip, text.split(first)):
        for place, (separator, part) in enumerate(_parts(block, smaller)):
            yield (separator if place else first), part


def _wrapped(sentence: str) -> list[str]:
    return wrap(sentence, LONG_BODY, break_long_words=False, break_on_hyphens=False)


def _key(section: Section, where: str) -> str:
    if not section.title.strip():
        raise InvalidRequest(Phrase("{where}: the heading has no words; write some", where=where))
    if not section.body:
        raise InvalidRequest(
            Phrase(
                "{where}: there is no text under {title!r}; write some or take the heading away",
                where=where,
                title=section.title,
            )
        )
    key = section.marks.id or slug(" ".join(section.path))[: MAX_ID - _ID_ROOM]
    if not key:
        raise InvalidRequest(
            Phrase("{where}: the heading has no letters to make an id of; add one as {{#my-id}}", where=where)
        )
    return key


def _document(section: Section, key: str, body: str, language: str, where: str) -> Document:
    whole_key = f"{key}.{language}" if language else key
    return make_document(
        whole_key, section.title, body, language or detect_language(body), section.marks, where
    )


def _numbered(key: str, bodies: Iterable[str], taken: set[str]) -> Iterator[tuple[str, str]]:
    for place, body in enumerate(bodies):
        yield (_next_free(key, taken) if place else key), body


def _next_free(key: str, taken: set[str]) -> str:
    """*key* with the first number from 2 on that is not taken; it is now."""
    number = 2
    while f"{key}-{number}" in taken:
        number += 1
    taken.add(f"{key}-{number}")
    return f"{key}-{number}"

"""What staff type becomes documents, by the rules of the import."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, replace

import structlog

from server.domain.knowledge import Document
from server.domain.language import UNDETERMINED, detect_language
from server.domain.phrases import Phrase
from server.domain.tenants import Tenant
from server.errors import InvalidRequest
from server.knowledge.files.documents import MAX_ID, make_document, slug
from server.knowledge.files.marks import NO_MARKS, Marks, checked
from server.knowledge.ingest import embed_documents
from server.ports.ai import Embedder
from server.ports.knowledge import KnowledgeStore

# Pages wait so long for a document's vectors; what is not there then is made behind them.
PATIENCE_S = 4.0
_AT_ONCE = 2
# Room in an id for a number.
_ID_ROOM = 8

_LANGUAGE = re.compile(r"[a-z]{2,3}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentText:
    """A document as it is typed, right or wrong. ``language`` is empty where the text tells it."""

    title: str = ""
    body: str = ""
    language: str = ""
    valid_from: str = ""
    valid_until: str = ""
    hours: str = ""


class FaultyText(Exception):
    """*faults* says of each field what is wrong with it and how to mend it."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


def as_typed(document: Document) -> DocumentText:
    """*document* as a form shows it: with its language where that is not what the text tells."""
    is_told = document.language in (UNDETERMINED, detect_language(document.body))
    return DocumentText(
        title=document.title,
        body=document.body,
        language="" if is_told else document.language,
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        hours=document.hours,
    )


def typed_document(document_id: str, text: DocumentText, source: str = "") -> Document:
    """The document that *text* makes.

    Raises:
        FaultyText: it makes none.
    """
    faults = _faults(document_id, text)
    if faults:
        raise FaultyText(faults)
    marks = Marks(valid_from=text.valid_from, valid_until=text.valid_until, hours=text.hours)
    language = text.language or detect_language(text.body)
    made = make_document(document_id, text.title, text.body, language, marks, "")
    return replace(made, source=source)


def id_of(title: str) -> str:
    """An id made of a title; empty where it has no letters."""
    return slug(title)[: MAX_ID - _ID_ROOM].strip("-")


def _faults(document_id: str, text: DocumentText) -> dict[str, str]:
    title, body = Phrase("title"), Phrase("text")
    season = Marks(valid_from=text.valid_from, valid_until=text.valid_until)
    checks: dict[str, Callable[[], object]] = {
        "id": lambda: make_document(document_id, "", "", "", NO_MARKS, Phrase("id")),
        "title": lambda: make_document("", _required(text.title, title), "", "", NO_MARKS, title),
        "body": lambda: make_document("", "", _required(text.body, body), "", NO_MARKS, body),
        "valid_from": lambda: checked(season, Phrase("season")),
        "hours": lambda: checked(Marks(hours=text.hours), Phrase("opening hours")),
        "language": lambda: _check_language(text.language),
    }
    faults = {}
    for field, check in checks.items():
        try:
            check()
        except InvalidRequest as error:
            faults[field] = error.args[0]
    return faults


def _required(text: str, field: str) -> str:
    if not text.strip():
        raise InvalidRequest(Phrase("{where}: there is none; write it", where=field))
    return text


def _check_language(language: str) -> None:
    if language and not _LANGUAGE.fullmatch(language):
        raise InvalidRequest(Phrase("language: choose one of the list"))


class VectorMaker:
    """Embeds what staff have written, so that the next guest does not wait for it; any thread may ask."""

    def __init__(self, store: KnowledgeStore, embedder: Embedder, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._embedder = embedder
        self._patience_s = patience_s
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vectors")

    def make(self, tenant: Tenant, document: Document) -> bool:
        """Embed *document*; whether that was done in time. What was not goes on behind.

        Raises:
            StoreUnavailable: the vectors cannot be kept.
        """
        making = self._threads.submit(embed_documents, self._store, self._embedder, tenant, [document])
        try:
            making.result(self._patience_s)
        except NotInTime:
            log.info("knowledge.vectors_late", tenant=tenant.id)
            return False
        return True

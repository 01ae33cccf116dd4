"""The pages of what a business tells its guests: looked through, changed, added to, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import count

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import LONGEST_SEARCH
from server.console.display import language_names
from server.console.forms import written
from server.console.pages import Pages
from server.console.translations import gettext
from server.domain.knowledge import Document
from server.domain.staff import Permission
from server.errors import Conflict, NotFound
from server.knowledge.editing import (
    DocumentText,
    FaultyText,
    VectorMaker,
    as_typed,
    id_of,
    typed_document,
)
from server.store.documents import Documents, KeptDocument

MOST_WORDS = 8
# Of a title that several documents have.
_MOST_ALIKE = 100


def add_knowledge(blueprint: Blueprint, pages: Pages, documents: Documents, vectors: VectorMaker) -> None:
    """Add the list, the page of each document, and the forms that change them."""
    _add_list(blueprint, pages, documents)
    _add_changes(blueprint, pages, documents, vectors)
    _add_additions(blueprint, pages, documents, vectors)
    _add_deletions(blueprint, pages, documents)


def _add_list(blueprint: Blueprint, pages: Pages, documents: Documents) -> None:
    @blueprint.get("/knowledge")
    def list_documents() -> str:
        tenant_id = current_member().tenant_id
        text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
        after = request.args.get("after", "").replace("\0", "")
        return pages.render(
            "knowledge.html",
            page=documents.page(tenant_id, text.split()[:MOST_WORDS], after),
            total=documents.count(tenant_id),
            text=text,
            is_first=not after,
            is_removed="removed" in request.args,
        )


def _add_changes(blueprint: Blueprint, pages: Pages, documents: Documents, vectors: VectorMaker) -> None:
    @blueprint.get("/knowledge/<path:document_id>")
    def show_document(document_id: str) -> str:
        kept = documents.get(current_member().tenant_id, document_id)
        return _page_of(pages, kept, as_typed(kept.document), kept.mark)

    @blueprint.post("/knowledge/<path:document_id>")
    @needs(Permission.ANSWER)
    def change_document(document_id: str) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        typed, seen = _typed(), request.form.get("seen", "")
        try:
            kept = documents.get(tenant_id, document_id)
            document = typed_document(document_id, typed, kept.document.source)
            vectors.make(pages.tenants.get(tenant_id), document)
            documents.change(tenant_id, document, seen, current_actor())
        except FaultyText as error:
            return _page_of(pages, kept, typed, seen, error.faults), HTTPStatus.UNPROCESSABLE_ENTITY
        except Conflict:
            kept = documents.get(tenant_id, document_id)
            return _page_of(pages, kept, typed, kept.mark, is_overtaken=True), HTTPStatus.CONFLICT
        except NotFound:
            return _new_page(pages, document_id, typed, is_gone=True), HTTPStatus.CONFLICT
        return _to_document(document_id)


def _add_additions(blueprint: Blueprint, pages: Pages, documents: Documents, vectors: VectorMaker) -> None:
    @blueprint.get("/documents/new")
    @needs(Permission.ANSWER)
    def new_document() -> str:
        return _new_page(pages, "", DocumentText())

    @blueprint.post("/documents/new")
    @needs(Permission.ANSWER)
    def add_document() -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        wanted_id, typed = _one_line("id"), _typed()
        try:
            made = typed_document(wanted_id or id_of(typed.title) or "document", typed)
            vectors.make(pages.tenants.get(tenant_id), made)
            document_id = _add(documents, tenant_id, made, is_free=not wanted_id)
        except FaultyText as error:
            return _new_page(pages, wanted_id, typed, error.faults), HTTPStatus.UNPROCESSABLE_ENTITY
        except Conflict:
            faults = {"id": gettext("another document has this id; write another, or leave it empty")}
            return _new_page(pages, wanted_id, typed, faults), HTTPStatus.CONFLICT
        return _to_document(document_id)


def _add_deletions(blueprint: Blueprint, pages: Pages, documents: Documents) -> None:
    @blueprint.get("/documents/delete/<path:document_id>")
    @needs(Permission.ANSWER)
    def confirm_deletion(document_id: str) -> str:
        kept = documents.get(current_member().tenant_id, document_id)
        return pages.render("knowledge_delete.html", kept=kept, is_overtaken=False)

    @blueprint.post("/documents/delete/<path:document_id>")
    @needs(Permission.ANSWER)
    def delete_document(document_id: str) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        try:
            documents.remove(tenant_id, document_id, request.form.get("seen", ""), current_actor())
        except Conflict:
            kept = documents.get(tenant_id, document_id)
            page = pages.render("knowledge_delete.html", kept=kept, is_overtaken=True)
            return page, HTTPStatus.CONFLICT
        except NotFound:
            # Sent twice, or somebody else was quicker: it is gone, as was wanted.
            pass
        return redirect(url_for("console.list_documents", removed=1), HTTPStatus.SEE_OTHER)


def _add(documents: Documents, tenant_id: str, made: Document, *, is_free: bool) -> str:
    """Add *made*; under the next free id where it *is_free* to have another. Returns the id.

    Raises:
        Conflict: the id is taken.
    """
    for number in count(1):
        document = made if number == 1 else _renamed(made, f"{made.id}-{number}")
        try:
            documents.add(tenant_id, document, current_actor())
        except Conflict:
            if not is_free or number == _MOST_ALIKE:
                raise
        else:
            return document.id
    raise AssertionError("count() has no end")


def _renamed(document: Document, document_id: str) -> Document:
    return typed_document(document_id, as_typed(document))


def _page_of(
    pages: Pages,
    kept: KeptDocument,
    typed: DocumentText,
    seen: str,
    faults: Mapping[str, str] | None = None,
    *,
    is_overtaken: bool = False,
) -> str:
    return pages.render(
        "knowledge_document.html",
        document=kept.document,
        typed=typed,
        seen=seen,
        faults=faults or {},
        is_overtaken=is_overtaken,
        is_saved="saved" in request.args,
        language_names=language_names,
    )


def _new_page(
    pages: Pages,
    document_id: str,
    typed: DocumentText,
    faults: Mapping[str, str] | None = None,
    *,
    is_gone: bool = False,
) -> str:
    return pages.render(
        "knowledge_new.html",
        document_id=document_id,
        typed=typed,
        faults=faults or {},
        is_gone=is_gone,
        language_names=language_names,
    )


def _typed() -> DocumentText:
    return DocumentText(
        title=_one_line("title"),
        body=written("body"),
        language=_one_line("language"),
        valid_from=_one_line("valid_from"),
        valid_until=_one_line("valid_until"),
        hours=_one_line("hours"),
    )


def _one_line(field: str) -> str:
    return " ".join(written(field).split())


def _to_document(document_id: str) -> ResponseReturnValue:
    page = url_for("console.show_document", document_id=document_id, saved=1)
    return redirect(page, HTTPStatus.SEE_OTHER)

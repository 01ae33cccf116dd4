"""Files become documents: a look at what they would change, and then the word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.import_jobs import ImportJobs
from server.console.pages import Pages
from server.console.translations import gettext, words_of
from server.domain.knowledge import Document
from server.domain.staff import Permission
from server.errors import InvalidRequest, NotFound, TooBusy
from server.knowledge.staged import MOST_FILES, Staged, StagedImports, Upload
from server.ports.knowledge import KnowledgeStore
from server.store.knowledge import Knowledge

# All files of one import, and what a form takes around them.
MOST_BYTES = 41 * 2**20
_UPLOAD = "console.preview_import"
# So many documents are shown of each kind.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Part:
    """What an import does to some documents: how many they are, and the first of them."""

    total: int
    shown: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would change."""

    new: Part
    changed: Part
    missing: Part
    unchanged: int

    @property
    def changes_nothing(self) -> bool:
        """Whether everything is there already."""
        return not (self.new.total or self.changed.total or self.missing.total)


def take_large_files(blueprint: Blueprint) -> None:
    """Let the import's form be larger than others. To be called before anything that reads forms."""

    @blueprint.before_request
    def widen() -> None:
        if request.endpoint == _UPLOAD:
            request.max_content_length = MOST_BYTES


def add_import(
    blueprint: Blueprint, pages: Pages, staged: StagedImports, jobs: ImportJobs, knowledge: Knowledge
) -> None:
    """Add the form for files, the look at them, and what became of them."""

    @blueprint.get("/imports")
    @needs(Permission.ANSWER)
    def choose_files() -> str:
        return pages.render("knowledge_import.html", fault="", most_files=MOST_FILES)

    @blueprint.post("/imports")
    @needs(Permission.ANSWER)
    def preview_import() -> ResponseReturnValue:
        files = request.files.getlist("files")
        uploads = [Upload(file.filename or "", file.stream) for file in files if file]
        try:
            token = staged.put(current_member().tenant_id, uploads)
        except (InvalidRequest, TooBusy) as error:
            page = pages.render("knowledge_import.html", fault=words_of(error), most_files=MOST_FILES)
            return page, HTTPStatus.UNPROCESSABLE_ENTITY
        return _to_import(token)

    @blueprint.get("/imports/<token>")
    @needs(Permission.ANSWER)
    def show_import(token: str) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        try:
            held = staged.find(tenant_id, token)
        except NotFound:
            fault = gettext(
                "These files are not kept any more: they are forgotten after an hour. Choose them again."
            )
            page = pages.render("knowledge_import.html", fault=fault, most_files=MOST_FILES)
            return page, HTTPStatus.NOT_FOUND
        progress = staged.progress(tenant_id, token)
        preview = _preview(knowledge, tenant_id, held) if progress.step.value == "waiting" else None
        return pages.render(
            "knowledge_import_look.html", token=token, staged=held, progress=progress, preview=preview
        )

    @blueprint.post("/imports/<token>")
    @needs(Permission.ANSWER)
    def confirm_import(token: str) -> ResponseReturnValue:
        tenant = pages.tenants.get(current_member().tenant_id)
        keeps_missing = request.form.get("removes_missing") != "1"
        jobs.start(tenant, token, current_actor(), keeps_missing=keeps_missing)
        return _to_import(token)


def _preview(knowledge: Knowledge, tenant_id: str, staged: Staged) -> Preview:
    plan = knowledge.plan(tenant_id, staged.documents, whole_sources=staged.sources)
    missing = _missing(knowledge, tenant_id, plan.missing)
    return Preview(
        new=_part(staged.documents, plan.new),
        changed=_part(staged.documents, plan.changed),
        missing=missing,
        unchanged=len(staged.documents) - len(plan.new) - len(plan.changed),
    )


def _missing(knowledge: KnowledgeStore, tenant_id: str, ids: frozenset[str]) -> Part:
    return _part(knowledge.documents(tenant_id), ids) if ids else Part(0, ())


def _part(documents: Sequence[Document], ids: frozenset[str]) -> Part:
    return Part(len(ids), [document for document in documents if document.id in ids][:SHOWN])


def _to_import(token: str) -> ResponseReturnValue:
    return redirect(url_for("console.show_import", token=token), HTTPStatus.SEE_OTHER)

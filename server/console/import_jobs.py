"""Imports that a page has started and does not wait for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import asdict
from threading import Lock

import structlog

from server.domain.modes import Actor
from server.domain.tenants import Tenant
from server.knowledge.ingest import embed_documents
from server.knowledge.staged import Progress, StagedImports, Step
from server.ports.ai import Embedder
from server.ports.knowledge import KnowledgeStore
from server.store.documents import Documents

# A small import is done before its page is shown.
PATIENCE_S = 3.0

log = structlog.get_logger(__name__)


class ImportJobs:
    """Runs confirmed imports one after another behind the pages. A second word for one changes nothing."""

    def __init__(
        self, staged: StagedImports, documents: Documents, knowledge: KnowledgeStore, embedder: Embedder
    ) -> None:
        self._staged = staged
        self._documents = documents
        self._knowledge = knowledge
        self._embedder = embedder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._starting = Lock()

    def start(
        self, tenant: Tenant, token: str, actor: Actor, *, keeps_missing: bool, patience_s: float = PATIENCE_S
    ) -> None:
        """Take in what was staged under *token*; returns when it is done, or after a while.

        Raises:
            NotFound: it is not there (any more).
        """
        staged = self._staged.find(tenant.id, token)
        with self._starting:
            if self._staged.progress(tenant.id, token).step in (Step.RUNNING, Step.DONE):
                return
            self._staged.note(tenant.id, token, Progress(Step.RUNNING))
        running: Future[None] = self._thread.submit(
            self._run, tenant, token, actor, () if keeps_missing else staged.sources
        )
        try:
            running.result(patience_s)
        except NotInTime:
            log.info("import.goes_on", tenant=tenant.id)

    def _run(self, tenant: Tenant, token: str, actor: Actor, whole_sources: Sequence[str]) -> None:
        def note(done: int, total: int) -> None:
            self._staged.note(tenant.id, token, Progress(Step.RUNNING, done, total))

        try:
            documents = self._staged.find(tenant.id, token).documents
            embed_documents(self._knowledge, self._embedder, tenant, documents, progress=note)
            changes = self._documents.take_in(tenant.id, documents, whole_sources, actor)
            counts = {name: value for name, value in asdict(changes).items() if name != "taken_over"}
            self._staged.note(tenant.id, token, Progress(Step.DONE, counts=counts))
            log.info("import.done", tenant=tenant.id, **counts)
        except Exception as error:  # noqa: BLE001 - there is nobody to raise it to: the page tells of it
            log.error("import.failed", tenant=tenant.id, error=type(error).__name__)
            self._staged.note(tenant.id, token, Progress(Step.FAILED))

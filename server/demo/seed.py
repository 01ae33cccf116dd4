"""Puts the demo business in as tenant 1."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from server.knowledge.files.reading import read_documents
from server.knowledge.ingest import import_documents
from server.knowledge.vectors import Progress
from server.ports.ai import Embedder
from server.store.knowledge import Knowledge
from server.store.tenants import SETTINGS, Tenants
from server.store.users import Users

DEMO_TENANT = "1"
DEMO_USER = "demo"

_FOLDER = Path(__file__).parent
_PAGES = ("knowledge.en.md", "knowledge.he.md")
_PASSWORD_BYTES = 15


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was added. The password is kept nowhere else."""

    business: str
    documents: int
    user: str
    password: str


def is_seeded(tenants: Tenants) -> bool:
    """Whether there is a tenant 1 already, the demo's or another."""
    return any(tenant.id == DEMO_TENANT for tenant in tenants.all())


def seed_demo(
    tenants: Tenants, knowledge: Knowledge, users: Users, embedder: Embedder, progress: Progress
) -> Seeded:
    """Add the demo business with its knowledge and a staff login.

    Raises:
        UnprocessableRequest: there is a tenant 1.
    """
    settings = SETTINGS.validate_python(json.loads((_FOLDER / "business.json").read_text(encoding="utf-8")))
    tenants.add(DEMO_TENANT, settings)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    users.add(DEMO_TENANT, DEMO_USER, password)
    documents = [document for page in _PAGES for document in read_documents(_FOLDER / page)]
    import_documents(
        knowledge,
        embedder,
        tenants.get(DEMO_TENANT),
        documents,
        threads=len(os.sched_getaffinity(0)),
        progress=progress,
    )
    return Seeded(settings.name, len(documents), DEMO_USER, password)

"""Businesses and their settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.modes import Actor
from server.domain.tenants import Tenant, TenantSettings
from server.errors import Conflict, NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.models import TenantRow
from server.store.session import Database

# Reads what is kept as JSON; a setting that a later version added has its default.
SETTINGS = TypeAdapter(TenantSettings)


class Tenants:
    """The ``TenantStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, tenant_id: str) -> Tenant:
        """The tenant of that id.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as session:
            return to_tenant(get_tenant_row(session, tenant_id))

    def all(self) -> Sequence[Tenant]:
        """Every tenant, by id."""
        with self._database.read() as session:
            rows = session.scalars(select(TenantRow).order_by(TenantRow.id))
            return [to_tenant(row) for row in rows]

    def add(self, tenant_id: str, settings: TenantSettings) -> None:
        """Make a tenant.

        Raises:
            UnprocessableRequest: the id is taken.
        """
        with self._database.write() as session:
            added = session.execute(
                self._database.insert(TenantRow)
                .values(id=tenant_id, settings=asdict(settings), created_at=self._clock.now())
                .on_conflict_do_nothing()
                .returning(TenantRow.id)
            ).first()
            if added is None:
                raise UnprocessableRequest(f"tenant {tenant_id} exists already; choose another id")

    def update(self, tenant_id: str, settings: TenantSettings) -> None:
        """Replace a tenant's settings.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.write() as session:
            get_tenant_row(session, tenant_id)
            change = update(TenantRow).where(TenantRow.id == tenant_id)
            session.execute(change.values(settings=asdict(settings)))

    def change(self, tenant_id: str, settings: TenantSettings, seen: str, actor: Actor) -> Sequence[str]:
        """Replace the settings that were *seen*, a `settings_mark`; the names of what is different now.

        The pause is left as it is: it has a switch of its own.

        Raises:
            Conflict: they have been changed since.
            NotFound: there is no such tenant.
        """
        with self._database.write() as session:
            row = _locked(session, tenant_id)
            before = to_tenant(row).settings
            if settings_mark(before) != seen:
                raise Conflict("the settings have been changed meanwhile: look at them and save again")
            after = replace(settings, ai_paused=before.ai_paused)
            names = changed_settings(before, after)
            if names:
                row.settings = asdict(after)
                subject, now = f"tenant {tenant_id}", self._clock.now()
                add_audit(session, tenant_id, actor, "settings.changed", subject, now, settings=names)
            return names

    def set_paused(self, tenant_id: str, paused: bool, actor: Actor) -> None:
        """Let people answer all guests, or the desk again; from the next message on, in all processes.

        Raises:
            NotFound: there is no such tenant.
        """
        with self._database.write() as session:
            row = _locked(session, tenant_id)
            before = to_tenant(row).settings
            if before.ai_paused == paused:
                return
            row.settings = asdict(replace(before, ai_paused=paused))
            action = "desk.paused" if paused else "desk.resumed"
            add_audit(session, tenant_id, actor, action, f"tenant {tenant_id}", self._clock.now())


def settings_mark(settings: TenantSettings) -> str:
    """What tells whether settings, but for the pause, are still those that somebody saw."""
    seen = asdict(replace(settings, ai_paused=False))
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:32]


def changed_settings(before: TenantSettings, after: TenantSettings) -> Sequence[str]:
    """The names of what differs."""
    names = [field.name for field in fields(TenantSettings)]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _locked(session: Session, tenant_id: str) -> TenantRow:
    row = session.get(TenantRow, tenant_id, with_for_update=True)
    if row is None:
        raise no_such_tenant(tenant_id)
    return row


def get_tenant_row(session: Session, tenant_id: str) -> TenantRow:
    """The tenant's row.

    Raises:
        NotFound: there is none.
    """
    row = session.get(TenantRow, tenant_id)
    if row is None:
        raise no_such_tenant(tenant_id)
    return row


def no_such_tenant(tenant_id: str) -> NotFound:
    """The error that says so."""
    return NotFound(f"there is no tenant {tenant_id!r}; `frontdesk tenant list` shows those there are")


def to_tenant(row: TenantRow) -> Tenant:
    """The row as the domain knows it."""
    return read_tenant(row.id, row.settings, row.knowledge_version)


def read_tenant(tenant_id: str, settings: Mapping[str, Any], knowledge_version: int) -> Tenant:
    """A tenant from what its row holds."""
    return Tenant(tenant_id, SETTINGS.validate_python(settings), knowledge_version)

"""API keys, kept as hashes: whoever reads the database cannot use them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from server.domain.audit import AuditAction
from server.domain.modes import OPERATOR, Actor
from server.domain.phrases import Phrase
from server.errors import NotFound, UnprocessableRequest
from server.ports.clock import Clock
from server.store.audit import add_audit
from server.store.models import ApiKeyRow, table_of
from server.store.session import Database
from server.store.tenants import get_tenant_row

NAME_MAX_LENGTH = 64
_KEY_START = "fd_"
_KEY_BYTES = 32
_ROW = table_of(ApiKeyRow)
# A caller waits for it with every call: it is compiled once. Nothing of it is remembered, so that a key that
# was revoked opens nothing in any process.
_FIND = select(_ROW.c.tenant_id).where(_ROW.c.key_hash == bindparam("hash"), _ROW.c.revoked_at.is_(None))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, as far as it can be shown again. ``name`` may be empty."""

    id: int
    name: str
    created_at: datetime
    revoked_at: datetime | None


class ApiKeys:
    """The ``KeyStore`` port, and what staff do with their keys."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, tenant_id: str, name: str = "", actor: Actor = OPERATOR) -> str:
        """Make a key of the tenant and return it: the only time it can be seen.

        Raises:
            UnprocessableRequest: the name is too long, or cannot be shown.
            NotFound: there is no such tenant.
        """
        name = _checked(name)
        key = _KEY_START + secrets.token_urlsafe(_KEY_BYTES)
        now = self._clock.now()
        with self._database.write() as session:
            get_tenant_row(session, tenant_id)
            row = ApiKeyRow(tenant_id=tenant_id, key_hash=_hash(key), name=name, created_at=now)
            session.add(row)
            session.flush()
            add_audit(session, tenant_id, actor, AuditAction.KEY_MADE, _subject(row), now)
        return key

    def all(self, tenant_id: str) -> Sequence[ApiKey]:
        """The tenant's keys, the newest first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(ApiKeyRow).where(ApiKeyRow.tenant_id == tenant_id).order_by(ApiKeyRow.id.desc())
            )
            return [ApiKey(row.id, row.name, row.created_at, row.revoked_at) for row in rows]

    def revoke(self, tenant_id: str, key_id: int, actor: Actor = OPERATOR) -> None:
        """Let the key open nothing any more; it stays in the list.

        Raises:
            NotFound: the tenant has no such key.
        """
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(ApiKeyRow, key_id, with_for_update=True)
            if row is None or row.tenant_id != tenant_id:
                raise NotFound(
                    f"the business has no key {key_id}; `frontdesk keys list` shows those that it has"
                )
            if row.revoked_at is None:
                row.revoked_at = now
                add_audit(session, tenant_id, actor, AuditAction.KEY_REVOKED, _subject(row), now)

    def find_tenant(self, key: str) -> str | None:
        """The tenant a key belongs to, unless it was revoked."""
        with self._database.read() as session:
            found: str | None = session.connection().execute(_FIND, {"hash": _hash(key)}).scalar_one_or_none()
        return found


def _checked(name: str) -> str:
    name = name.strip()
    if len(name) > NAME_MAX_LENGTH or not name.isprintable():
        raise UnprocessableRequest(
            Phrase("a key's name has at most {most} printable characters", most=NAME_MAX_LENGTH)
        )
    return name


def _subject(row: ApiKeyRow) -> str:
    return f"key {row.id}: {row.name}" if row.name else f"key {row.id}"


def _hash(key: str) -> str:
    # The key is random over its whole length: a plain hash is as good as a slow one, and finding it by
    # its hash tells a stopwatch nothing about the key.
    return hashlib.sha256(key.encode()).hexdigest()

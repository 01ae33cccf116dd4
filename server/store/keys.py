"""API keys, kept as hashes: whoever reads the database cannot use them."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import select

from server.ports.clock import Clock
from server.store.models import ApiKeyRow
from server.store.session import Database
from server.store.tenants import get_tenant_row

_KEY_START = "fd_"
_KEY_BYTES = 32


class ApiKeys:
    """The ``KeyStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, tenant_id: str) -> str:
        """Make a key of the tenant and return it: the only time it can be seen."""
        key = _KEY_START + secrets.token_urlsafe(_KEY_BYTES)
        with self._database.write() as session:
            get_tenant_row(session, tenant_id)
            session.add(ApiKeyRow(tenant_id=tenant_id, key_hash=_hash(key), created_at=self._clock.now()))
        return key

    def find_tenant(self, key: str) -> str | None:
        """The tenant a key belongs to."""
        with self._database.read() as session:
            return session.scalars(
                select(ApiKeyRow.tenant_id).where(ApiKeyRow.key_hash == _hash(key))
            ).one_or_none()


def _hash(key: str) -> str:
    # The key is random over its whole length: a plain hash is as good as a slow one, and finding it by
    # its hash tells a stopwatch nothing about the key.
    return hashlib.sha256(key.encode()).hexdigest()

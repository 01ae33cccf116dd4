"""API keys, kept as hashes: whoever reads the database cannot use them."""

from __future__ import annotations

import hashlib
import secrets
from threading import Lock

from cachetools import TTLCache
from sqlalchemy import bindparam, select

from server.ports.clock import Clock
from server.store.models import ApiKeyRow, table_of
from server.store.session import Database
from server.store.tenants import get_tenant_row

_KEY_START = "fd_"
_KEY_BYTES = 32


REMEMBERED_S = 5.0
_MOST_REMEMBERED = 10_000
_ROW = table_of(ApiKeyRow)
_FIND = select(_ROW.c.tenant_id).where(_ROW.c.key_hash == bindparam("hash"))


class ApiKeys:
    """The ``KeyStore`` port."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # By the key's hash. A caller waits for it with every call.
        self._found: TTLCache[str, str] = TTLCache(_MOST_REMEMBERED, REMEMBERED_S, clock.monotonic)
        self._lock = Lock()

    def create(self, tenant_id: str) -> str:
        """Make a key of the tenant and return it: the only time it can be seen."""
        key = _KEY_START + secrets.token_urlsafe(_KEY_BYTES)
        with self._database.write() as session:
            get_tenant_row(session, tenant_id)
            session.add(ApiKeyRow(tenant_id=tenant_id, key_hash=_hash(key), created_at=self._clock.now()))
        return key

    def find_tenant(self, key: str) -> str | None:
        """The tenant a key belongs to. One that is taken away is good for `REMEMBERED_S` more at most."""
        key_hash = _hash(key)
        with self._lock:
            tenant_id = self._found.get(key_hash)
        if tenant_id is not None:
            return tenant_id
        with self._database.read() as session:
            tenant_id = session.connection().execute(_FIND, {"hash": key_hash}).scalar_one_or_none()
        if tenant_id is not None:
            with self._lock:
                self._found[key_hash] = tenant_id
        return tenant_id


def _hash(key: str) -> str:
    # The key is random over its whole length: a plain hash is as good as a slow one, and finding it by
    # its hash tells a stopwatch nothing about the key.
    return hashlib.sha256(key.encode()).hexdigest()

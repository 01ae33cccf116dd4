"""Whose API call this is."""

from __future__ import annotations

from flask import Request

from server.errors import Unauthenticated
from server.ports.store import KeyStore


def tenant_of(request: Request, keys: KeyStore) -> str:
    """The tenant whose key the request carries.

    Raises:
        Unauthenticated: it carries none that we know.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    tenant_id = keys.find_tenant(key.strip()) if scheme.lower() == "bearer" else None
    if tenant_id is None:
        raise Unauthenticated("send Authorization: Bearer KEY; `frontdesk keys create` makes a key")
    return tenant_id

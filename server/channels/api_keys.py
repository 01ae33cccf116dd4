"""Whose API call this is."""

from __future__ import annotations

from flask import Request

from server.errors import Unauthenticated
from server.ports.store import KeyStore

NO_KEY = "send Authorization: Bearer KEY; `frontdesk keys create` makes a key"


def tenant_of(request: Request, keys: KeyStore) -> str:
    """The tenant whose key the request carries.

    Raises:
        Unauthenticated: it carries none that we know.
    """
    return owner_of(bearer_key(request.headers.get("Authorization", "")), keys)


def bearer_key(authorization: str) -> str:
    """The key in an ``Authorization`` header.

    Raises:
        Unauthenticated: there is none.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthenticated(NO_KEY)
    return key.strip()


def owner_of(key: str, keys: KeyStore) -> str:
    """The tenant that *key* belongs to.

    Raises:
        Unauthenticated: we know no such key.
    """
    tenant_id = keys.find_tenant(key)
    if tenant_id is None:
        raise Unauthenticated(NO_KEY)
    return tenant_id

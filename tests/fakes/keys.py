"""Keys that are known in the clear."""

from __future__ import annotations


class FakeKeys:
    """Keeps the ``KeyStore`` port: the key of tenant ``1`` is ``key of 1``."""

    def __init__(self, *tenant_ids: str) -> None:
        self._tenants = {f"key of {tenant_id}": tenant_id for tenant_id in tenant_ids}

    def create(self, tenant_id: str) -> str:
        """Its key."""
        self._tenants[f"key of {tenant_id}"] = tenant_id
        return f"key of {tenant_id}"

    def revoke(self, key: str) -> None:
        """It opens nothing any more."""
        del self._tenants[key]

    def find_tenant(self, key: str) -> str | None:
        """Whose key it is."""
        return self._tenants.get(key)

"""Finds the sidecar of a business's number."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from server.errors import ProviderUnavailable, StoreUnavailable

# A number moves when its sidecar dies; who then calls in vain looks again at once.
REMEMBERED_S = 5.0


class SidecarDirectory(Protocol):
    """What is known of several sidecars."""

    def holder(self, tenant_id: str) -> str | None:
        """Where the sidecar listens that holds the tenant's number; None if none does.

        Raises:
            StoreUnavailable: it cannot be told now.
        """
        ...

    def sidecars(self) -> list[str]:
        """Where all living sidecars listen, the one with the fewest numbers first.

        Raises:
            StoreUnavailable: it cannot be told now.
        """
        ...


class SidecarFinder:
    """Remembers for a moment what the directory said.

    Args:
        default_url: the one sidecar of an installation without a directory.
        directory: None where there is one sidecar.
    """

    def __init__(
        self,
        default_url: str,
        directory: SidecarDirectory | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default_url = default_url
        self._directory = directory
        self._monotonic = monotonic
        self._found: dict[str, tuple[str, float]] = {}

    def url_of(self, tenant_id: str) -> str:
        """The sidecar that holds the tenant's number, or the one that should link it.

        Raises:
            ProviderUnavailable: the directory does not answer.
        """
        if self._directory is None:
            return self._default_url
        url, until = self._found.get(tenant_id, ("", 0.0))
        if self._monotonic() < until:
            return url
        url = self._look_up(self._directory, tenant_id)
        self._found[tenant_id] = (url, self._monotonic() + REMEMBERED_S)
        return url

    def has_moved(self, tenant_id: str, url: str) -> bool:
        """Whether the tenant's number is elsewhere than at *url*; looks again.

        Raises:
            ProviderUnavailable: the directory does not answer.
        """
        self.forget(tenant_id)
        return self.url_of(tenant_id) != url

    def forget(self, tenant_id: str) -> None:
        """Look again the next time."""
        self._found.pop(tenant_id, None)

    def all(self) -> list[str]:
        """Every living sidecar, or the one that the settings name.

        Raises:
            ProviderUnavailable: the directory does not answer.
        """
        if self._directory is None:
            return [self._default_url]
        try:
            return self._directory.sidecars() or [self._default_url]
        except StoreUnavailable as error:
            raise _unknown() from error

    def _look_up(self, directory: SidecarDirectory, tenant_id: str) -> str:
        try:
            return directory.holder(tenant_id) or next(iter(directory.sidecars()), self._default_url)
        except StoreUnavailable as error:
            raise _unknown() from error


def _unknown() -> ProviderUnavailable:
    return ProviderUnavailable("whatsapp", "the database does not tell which sidecar")

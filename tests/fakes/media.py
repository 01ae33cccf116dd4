"""What guests sent beside words, without a channel to fetch it from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from server.errors import ProviderError, ProviderRejected
from server.ports.media import PROVIDER, MediaFault


class FakeMedia:
    """Keeps the ``MediaSource`` port: ``files`` by the message's id. ``outages`` fail the next, in order."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.fetched: list[str] = []
        self.outages: list[ProviderError] = []

    def fetch(
        self,
        tenant_id: str,  # noqa: ARG002 - the port's
        message: Mapping[str, Any],
        into: BinaryIO,
        most_bytes: int,
    ) -> None:
        """Write the file, or as much of it as it takes to fail."""
        name = str(message["key"]["id"])
        self.fetched.append(name)
        if self.outages:
            into.write(b"half")
            raise self.outages.pop(0)
        if name not in self.files:
            raise ProviderRejected(PROVIDER, MediaFault.GONE)
        into.write(self.files[name][:most_bytes])
        if len(self.files[name]) > most_bytes:
            raise ProviderRejected(PROVIDER, MediaFault.TOO_LARGE)

"""Media of WhatsApp messages, fetched and decrypted by the sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import requests
from requests import codes

from server.adapters.deadline import deadline, has_passed
from server.adapters.http import HttpClient
from server.adapters.sidecar_finder import SidecarDirectory, SidecarFinder
from server.errors import LineDown, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.media import PROVIDER, MediaFault
from server.ports.performance import PoolState

# From the question to the last byte. The sidecar gives up after fifteen seconds, and then says why.
FETCH_TIMEOUT_S = 17.0
_PIECE_BYTES = 64 * 1024
_ERRORS: Mapping[int, tuple[type[ProviderError], MediaFault]] = {
    codes.request_entity_too_large: (ProviderRejected, MediaFault.TOO_LARGE),
    codes.gone: (ProviderRejected, MediaFault.GONE),
    codes.unprocessable_entity: (ProviderRejected, MediaFault.NO_MEDIA),
    codes.bad_gateway: (ProviderRejected, MediaFault.CORRUPT),
    codes.service_unavailable: (LineDown, MediaFault.NOT_CONNECTED),
    codes.gateway_timeout: (ProviderTimeout, MediaFault.LATE),
}


class SidecarMedia:
    """Keeps the ``MediaSource`` port.

    Args:
        base_url: where the sidecar listens, if there is one.
        secret: what it and we know each other by.
        directory: tells which of several sidecars has a number.
        timeout_s: from the question to the last byte.
    """

    def __init__(
        self,
        base_url: str,
        secret: str,
        directory: SidecarDirectory | None = None,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._finder = SidecarFinder(base_url, directory)
        self._http = HttpClient(PROVIDER, {"X-Internal-Secret": secret}, heeds_environment=False)
        self._timeout_s = timeout_s

    def fetch(self, tenant_id: str, message: Mapping[str, object], into: BinaryIO, most_bytes: int) -> None:
        """Write what *message* carries, whatever length was announced."""
        url = self._finder.url_of(tenant_id)
        with deadline(self._timeout_s):
            try:
                self._fetch(url, tenant_id, message, into, most_bytes)
            except LineDown:
                # Nothing was written yet: the number may be at another sidecar by now.
                if not self._finder.has_moved(tenant_id, url):
                    raise
                self._fetch(self._finder.url_of(tenant_id), tenant_id, message, into, most_bytes)

    def pool_state(self) -> PoolState:
        """The connections that are kept to sidecars."""
        return self._http.pool_state()

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _fetch(
        self, url: str, tenant_id: str, message: Mapping[str, object], into: BinaryIO, most_bytes: int
    ) -> None:
        body = {"tenantId": tenant_id, "message": message}
        with self._http.exchange("POST", f"{url}/media", self._timeout_s, json=body, stream=True) as answer:
            if answer.status_code != codes.ok:
                raise _error(answer.status_code)
            self._write(answer, into, most_bytes)

    def _write(self, answer: requests.Response, into: BinaryIO, most_bytes: int) -> None:
        left = most_bytes
        try:
            for piece in answer.iter_content(_PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    raise ProviderRejected(PROVIDER, MediaFault.TOO_LARGE)
                into.write(piece)
        except requests.RequestException as error:
            if isinstance(error, requests.Timeout) or has_passed():
                raise ProviderTimeout(PROVIDER, MediaFault.LATE) from error
            raise ProviderUnavailable(PROVIDER, MediaFault.CUT) from error


def _error(status: int) -> ProviderError:
    kind, fault = _ERRORS.get(
        status,
        (ProviderUnavailable, MediaFault.CUT)
        if status == codes.too_many_requests or status >= codes.server_error
        else (ProviderRejected, MediaFault.REFUSED),
    )
    return kind(PROVIDER, fault)

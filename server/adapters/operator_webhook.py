"""Tells whoever runs the installation that something is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from server.adapters.http import HttpClient

TIMEOUT_S = 5.0


class OperatorWebhook:
    """POSTs events as JSON to one address; a repeated ``Idempotency-Key`` is the same event."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = HttpClient("operator_webhook")

    def tell(self, event: Mapping[str, object], key: str) -> None:
        """Return once the address has answered with 2xx.

        Raises:
            ProviderUnavailable: worth another try, with the same key.
            ProviderRejected: final.
        """
        self._http.request("POST", self._url, TIMEOUT_S, json=dict(event), headers={"Idempotency-Key": key})

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

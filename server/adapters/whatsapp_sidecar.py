"""WhatsApp through the Node sidecar."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from requests import codes

from server.adapters.http import HttpClient
from server.domain.messages import OutboundMessage
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.messaging import PresenceState

# The sidecar itself gives up waiting for WhatsApp's ack after ten seconds.
SEND_TIMEOUT_S = 15.0
PRESENCE_TIMEOUT_S = 2.0
LINK_TIMEOUT_S = 10.0
HEALTH_TIMEOUT_S = 1.0


class WhatsAppSidecar:
    """Keeps ``ChannelSender`` and ``PresenceSender``, and links numbers.

    Args:
        base_url: where the sidecar listens.
        secret: what it and we know each other by.
    """

    def __init__(self, base_url: str, secret: str) -> None:
        self._base_url = base_url
        self._http = HttpClient("whatsapp", {"X-Internal-Secret": secret})

    def send(self, message: OutboundMessage) -> None:
        """Send *message*; returns on WhatsApp's own ack. The sidecar sends one message id once."""
        body = {
            "tenantId": message.tenant_id,
            "to": message.to,
            "text": message.text,
            "messageId": message.message_id,
        }
        try:
            self._http.post(f"{self._base_url}/send", body, SEND_TIMEOUT_S)
        except ProviderUnavailable as error:
            # 502 says that WhatsApp itself refused for good, and why.
            if error.reason.startswith(f"HTTP {codes.bad_gateway}"):
                raise ProviderRejected("whatsapp", error.reason) from error
            raise

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        """Show *state* to a guest."""
        body = {"tenantId": tenant_id, "to": to, "state": state}
        self._http.post(f"{self._base_url}/sendTyping", body, PRESENCE_TIMEOUT_S)

    def connect(self, tenant_id: str, phone: str | None) -> None:
        """Start to link the tenant's number: with a QR code, or a pairing code for *phone*."""
        body = {} if phone is None else {"phone": phone}
        self._http.post(f"{self._tenant_url(tenant_id)}/connect", body, LINK_TIMEOUT_S)

    def state(self, tenant_id: str) -> dict[str, Any]:
        """The link's state as in the contract; asking keeps a QR code fresh."""
        answer = self._http.request("GET", self._tenant_url(tenant_id), LINK_TIMEOUT_S).json()
        return dict(answer)

    def is_up(self) -> bool:
        """Whether the sidecar answers at all."""
        try:
            self._http.request("GET", f"{self._base_url}/health", HEALTH_TIMEOUT_S)
        except ProviderRejected:
            return True
        except ProviderUnavailable as error:
            # A linked number that is deaf makes it unhealthy, not absent.
            return error.reason.startswith("HTTP")
        return True

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _tenant_url(self, tenant_id: str) -> str:
        return f"{self._base_url}/tenants/{quote(tenant_id, safe='')}"

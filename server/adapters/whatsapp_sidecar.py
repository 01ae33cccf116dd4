"""WhatsApp through the Node sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import requests
from requests import codes

from server.adapters.http import HttpClient
from server.adapters.sidecar_finder import SidecarDirectory, SidecarFinder
from server.domain.messages import OutboundMessage
from server.domain.phrases import Phrase
from server.errors import Conflict, LineDown, ProviderError, ProviderRejected, ProviderUnavailable
from server.ports.messaging import PresenceState
from server.ports.performance import PoolState

# The sidecar itself gives up waiting for WhatsApp's ack after ten seconds.
SEND_TIMEOUT_S = 15.0
PRESENCE_TIMEOUT_S = 2.0
LINK_TIMEOUT_S = 10.0
HEALTH_TIMEOUT_S = 1.0
# Shorter than a lease: whoever erases a guest holds some meanwhile.
FORGET_TIMEOUT_S = 5.0

_ON_ITS_WAY = Phrase(
    "a message from or to this guest is on its way yet: try again in a moment, or in some minutes if it "
    "could not be read"
)


class WhatsAppSidecar:
    """Keeps ``ChannelSender``, ``PresenceSender``, ``NumberKeeper`` and ``LinkMemory``.

    Args:
        base_url: where the sidecar listens, if there is one.
        secret: what it and we know each other by.
        directory: tells which of several sidecars has a number.
    """

    def __init__(self, base_url: str, secret: str, directory: SidecarDirectory | None = None) -> None:
        self._finder = SidecarFinder(base_url, directory)
        self._http = HttpClient("whatsapp", {"X-Internal-Secret": secret}, heeds_environment=False)

    def send(self, message: OutboundMessage) -> None:
        """Send *message*; returns on WhatsApp's own ack. The sidecar sends one message id once."""
        body = {
            "tenantId": message.tenant_id,
            "to": message.to,
            "text": message.text,
            "messageId": message.message_id,
        }
        try:
            self._ask(message.tenant_id, "POST", "/send", SEND_TIMEOUT_S, json=body)
        except ProviderUnavailable as error:
            # 502 says that WhatsApp itself refused for good, and why.
            if error.reason.startswith(f"HTTP {codes.bad_gateway}"):
                raise ProviderRejected("whatsapp", error.reason) from error
            if error.reason.startswith(f"HTTP {codes.service_unavailable}"):
                raise LineDown("whatsapp", error.reason) from error
            raise

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        """Show *state* to a guest."""
        body = {"tenantId": tenant_id, "to": to, "state": state}
        self._ask(tenant_id, "POST", "/sendTyping", PRESENCE_TIMEOUT_S, json=body)

    def connect(self, tenant_id: str, phone: str | None) -> None:
        """Start to link the tenant's number: with a QR code, or a pairing code for *phone*."""
        body = {} if phone is None else {"phone": phone}
        self._ask(tenant_id, "POST", f"{_path(tenant_id)}/connect", LINK_TIMEOUT_S, json=body)

    def state(self, tenant_id: str) -> dict[str, Any]:
        """The link's state as in the contract; asking keeps a QR code fresh."""
        answer = self._ask(tenant_id, "GET", _path(tenant_id), LINK_TIMEOUT_S)
        try:
            return dict(answer.json())
        except (ValueError, TypeError) as error:
            raise ProviderUnavailable("whatsapp", "the answer is no state of a number") from error

    def log_out(self, tenant_id: str) -> None:
        """Take the link away, on the phone too where that is possible."""
        self._ask(tenant_id, "DELETE", _path(tenant_id), LINK_TIMEOUT_S)

    def forget(self, tenant_id: str, addresses: Sequence[str], message_ids: Sequence[str]) -> None:
        """Have the tenant's sidecar forget a person, whether or not the number is linked."""
        body = {"addresses": list(addresses), "messageIds": list(message_ids)}
        try:
            self._ask(tenant_id, "POST", f"{_path(tenant_id)}/forget", FORGET_TIMEOUT_S, json=body)
        except ProviderRejected as error:
            if error.reason.startswith(f"HTTP {codes.conflict}"):
                raise Conflict(_ON_ITS_WAY) from error
            raise

    def pool_state(self) -> PoolState:
        """The connections that are kept to sidecars."""
        return self._http.pool_state()

    def lines(self) -> list[dict[str, Any]]:
        """How each linked number is; with a deaf one its sidecar answers 503, and tells all the same."""
        told, faults = [], []
        for url in self._finder.all():
            try:
                told.append(self._lines_of(url))
            except ProviderUnavailable as error:
                # One of several that has just died: another will have its numbers.
                faults.append(error)
        if faults and not told:
            raise faults[0]
        return [line for lines in told for line in lines]

    def is_up(self) -> bool:
        """Whether a sidecar answers at all."""
        try:
            return any(self._answers(url) for url in self._finder.all())
        except ProviderUnavailable:
            return False

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _ask(
        self, tenant_id: str, method: str, path: str, timeout_s: float, **arguments: Any
    ) -> requests.Response:
        """Ask the tenant's sidecar; where the number has moved meanwhile, the one that has it now."""
        url = self._finder.url_of(tenant_id)
        try:
            return self._http.request(method, url + path, timeout_s, **arguments)
        except ProviderError as error:
            if not _may_be_elsewhere(error) or not self._finder.has_moved(tenant_id, url):
                raise
        return self._http.request(method, self._finder.url_of(tenant_id) + path, timeout_s, **arguments)

    def _lines_of(self, url: str) -> list[dict[str, Any]]:
        try:
            answer = self._http.exchange("GET", f"{url}/health", HEALTH_TIMEOUT_S).json()
            return [dict(line) for line in answer["tenants"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderUnavailable("whatsapp", "the answer is no health of a sidecar") from error

    def _answers(self, url: str) -> bool:
        try:
            self._http.request("GET", f"{url}/health", HEALTH_TIMEOUT_S)
        except ProviderRejected:
            return True
        except ProviderUnavailable as error:
            # A linked number that is deaf makes it unhealthy, not absent.
            return error.reason.startswith("HTTP")
        return True


def _may_be_elsewhere(error: ProviderError) -> bool:
    """Whether who was asked is away, or not the one who has the number: 503, or 409 for linking it."""
    answers = (f"HTTP {codes.service_unavailable}", f"HTTP {codes.conflict}")
    return error.reason.startswith(answers) or not error.reason.startswith("HTTP")


def _path(tenant_id: str) -> str:
    return f"/tenants/{quote(tenant_id, safe='')}"

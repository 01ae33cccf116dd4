"""Senders that keep what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.domain.messages import OutboundMessage
from server.errors import AppError, ProviderError, ProviderUnavailable
from server.ports.mail import Mail
from server.ports.messaging import PresenceState


class FakeSender:
    """Keeps the ``ChannelSender`` port; ``outages`` fail the next sends, in order."""

    def __init__(self) -> None:
        self.sent: list[OutboundMessage] = []
        self.outages: list[ProviderError] = []

    def send(self, message: OutboundMessage) -> None:
        """Keep *message*, or fail as told."""
        if self.outages:
            raise self.outages.pop(0)
        self.sent.append(message)


class FakePresence:
    """Keeps the ``PresenceSender`` port; ``outage`` fails every call."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, PresenceState]] = []
        self.outage: ProviderError | None = None

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        """Keep what was shown, or fail as told."""
        if self.outage is not None:
            raise self.outage
        self.shown.append((tenant_id, to, state))


class FakeLines:
    """Keeps the ``LineHealth`` port; ``outage`` fails every call."""

    def __init__(self) -> None:
        self.numbers: list[Mapping[str, Any]] = []
        self.outage: ProviderUnavailable | None = None

    def lines(self) -> Sequence[Mapping[str, Any]]:
        """What the test has put there."""
        if self.outage is not None:
            raise self.outage
        return self.numbers


class FakeNumbers(FakeLines):
    """Keeps the ``NumberKeeper`` port: each number is what the test says it is."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, Mapping[str, Any]] = {}
        self.connected: list[tuple[str, str | None]] = []
        self.logged_out: list[str] = []

    def is_up(self) -> bool:
        """Unless there is an outage."""
        return self.outage is None

    def connect(self, tenant_id: str, phone: str | None) -> None:
        """Keep what was asked, or fail as told."""
        self._check()
        self.connected.append((tenant_id, phone))

    def state(self, tenant_id: str) -> Mapping[str, Any]:
        """What the test has put there."""
        self._check()
        return self.states.get(tenant_id, {"tenantId": tenant_id, "state": "disconnected"})

    def log_out(self, tenant_id: str) -> None:
        """Keep what was asked, or fail as told."""
        self._check()
        self.logged_out.append(tenant_id)

    def _check(self) -> None:
        if self.outage is not None:
            raise self.outage


class FakeLinkMemory:
    """Keeps the ``LinkMemory`` port; ``fault`` fails every call."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[str, Sequence[str], Sequence[str]]] = []
        self.fault: AppError | None = None

    def forget(self, tenant_id: str, addresses: Sequence[str], message_ids: Sequence[str]) -> None:
        """Keep who is to be forgotten, or fail as told."""
        if self.fault is not None:
            raise self.fault
        self.forgotten.append((tenant_id, addresses, message_ids))


class FakeMailer:
    """Keeps the ``Mailer`` port: what was delivered, once for each key."""

    def __init__(self) -> None:
        self.delivered: dict[str, Mail] = {}

    def deliver(self, mail: Mail) -> None:
        """Keep *mail*."""
        self.delivered.setdefault(mail.idempotency_key, mail)

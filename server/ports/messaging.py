"""What we ask of whatever carries messages to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from server.domain.messages import OutboundMessage


class PresenceState(StrEnum):
    """What a guest sees below the business's name."""

    COMPOSING = "composing"
    PAUSED = "paused"


class ChannelSender(Protocol):
    """Sends one committed message; blocking, to be called in a worker thread."""

    def send(self, message: OutboundMessage) -> None:
        """Return once the provider has taken *message*. Sending the same message id again is harmless.

        Raises:
            ProviderUnavailable: worth a retry, with the same message id.
            ProviderRejected: final.
        """
        ...


class NumberLinker(Protocol):
    """Links a business's own number; blocking."""

    def is_up(self) -> bool:
        """Whether whatever holds the link answers."""
        ...

    def connect(self, tenant_id: str, phone: str | None) -> None:
        """Start to link the tenant's number: with a QR code, or a pairing code for *phone*.

        Raises:
            ProviderError: it cannot be done.
        """
        ...

    def state(self, tenant_id: str) -> Mapping[str, Any]:
        """``{tenantId, state, qr?, pairingCode?, me?, reason?}``; asking keeps a QR code fresh.

        Raises:
            ProviderError: it cannot be told.
        """
        ...

    def log_out(self, tenant_id: str) -> None:
        """Take the link away, here and on the phone.

        Raises:
            ProviderError: it cannot be done.
        """
        ...


class LineHealth(Protocol):
    """Tells how the linked numbers are; blocking, a second at most."""

    def lines(self) -> Sequence[Mapping[str, Any]]:
        """``{tenantId, state, since, linked, banRisk, lastInboundAt, lastAckAt, probeOk}`` of each number.

        Raises:
            ProviderUnavailable: it cannot be told.
        """
        ...


class NumberKeeper(NumberLinker, LineHealth, Protocol):
    """Whatever holds the links: it makes them, ends them, and tells how they are."""


class LinkMemory(Protocol):
    """Whatever the link keeps of people; blocking."""

    def forget(self, tenant_id: str, addresses: Sequence[str], message_ids: Sequence[str]) -> None:
        """Forget a person of the tenant's. Harmless when repeated.

        Args:
            addresses: the JIDs by which the person is known.
            message_ids: of messages to others that tell of the person.

        Raises:
            Conflict: something of the person's is on its way yet; nothing was forgotten.
            ProviderError: it cannot be told whether anything was.
        """
        ...


class PresenceSender(Protocol):
    """Shows a guest that an answer is being written; blocking."""

    def show(self, tenant_id: str, to: str, state: PresenceState) -> None:
        """Best effort.

        Raises:
            ProviderError: it could not be shown; nobody waits for it.
        """
        ...

"""Senders that keep what they are given."""

from __future__ import annotations

from server.domain.messages import OutboundMessage
from server.errors import ProviderError
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

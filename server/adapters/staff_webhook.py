"""Tells the business's own systems that a guest needs a person."""

from __future__ import annotations

import json

from server.adapters.http import HttpClient
from server.domain.messages import OutboundMessage

TIMEOUT_S = 10.0


class StaffWebhook:
    """``ChannelSender`` that POSTs the message's text, which is JSON, to the address it is for.

    The message id is sent along as ``Idempotency-Key``: a repeated one is the same event.
    """

    def __init__(self) -> None:
        self._http = HttpClient("staff_webhook")

    def send(self, message: OutboundMessage) -> None:
        """Return once the address has answered with 2xx."""
        self._http.request(
            "POST",
            message.to,
            TIMEOUT_S,
            json=json.loads(message.text),
            headers={"Idempotency-Key": message.message_id},
        )

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

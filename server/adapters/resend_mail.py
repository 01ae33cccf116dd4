"""E-mail by Resend."""

from __future__ import annotations

from server.adapters.http import HttpClient
from server.errors import ProviderRejected, ProviderUnavailable
from server.ports.mail import Mail

TIMEOUT_S = 10.0
# The same e-mail is being taken at this moment: Resend's `concurrent_idempotent_requests`.
_CONFLICT = "HTTP 409"


class ResendMailer:
    """Keeps ``Mailer`` with Resend's API (https://resend.com/docs/api-reference/emails/send-email).

    Resend keeps an ``Idempotency-Key`` for a day; a repetition after that would be a second e-mail.

    Args:
        sender: as in ``From``, of a domain that was verified with Resend.
    """

    def __init__(self, api_key: str, base_url: str, sender: str) -> None:
        self._url = f"{base_url}/emails"
        self._sender = sender
        self._http = HttpClient("resend", {"Authorization": f"Bearer {api_key}"})

    def deliver(self, mail: Mail) -> None:
        """Return once Resend has taken it."""
        body = {"from": self._sender, "to": [mail.to], "subject": mail.subject, "text": mail.text}
        try:
            self._http.request(
                "POST", self._url, TIMEOUT_S, json=body, headers={"Idempotency-Key": mail.idempotency_key}
            )
        except ProviderRejected as error:
            if error.reason.startswith(_CONFLICT):
                raise ProviderUnavailable("resend", error.reason) from error
            raise

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

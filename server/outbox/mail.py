"""Staff's e-mails leave through the outbox like everything else."""

from __future__ import annotations

from server.domain.messages import OutboundMessage
from server.errors import ProviderRejected
from server.ports.mail import Mail, Mailer

_LONGEST_SUBJECT = 150


class MailSender:
    """``ChannelSender`` over a mailer; the text's first line is the subject."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    def send(self, message: OutboundMessage) -> None:
        """Return once the provider has taken the e-mail."""
        subject, _, text = message.text.partition("\n")
        self._mailer.deliver(
            Mail(
                to=message.to,
                subject=subject.rstrip(":")[:_LONGEST_SUBJECT],
                text=text or subject,
                idempotency_key=message.message_id,
            )
        )


class NoMail:
    """``ChannelSender`` of an installation without e-mail: says what is missing."""

    def send(self, message: OutboundMessage) -> None:  # noqa: ARG002 - the port's own name
        """Never sends.

        Raises:
            ProviderRejected: always.
        """
        raise ProviderRejected("mail", "not configured: set RESEND_API_KEY and MAIL_FROM")

"""What we ask of whoever delivers e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One e-mail in plain text. The same ``idempotency_key`` again is the same e-mail."""

    to: str
    subject: str
    text: str
    idempotency_key: str


class Mailer(Protocol):
    """Delivers e-mail; blocking."""

    def deliver(self, mail: Mail) -> None:
        """Return once the provider has taken it.

        Raises:
            ProviderUnavailable: worth a retry, with the same key.
            ProviderRejected: final.
        """
        ...

"""Small secrets that are kept in the database: nobody reads them there."""

from __future__ import annotations

from typing import Protocol


class SecretSeal(Protocol):
    """Seals and opens secrets."""

    def seal(self, secret: bytes, label: str) -> bytes:
        """*secret*, so that nobody else can read or change it; *label* tells what it is and whose."""
        ...

    def open(self, sealed: bytes, label: str) -> bytes:
        """What was sealed under *label*.

        Raises:
            SettingsError: it was sealed under another key or label, or was changed.
        """
        ...

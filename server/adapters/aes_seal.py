"""Small secrets sealed with AES-256-GCM: a nonce of 12 random bytes, then the secret and its tag."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.errors import SettingsError

# Random nonces of this length are good for some billions of secrets under one key (NIST SP 800-38D, 8.3).
_NONCE_BYTES = 12


class AesSeal:
    """Keeps the ``SecretSeal`` port.

    Args:
        key: of 32 bytes; what was sealed under another cannot be opened.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, label: str) -> bytes:
        """The label is authenticated with it: a secret cannot be passed off as somebody else's."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, label.encode())

    def open(self, sealed: bytes, label: str) -> bytes:
        """Raises SettingsError if the key is another one."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, label.encode())
        except (InvalidTag, ValueError):
            raise SettingsError(
                "a second factor cannot be read: put staff-key back into the data folder from a backup, or "
                "have it switched off with `frontdesk user reset NAME`"
            ) from None

"""Whether a request is Twilio's: signed with the account's token, over the address that Twilio was given."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator

from server.errors import Forbidden

HEADER = "X-Twilio-Signature"
_SOCKET_SCHEMES = {"https": "wss", "http": "ws"}


class TwilioSignatures:
    """Checks signatures.

    Args:
        auth_token: of the account.
        public_base_url: as Twilio reaches us. Addresses are never taken from a request's own headers, which
            whoever sends it may choose.
    """

    def __init__(self, auth_token: str, public_base_url: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._base_url = public_base_url.rstrip("/")
        parts = urlsplit(self._base_url)
        self.socket_base_url = parts._replace(scheme=_SOCKET_SCHEMES[parts.scheme]).geturl()

    def url(self, path: str) -> str:
        """The public address of *path*."""
        return f"{self._base_url}{path}"

    def check_webhook(self, path: str, form: Mapping[str, str], signature: str) -> None:
        """Let a webhook through.

        Args:
            path: with its query.

        Raises:
            Forbidden: Twilio has not signed it.
        """
        # The validator compares in constant time.
        if not self._validator.validate(self.url(path), dict(form), signature):
            raise Forbidden("the request is not signed by Twilio for this address: check PUBLIC_BASE_URL")

    def check_socket(self, path: str, signature: str) -> None:
        """Let a socket's upgrade through.

        Raises:
            Forbidden: Twilio has not signed it.
        """
        if not self._validator.validate(f"{self.socket_base_url}{path}", {}, signature):
            raise Forbidden("the socket is not signed by Twilio for this address: check PUBLIC_BASE_URL")

"""Where public URLs lead in the lab, and requests signed as Twilio signs them.

The signature is always over the public URL; the connection goes wherever the route says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import httpx2
from twilio.request_validator import RequestValidator

from simulators.twilio import notices
from simulators.twilio.notices import CallFailure

_MOST_REDIRECTS = 10
_MOST_CONNECTIONS = 300
_REDIRECTED = frozenset({301, 302, 303, 307, 308})

Method = Literal["GET", "POST"]


class Routes:
    """Leads public URLs to real addresses.

    Args:
        leads: origins, such as ``{"https://desk.example": "http://127.0.0.1:5000",
            "wss://desk.example": "ws://127.0.0.1:5050"}``. Others are called as they stand.
    """

    def __init__(self, leads: Mapping[str, str]) -> None:
        self._leads = {_origin(public): _origin(real) for public, real in leads.items()}

    def real(self, url: str) -> str:
        """Where *url* leads."""
        parts = urlsplit(url)
        origin = self._leads.get(_origin(url))
        if origin is None:
            return url
        scheme, _, host = origin.partition("://")
        return urlunsplit((scheme, host, parts.path or "/", parts.query, ""))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, and the public URL it came from in the end."""

    url: str
    content_type: str
    body: bytes


class Signer:
    """Signs with the account's token."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def signature(self, url: str, parameters: Mapping[str, str]) -> str:
        """The value of X-Twilio-Signature."""
        return str(self._validator.compute_signature(url, dict(parameters)))


class Webhooks:
    """Calls the server's URLs.

    Args:
        timeout_s: for a whole answer; Twilio waits 15 seconds.
    """

    def __init__(self, signer: Signer, routes: Routes, timeout_s: float) -> None:
        self._signer = signer
        self._routes = routes
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            timeout=None,
            trust_env=False,
            limits=httpx2.Limits(max_connections=_MOST_CONNECTIONS),
            headers={"user-agent": "TwilioProxy/1.1", "accept": "*/*"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def fetch(self, method: str, url: str, parameters: Mapping[str, str]) -> Fetched:
        """What *url* answers.

        Raises:
            CallFailure: nothing came in time, or no success.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(method, url, parameters)
        except TimeoutError:
            detail = f"{url} has not answered within {self._timeout_s:g} s"
            raise CallFailure(notices.HTTP_RETRIEVAL, detail) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise CallFailure(notices.HTTP_RETRIEVAL, f"{url}: {error!r}") from None

    async def _follow(self, method: str, url: str, parameters: Mapping[str, str]) -> Fetched:
        for _ in range(_MOST_REDIRECTS):
            answer = await self._ask(method, url, parameters)
            if answer.status_code in _REDIRECTED and "location" in answer.headers:
                url = urljoin(url, answer.headers["location"])
                method = method if answer.status_code in (307, 308) else "GET"
                continue
            if not answer.is_success:
                raise CallFailure(notices.HTTP_RETRIEVAL, f"{url} answered {answer.status_code}")
            content_type = answer.headers.get("content-type", "")
            return Fetched(url, content_type.partition(";")[0].strip().lower(), answer.content)
        raise CallFailure(notices.TOO_MANY_REDIRECTS, url)

    async def _ask(self, method: str, url: str, parameters: Mapping[str, str]) -> httpx2.Response:
        body: Mapping[str, str] = parameters
        if method == "GET":
            url, body = _with_query(url, parameters), {}
        headers = {"x-twilio-signature": self._signer.signature(url, body), "host": urlsplit(url).netloc}
        data = body if method == "POST" else None
        return await self._client.request(method, self._routes.real(url), data=data, headers=headers)


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    if not parameters:
        return url
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

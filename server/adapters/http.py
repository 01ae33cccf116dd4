"""A pooled HTTP session whose faults are ours."""

from __future__ import annotations

from typing import Any

import requests
from urllib3.util.retry import Retry

from server.adapters.deadline import DeadlineAdapter, deadline, has_passed
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.observability.pools import session_pool_state
from server.ports.performance import PoolState

POOLS = 10
CONNECTIONS = 20
BACK_OFF_S = 0.1
CONNECT_TIMEOUT_S = 3.0

# Temporary by its nature, though not a 5xx.
_TOO_MANY_REQUESTS = 429


class HttpClient:
    """One provider over HTTP: connections are kept, a broken one is tried once more.

    Args:
        provider: the name that errors carry.
        headers: sent with every request.
        heeds_environment: whether proxies and passwords of the environment are for it (HTTP_PROXY, .netrc);
            to a process of our own they are not.
    """

    def __init__(
        self, provider: str, headers: dict[str, str] | None = None, *, heeds_environment: bool = True
    ) -> None:
        self._provider = provider
        self._session = requests.Session()
        self._session.trust_env = heeds_environment
        self._session.headers.update(headers or {})
        # Only failures to connect: what has been sent may have been acted on, and who calls knows
        # whether it may be repeated.
        retry = Retry(total=1, connect=1, read=0, status=0, other=0, backoff_factor=BACK_OFF_S)
        adapter = DeadlineAdapter(pool_connections=POOLS, pool_maxsize=CONNECTIONS, max_retries=retry)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, url: str, body: object, timeout_s: float) -> requests.Response:
        """POST JSON. See `request`."""
        return self.request("POST", url, timeout_s, json=body)

    def request(self, method: str, url: str, timeout_s: float, **arguments: Any) -> requests.Response:
        """Send a request and return its 2xx answer. *timeout_s* limits it from the call to the last byte.

        Raises:
            ProviderTimeout: no whole answer in time.
            ProviderUnavailable: no connection, 429 or 5xx.
            ProviderRejected: any other answer.
        """
        response = self.exchange(method, url, timeout_s, **arguments)
        if response.status_code == _TOO_MANY_REQUESTS or response.status_code >= requests.codes.server_error:
            raise ProviderUnavailable(self._provider, _reason(response))
        if not requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
            raise ProviderRejected(self._provider, _reason(response))
        return response

    def exchange(self, method: str, url: str, timeout_s: float, **arguments: Any) -> requests.Response:
        """Send a request and return its answer, whatever its status.

        Raises:
            ProviderTimeout: no whole answer in time.
            ProviderUnavailable: no connection.
        """
        timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        with deadline(timeout_s):
            try:
                return self._session.request(method, url, timeout=timeout, allow_redirects=False, **arguments)
            except requests.RequestException as error:
                if isinstance(error, requests.Timeout) or has_passed():
                    raise ProviderTimeout(self._provider, f"no answer in {timeout_s:g} s") from error
                raise ProviderUnavailable(self._provider, type(error).__name__) from error

    def pool_state(self) -> PoolState:
        """How many connections there are, to all hosts; from any thread."""
        return session_pool_state(self._session)

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()


def _reason(response: requests.Response) -> str:
    """The status, and the error code of the body if it is one of our own short ones."""
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    code = body.get("code") if isinstance(body, dict) else None
    return f"HTTP {response.status_code}" + (f" code {code}" if isinstance(code, int) else "")

"""Connections to servers that speak OpenAI's API: one pool for each server and key."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from server.observability.pools import async_client_pool_state
from server.ports.performance import PoolState

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

# The SDK counts its limits between bytes; ours, over the whole answer, end first. These are the backstop.
_CONNECT_S = 5.0
_BETWEEN_BYTES_S = 30.0
_MAX_CONNECTIONS = 500
_KEPT_CONNECTIONS = 200
_KEPT_S = 60.0
WARM_UP_S = 5.0
_HASH_CHARACTERS = 16


class OpenAIClients:
    """The pools of one process; they belong to the event loop that uses them first.

    Args:
        pooling: without it each request makes a client and a connection of its own.
        transport: only for tests.
    """

    def __init__(self, *, pooling: bool = True, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._pooling = pooling
        self._transport = transport
        self._endpoints: dict[str, OpenAIEndpoint] = {}

    def of(self, base_url: str | None, api_key: str) -> OpenAIEndpoint:
        """The pool for a server and a key; the same for the same.

        Args:
            base_url: with its ``/v1``; None for OpenAI's own.
            api_key: some text also where the server asks for none.
        """
        made = OpenAIEndpoint(base_url, api_key, self._transport, is_pooled=self._pooling)
        return self._endpoints.setdefault(made.key, made)

    def pool_state(self) -> PoolState:
        """How many connections there are to all servers; from any thread."""
        states = [endpoint.pool_state() for endpoint in list(self._endpoints.values())]
        return PoolState(sum(state.open for state in states), sum(state.busy for state in states))

    async def aclose(self) -> None:
        """Close every pool; the next request would open its own again."""
        await asyncio.gather(*(endpoint.aclose() for endpoint in self._endpoints.values()))


class OpenAIEndpoint:
    """One server and one key. ``key`` tells them from others without telling what they are."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str,
        transport: httpx2.AsyncBaseTransport | None,
        *,
        is_pooled: bool,
    ) -> None:
        configuration = f"{base_url or ''}\0{api_key}".encode()
        self.key = hashlib.sha256(configuration).hexdigest()[:_HASH_CHARACTERS]
        self._base_url = base_url
        self._api_key = api_key
        self._transport = transport
        self._is_pooled = is_pooled
        self._client: AsyncOpenAI | None = None
        self._http: httpx2.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def take(self) -> AsyncOpenAI:
        """A client for one request; `give_back` ends its use."""
        if not self._is_pooled:
            return await asyncio.to_thread(self._make)
        if self._client is not None:
            return self._client
        async with self._making:
            if self._client is None:
                # Half a second of imports and certificates, which must not stop the loop.
                self._client = await asyncio.to_thread(self._make)
            return self._client

    async def give_back(self, client: AsyncOpenAI) -> None:
        """The request has ended."""
        if not self._is_pooled:
            await client.close()

    async def warm(self) -> None:
        """Load the SDK and open a connection: the list of models costs nothing, and any answer will do."""
        client = await self.take()
        import httpx2

        try:
            # Whoever warms up learns nothing from a failure that the first request would not tell better.
            with suppress(Exception):
                async with asyncio.timeout(WARM_UP_S):
                    await client.get("/models", cast_to=httpx2.Response)
        finally:
            await self.give_back(client)

    def pool_state(self) -> PoolState:
        """How many connections there are to the server; those of clients that are not pooled do not count."""
        return async_client_pool_state(self._http if self._is_pooled else None)

    async def aclose(self) -> None:
        """Close the pool; the next request would open a new one."""
        client, self._client, self._http = self._client, None, None
        if client is not None:
            await client.close()

    def _make(self) -> AsyncOpenAI:
        import httpx2
        import openai

        self._http = httpx2.AsyncClient(
            transport=self._transport,
            limits=httpx2.Limits(
                max_connections=_MAX_CONNECTIONS,
                max_keepalive_connections=_KEPT_CONNECTIONS,
                keepalive_expiry=_KEPT_S,
            ),
            timeout=httpx2.Timeout(_BETWEEN_BYTES_S, connect=_CONNECT_S),
            follow_redirects=True,
        )
        return openai.AsyncOpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            # Retries have no place inside a guest's deadline; what comes next is decided above.
            max_retries=0,
            http_client=self._http,
        )

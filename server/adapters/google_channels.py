"""Connections to Google's services, and what their errors mean.

A connection is always made by hand: a client that is left to find its own credentials may wait for a
metadata server for ever, and one that is left to retry does so in silence.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from server.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable

# grpc has no types.
Channel = Any
Client = TypeVar("Client")

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_OPTIONS: Sequence[tuple[str, int]] = (
    # Each channel has a connection of its own, so that another try does not meet the one that is stuck.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Also how long one attempt may take.
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # More often would be taken for an attack (GOAWAY, "too many pings").
    ("grpc.keepalive_time_ms", 30_000),
    # Also how long sent bytes may stay without an acknowledgement.
    ("grpc.keepalive_timeout_ms", 5_000),
    # Never: a connection that was closed for want of calls would cost the next one a handshake.
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
)
# RESOURCE_EXHAUSTED is none of these: a quota is free again later.
_REJECTED = frozenset(
    {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "FAILED_PRECONDITION",
        "UNIMPLEMENTED",
    }
)
INVALID_ARGUMENT = "INVALID_ARGUMENT"


@dataclass(frozen=True, slots=True)
class GoogleEndpoint:
    """Where a service is (``host:port``) and the key to it: the file of a service account of Google's.

    On a loopback address it is spoken to in plain text and without a key: there a simulator lives.
    """

    address: str
    credentials_file: Path | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the address is this machine's own."""
        host = self.address.rpartition(":")[0].strip("[]")
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Key:
    """What the key file holds. ``project`` is empty where it names none."""

    credentials: Any
    project: str


class GoogleClients(Generic[Client]):
    """Clients of one service, each with a connection of its own; they belong to one event loop.

    One connection carries about a hundred calls at once; more wait for each other (HTTP/2).

    Args:
        load: imports the client's package, which takes a third of a second, and returns how a client is
            made from a channel and the project of the credentials. It runs in a thread.
    """

    def __init__(
        self,
        provider: str,
        endpoint: GoogleEndpoint,
        load: Callable[[], Callable[[Channel, str], Client]],
        count: int,
    ) -> None:
        self._provider = provider
        self._endpoint = endpoint
        self._load = load
        self._count = count
        self._made: list[tuple[Channel, Client]] = []
        self._turn = 0
        self._making = asyncio.Lock()

    async def take(self) -> Client:
        """The next client that is connected, else the next once it is; whoever waits sets the limit.

        Raises:
            ProviderRejected: the credentials cannot be used.
        """
        made = await self._all()
        # Loaded by now.
        import grpc

        self._turn = (self._turn + 1) % len(made)
        in_turn = [*made[self._turn :], *made[: self._turn]]
        for channel, client in in_turn:
            if channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
                return client
        channel, client = in_turn[0]
        await channel.channel_ready()
        return client

    async def warm(self, limit_s: float) -> None:
        """Connect them all, or as many as *limit_s* allows."""
        try:
            async with limit(self._provider, limit_s, "connection"):
                made = await self._all()
                await asyncio.gather(*(channel.channel_ready() for channel, _ in made))
        except ProviderError:
            # Whoever warms up learns nothing from a failure that the first request would not tell better.
            return

    async def aclose(self) -> None:
        """Break every connection off; the next request would open its own again."""
        made, self._made = self._made, []
        await asyncio.gather(*(channel.close() for channel, _ in made))

    async def _all(self) -> Sequence[tuple[Channel, Client]]:
        async with self._making:
            if not self._made:
                key, make = await asyncio.to_thread(self._prepare)
                channels = [_open(self._endpoint, key) for _ in range(self._count)]
                self._made = [(channel, make(channel, key.project)) for channel in channels]
            return self._made

    def _prepare(self) -> tuple[Key, Callable[[Channel, str], Client]]:
        make = self._load()
        return (Key(None, "") if self._endpoint.is_plain else _read_key(self._provider, self._endpoint)), make


def _read_key(provider: str, endpoint: GoogleEndpoint) -> Key:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    if endpoint.credentials_file is None:
        raise ProviderRejected(provider, "no credentials: set GOOGLE_APPLICATION_CREDENTIALS")
    try:
        # Signed here: no request for a token stands before the first call.
        credentials = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(endpoint.credentials_file), scopes=_SCOPES, always_use_jwt_access=True
        )
    except (GoogleAuthError, OSError, ValueError, TypeError, AttributeError) as error:
        reason = "GOOGLE_APPLICATION_CREDENTIALS is not the key file of a service account"
        raise ProviderRejected(provider, reason) from error
    return Key(credentials, credentials.project_id or "")


def _open(endpoint: GoogleEndpoint, key: Key) -> Channel:
    import grpc.aio
    from google.api_core import grpc_helpers_async

    if endpoint.is_plain:
        return grpc.aio.insecure_channel(endpoint.address, options=_OPTIONS)
    return grpc_helpers_async.create_channel(
        endpoint.address,
        credentials=key.credentials,
        scopes=_SCOPES,
        default_host=endpoint.address.rpartition(":")[0],
        options=_OPTIONS,
    )


@asynccontextmanager
async def limit(provider: str, seconds: float, what: str) -> AsyncIterator[None]:
    """Give up after *seconds*; turn every exception of Google's and of gRPC's into one of ours."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except ProviderError:
        raise
    except asyncio.CancelledError:
        if is_cancelled():
            raise
        raise ProviderUnavailable(provider, "the connection was closed") from None
    except TimeoutError as error:
        raise ProviderTimeout(provider, f"no {what} in time") from error
    except Exception as error:
        raise as_ours(provider, error) from error


def is_cancelled() -> bool:
    """Whether the running task is cancelled, rather than a call that it waits for: gRPC tells both alike."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def as_ours(provider: str, error: Exception) -> ProviderError:
    """The error of this project that *error* stands for; its reason is the name of the gRPC status."""
    code = getattr(error, "grpc_status_code", None)
    name = str(getattr(code, "name", type(error).__name__))
    if name in _REJECTED:
        return ProviderRejected(provider, name)
    return (ProviderTimeout if name == "DEADLINE_EXCEEDED" else ProviderUnavailable)(provider, name)

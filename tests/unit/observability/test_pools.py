"""Connections are counted where they are kept."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import requests

from server.observability.pools import async_client_pool_state, session_pool_state
from server.ports.performance import PoolState
from tests.support.http_server import scripted_server


def test_a_session_keeps_what_it_has_used() -> None:
    with scripted_server() as server, requests.Session() as session:
        assert session_pool_state(session) == PoolState(0, 0)
        session.get(server.url, timeout=5)
        assert session_pool_state(session) == PoolState(1, 0)
        with session.get(server.url, timeout=5, stream=True) as response:
            assert session_pool_state(session) == PoolState(1, 1)
            assert response.content
        assert session_pool_state(session) == PoolState(1, 0)


async def test_an_async_client_tells_what_is_at_work() -> None:
    gate = threading.Event()

    def when_open() -> tuple[int, object]:
        assert gate.wait(10)
        return 200, {}

    with scripted_server() as server:
        async with httpx2.AsyncClient() as client:
            assert async_client_pool_state(client) == PoolState(0, 0)
            await client.get(server.url)
            assert async_client_pool_state(client) == PoolState(1, 0)
            server.answers = [when_open]
            asked = asyncio.create_task(client.get(server.url))
            while len(server.requests) < 2:
                await asyncio.sleep(0.01)
            assert async_client_pool_state(client) == PoolState(1, 1)
            gate.set()
            await asked
    assert async_client_pool_state(None) == PoolState(0, 0)

"""Serves an ASGI application inside whatever loop runs, for simulators and the servers they are tried on."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serve_here(application: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 for the time of the block; gives the origin, such as ``http://127.0.0.1:8123``."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ws="websockets-sansio",
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not `serve`: it takes over the process's signals, which belong to whoever runs the simulator.
    await server.startup([listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.shutdown([listener])

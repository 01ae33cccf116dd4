"""What both simulators of Google's speech services stand on: a gRPC server beside a control door in HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import grpc
import grpc.aio

from simulators.http_server import Handler, serve

# gRPC has no types.
Context = Any


class Refusal(Exception):
    """The service says no. ``status`` is the name of a gRPC status."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    async def tell(self, context: Context) -> None:
        """End the call so."""
        await context.abort(grpc.StatusCode[self.status], self.message)


def invalid(message: str) -> Refusal:
    """The request is wrong."""
    return Refusal("INVALID_ARGUMENT", message)


async def run(services: Sequence[Any], handle: Handler, port: int) -> None:
    """Serve until SIGTERM; print one line of JSON when ready.

    Args:
        services: gRPC's generic handlers.
        handle: the control door's.
        port: of gRPC; 0 takes a free one.
    """
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(tuple(services))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    door = await serve(handle, 0)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, control_port = door.sockets[0].getsockname()[:2]
    ready = {"ready": True, "endpoint": f"127.0.0.1:{bound}", "controlUrl": f"http://{host}:{control_port}"}
    click.echo(json.dumps(ready))
    await stop.wait()
    door.close()
    await server.stop(0)


def cut(context: Context) -> None:
    """Break off the connection that a call came over, with all that runs over it, and without a word.

    gRPC does not let its sockets out of hand; among this process's own it is known by its other end.
    """
    port = int(context.peer().rpartition(":")[2])
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if not entry.is_socket():
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as found:
                if found.getpeername()[1:2] == (port,):
                    found.shutdown(socket.SHUT_RDWR)

"""Counts the realtime process's calls, as the web process counts its own."""

from __future__ import annotations

import time
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.observability import metrics

# Paths that lead nowhere are told together: anybody can invent them.
NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Counted:
    """ASGI middleware: how many calls of which route ended how, and how long their first byte took.

    Args:
        routes: the paths that there are.
    """

    def __init__(self, app: ASGIApp, routes: Collection[str]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        route = scope["path"] if scope["path"] in self._routes else NO_ROUTE
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                metrics.HTTP_REQUESTS.inc(method=method, route=route, status=str(message["status"]))
                metrics.HTTP_SECONDS.observe(time.perf_counter() - began, route=route)
            await send(message)

        await self._app(scope, receive, counted)

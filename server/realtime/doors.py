"""Who may open a call's media socket: Twilio, and staff who try the desk from a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol
from urllib.parse import urlsplit

from starlette.websockets import WebSocket

from server.channels.twilio_signature import HEADER, TwilioSignatures
from server.console.sessions import SESSION_COOKIE
from server.domain.calls import Call
from server.domain.playground import is_test_of
from server.domain.staff import Permission, may
from server.errors import Forbidden, Unauthenticated
from server.store.users import User
from server.voice.frames import Started

# Whether whoever opened the socket may have the call that its first message names.
Admits = Callable[[Started, Call], bool]
# Whose session a cookie is; None: nobody's, or not any more. Blocks.
UserOf = Callable[[str], User | None]


class Door(Protocol):
    """One of the ways to a media socket."""

    async def open(self, websocket: WebSocket) -> Admits:
        """See who asks, before the socket is accepted.

        Raises:
            Forbidden: it is not for them.
            Unauthenticated: nobody knows them.
            StoreUnavailable: the database does not answer.
        """
        ...


class TwilioDoor:
    """For sockets that Twilio has signed, and calls of its own."""

    def __init__(self, signatures: TwilioSignatures, account_sid: str) -> None:
        self._signatures = signatures
        self._account_sid = account_sid

    async def open(self, websocket: WebSocket) -> Admits:
        """See whether it is signed."""
        self._signatures.check_socket(websocket.url.path, websocket.headers.get(HEADER, ""))
        return self._admits

    def _admits(self, started: Started, call: Call) -> bool:
        return started.account_sid == self._account_sid and not call.is_test


class StaffDoor:
    """For pages of the console, and tests of whoever is logged in there.

    Args:
        hosts: names under which the console is known, beside the one that a request names itself.
    """

    def __init__(self, user_of: UserOf, hosts: Collection[str] = ()) -> None:
        self._user_of = user_of
        self._hosts = frozenset(hosts)

    async def open(self, websocket: WebSocket) -> Admits:
        """See that it is a page of the console that asks, and for whom."""
        origin = urlsplit(websocket.headers.get("origin", "")).hostname
        # The web process may have another port.
        if origin is None or origin not in {websocket.url.hostname, *self._hosts}:
            raise Forbidden("this is for pages of the console")
        user = await asyncio.to_thread(self._user_of, websocket.cookies.get(SESSION_COOKIE, ""))
        if user is None:
            raise Unauthenticated("log in to the console")
        if not may(user.role, Permission.ANSWER):
            raise Forbidden("this is for those who may answer guests")

        def admits(_started: Started, call: Call) -> bool:
            return call.tenant.id == user.tenant_id and is_test_of(user.id, call.caller)

        return admits

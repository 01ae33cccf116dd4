"""Who calls, by API key; and how a socket's client tells its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from server.channels.api_keys import bearer_key, owner_of
from server.channels.bodies import read_object
from server.channels.key_limits import Allowance, KeyLimits
from server.errors import InvalidRequest, Unauthenticated
from server.ports.store import KeyStore

# Browsers cannot set headers on a socket: their first message tells the key, within so long.
AUTHENTICATE_WITHIN_S = 5.0
_TELL_KEY = (
    'send the key in the Authorization header, or as the first message: {"type": "auth", "key": "…"}; '
    "`frontdesk keys create` makes a key"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A key that we know, and whose it is."""

    tenant_id: str
    key: str


class Callers:
    """Knows callers and counts their calls.

    Args:
        patience_s: how long a socket's client may take to tell its key.
    """

    def __init__(self, keys: KeyStore, limits: KeyLimits, patience_s: float = AUTHENTICATE_WITHIN_S) -> None:
        self._keys = keys
        self._limits = limits
        self._patience_s = patience_s

    def know(self, authorization: str) -> Caller:
        """Whose header it is; blocks for one query.

        Raises:
            Unauthenticated: nobody's.
        """
        return self._owner(bearer_key(authorization))

    def admit(self, authorization: str) -> tuple[Caller, Allowance | None]:
        """Whose header it is, and one call of theirs counted.

        Raises:
            Unauthenticated: nobody's.
        """
        caller = self.know(authorization)
        return caller, self.count(caller)

    def check(self, caller: Caller) -> None:
        """See that the key of a caller who has been known for a while still opens; blocks for one query.

        Raises:
            Unauthenticated: it was revoked.
        """
        self._owner(caller.key)

    def count(self, caller: Caller) -> Allowance | None:
        """Count one call; None where there is no limit. May block for a moment."""
        return self._limits.spend(caller.key)

    async def greet(self, websocket: WebSocket) -> Caller:
        """Accept a socket whose client is known.

        Raises:
            InvalidRequest: there is a query in its address, where a key would end up in logs. Not accepted.
            Unauthenticated: it told no key that we know, or none in time. Accepted, if it told none at first.
            WebSocketDisconnect: it has gone.
        """
        if websocket.url.query:
            raise InvalidRequest(f"nothing may stand behind a ? in this address: {_TELL_KEY}")
        authorization = websocket.headers.get("authorization")
        if authorization is not None:
            caller = await asyncio.to_thread(self.know, authorization)
            await websocket.accept()
            return caller
        await websocket.accept()
        return await asyncio.to_thread(self._owner, await _told_key(websocket, self._patience_s))

    def _owner(self, key: str) -> Caller:
        return Caller(owner_of(key, self._keys), key)


async def _told_key(websocket: WebSocket, within_s: float) -> str:
    try:
        async with asyncio.timeout(within_s):
            first = await websocket.receive()
    except TimeoutError:
        raise Unauthenticated(f"no key within {within_s:g} s: {_TELL_KEY}") from None
    if first["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(first.get("code", 1005))
    try:
        frame = read_object(first.get("text") or b"", "a message")
    except InvalidRequest:
        raise Unauthenticated(_TELL_KEY) from None
    key = frame.get("key")
    if frame.get("type") != "auth" or not isinstance(key, str):
        raise Unauthenticated(_TELL_KEY)
    return key.strip()

"""Ports for processes that are told theirs before they bind it."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from itertools import count

# Below those that the system chooses by itself.
_PORTS = range(20_000, 32_000)

# One after the other, so that no two of this process's are the same before they are bound. Others begin
# elsewhere.
_places = count(secrets.randbelow(len(_PORTS)))


def free_port() -> int:
    """A port that nothing listens on, that no socket is given until its process binds it, and that was not
    given before.

    Ports that the system chooses by itself are above 32,767: had we taken one of those, a wire that is opened
    in the meantime could get it and would lead to itself.
    """
    while True:
        port = _PORTS[next(_places) % len(_PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

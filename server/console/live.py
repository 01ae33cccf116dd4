"""How the console's pages stay up to date: where their stream is, and what they ask for again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from server.store.needs import Need

# Answered by the realtime process.
LIVE_PATH = "/console/live"
TEST_CALL_PATH = "/ws/call"

# As in notify.js; what is known of is one more.
MOST_COUNTED = 99

_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]")


def stream_origin(port: int | None) -> str:
    """The origin of the stream as this request's page sees it; empty: the page's own.

    Args:
        port: that of the realtime process, where nothing leads to both; None: something does.
    """
    # Behind the last colon, unless that is within an IPv6 address.
    host, _, _ = request.host.partition("]")
    host = f"{host}]" if host.startswith("[") else host.partition(":")[0]
    if port is None or not _HOST.fullmatch(host):
        return ""
    return f"{request.scheme}://{host}:{port}"


def stream_url(port: int | None, conversation_id: int | None = None) -> str:
    """Where this request's page listens: to a conversation, or to the list of them."""
    asked = "" if conversation_id is None else f"?conversation={conversation_id}"
    return f"{stream_origin(port)}{LIVE_PATH}{asked}"


def call_url(port: int | None) -> str:
    """Where a browser calls the desk, as http; a WebSocket's address is the same but for that."""
    return f"{stream_origin(port)}{TEST_CALL_PATH}"


def waiting_url(port: int | None, user_id: int) -> str:
    """Where a page of this user's that has no other stream is told who waits for a person."""
    return f"{stream_origin(port)}{LIVE_PATH}?waiting={user_id}"


@dataclass(frozen=True, slots=True)
class WaitingPart:
    """What a page's script needs to tell who waits: what the page shows already, and where it listens."""

    shown: Sequence[Need]
    stream: str

    @property
    def count(self) -> str:
        """How many, as the page shows it; empty: nobody."""
        return f"{MOST_COUNTED}+" if len(self.shown) > MOST_COUNTED else str(len(self.shown) or "")

    @property
    def needs(self) -> str:
        """As `needs_json`."""
        return needs_json(self.shown)


def needs_json(needs: Sequence[Need]) -> str:
    """*needs* as a page's script takes them: a list of ``[conversation, since]``, no word of a guest's."""
    return json.dumps([[need.conversation_id, need.since.isoformat()] for need in needs])


def is_fragment() -> bool:
    """Whether a page that is open already asks for what has changed on it."""
    return "HX-Request" in request.headers


def is_newest_part() -> bool:
    """Whether the page keeps its older lines, and asks for the newest alone."""
    return is_fragment() and request.headers.get("X-Page-Part") == "newest"


def is_on_screen() -> bool:
    """Whether somebody sees the answer: a page that opens is seen, one that is open says whether it is."""
    return not is_fragment() or request.headers.get("X-Page-Visibility") == "visible"

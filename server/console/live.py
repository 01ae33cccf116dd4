"""How the console's pages stay up to date: where their stream is, and what they ask for again."""

from __future__ import annotations

import re

from flask import request

# Answered by the realtime process.
LIVE_PATH = "/console/live"

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


def is_fragment() -> bool:
    """Whether a page that is open already asks for what has changed on it."""
    return "HX-Request" in request.headers


def is_newest_part() -> bool:
    """Whether the page keeps its older lines, and asks for the newest alone."""
    return is_fragment() and request.headers.get("X-Page-Part") == "newest"


def is_on_screen() -> bool:
    """Whether somebody sees the answer: a page that opens is seen, one that is open says whether it is."""
    return not is_fragment() or request.headers.get("X-Page-Visibility") == "visible"

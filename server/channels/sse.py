"""Server-sent events, as bytes. Source: the HTML standard, section 9.2."""

from __future__ import annotations

import json
from collections.abc import Iterable

from server.channels.chat_streams import ChatEvent

CONTENT_TYPE = "text/event-stream; charset=utf-8"
# No cache keeps a guest's answer, and nginx passes each event on at once.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# A comment, which readers pass over.
KEEP_ALIVE = b": keep-alive\n\n"


def frames(events: Iterable[ChatEvent]) -> bytes:
    """*events* on the wire; where there are none, a sign of life."""
    return b"".join(map(_frame, events)) or KEEP_ALIVE


def _frame(event: ChatEvent) -> bytes:
    # JSON has no line breaks outside of its escapes, so that it is one line of data.
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.name}\ndata: {data}\n\n".encode("utf-8", "replace")

"""What stands before somebody who reads along."""

from __future__ import annotations

from collections.abc import Iterable

from server.domain.events import Replace, Token


def shown(events: Iterable[object]) -> str:
    """What a reader has on the screen after *events*; those that show nothing are passed over."""
    text = ""
    for event in events:
        match event:
            case Token():
                text += event.text
            case Replace():
                text = event.text
            case _:
                pass
    return text

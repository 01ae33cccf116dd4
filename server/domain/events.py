"""What a guest who reads along is told while a reply is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """More words of the reply. All that is streamed has passed the gate."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """What was streamed before is void; the reply begins anew with ``text``, which may be empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStart:
    """Something is looked up: ``tool`` is its name, such as ``knowledge``."""

    tool: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The look-up has ended with ``count`` findings."""

    tool: str
    count: int


ReplyEvent = Token | Replace | ToolStart | ToolResult
# Takes an event at once and never waits, nor raises.
Listener = Callable[[ReplyEvent], None]


def nobody(_event: ReplyEvent) -> None:
    """The listener of a reply that nobody reads along with."""

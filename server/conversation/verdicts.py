"""What the gate says of a model's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.knowledge import Citation


@dataclass(frozen=True, slots=True)
class Accepted:
    """Words that may leave. With ``asks_team`` they are the desk's own, and staff must be told."""

    text: str
    citations: Sequence[Citation] = ()
    asks_team: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing may leave. ``reason`` is a short code without any of the words."""

    reason: str


Gated = Accepted | Refused

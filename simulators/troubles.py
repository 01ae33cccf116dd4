"""What goes wrong for one caller alone, from the moment on that a simulator is told.

A trouble is told at a control door (``POST /control/trouble``) and meets what is under way, at its next step,
and what comes later. Whom it means is told by words: a question, an answer, or a line known by its silence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["hang", "cut", "error", "slow"]


class Trouble(BaseModel):
    """``of``: what holds any of these is meant; ``times``: at most so many meet it, None for all.

    ``hang`` says nothing more, ``cut`` breaks off the connection, ``error`` ends with ``status`` (the name of
    a gRPC status, or an HTTP status), ``slow`` answers ``slow_s`` later.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: Kind
    status: str = "UNAVAILABLE"
    slow_s: Annotated[float, Field(ge=0)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None


class Troubles:
    """Those that are in force."""

    def __init__(self) -> None:
        self._known: list[tuple[Trouble, list[object]]] = []

    def add(self, trouble: Trouble) -> None:
        """From now on."""
        self._known.append((trouble, []))

    def met_by(self, one: object, signs: Collection[str], kinds: Sequence[Kind]) -> Trouble | None:
        """The trouble of *kinds* that *one* meets now; once met, it stays its own.

        Args:
            signs: all that *one* is known by so far.
        """
        for trouble, met in self._known:
            if trouble.kind not in kinds or not _is_of(trouble, signs):
                continue
            if any(each is one for each in met):
                return trouble
            if trouble.times is None or len(met) < trouble.times:
                met.append(one)
                return trouble
        return None


def _is_of(trouble: Trouble, signs: Collection[str]) -> bool:
    return any(name in sign for name in trouble.of for sign in signs)

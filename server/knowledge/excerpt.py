"""The part of a long text that answers: a few of its sentences, word for word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.knowledge.reading import sentences

# A text of up to so many letters is quoted whole: a guest reads it at a glance.
WHOLE_UP_TO = 400
# "approx. 5", "e.g. towels": no sentence ends there.
_SHORTEST_SENTENCE = 12


def quotable(text: str) -> list[str]:
    """The sentences and lines of a text that is too long to be quoted whole; very short ones with the next.

    Nothing of a text that is not.
    """
    if len(text) <= WHOLE_UP_TO:
        return []
    found: list[str] = []
    carried = ""
    for piece in sentences(text):
        carried = f"{carried} {piece}".strip()
        if len(carried) >= _SHORTEST_SENTENCE:
            found.append(carried)
            carried = ""
    if carried:
        found.append(f"{found.pop()} {carried}" if found else carried)
    return found


def around(told: Sequence[str], likeness: NDArray[np.float32]) -> str:
    """The sentence most like the question, with those after and before it as far as there is room.

    Args:
        told: the sentences in their order, at least one.
        likeness: of each to the question.
    """
    first = last = int(likeness.argmax())
    room = WHOLE_UP_TO - len(told[first])
    # What follows explains it; what stands before leads there.
    while last + 1 < len(told) and len(told[last + 1]) < room:
        last += 1
        room -= len(told[last]) + 1
    while first > 0 and len(told[first - 1]) < room:
        first -= 1
        room -= len(told[first]) + 1
    return " ".join(told[first : last + 1])

"""How long to wait for more before a guest is answered: people write in pieces.

The answer is prepared meanwhile, so the wait is felt only by who has said all in one message; whoever seems
to have done so waits the least.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.conversations import WaitingMessage

# A sentence of so many words is seldom only the beginning of one.
_WHOLE_SENTENCE_WORDS = 8
_ENDS = re.compile(r"[?!.؟。][\s\"'”’)\]]*$")
_GOES_ON = re.compile(
    r"(?:[,;:\-–—…]|\.\.\."  # punctuation that promises more
    r"|\b(?:and|or|but|so|also|because|if|when|the|a|an|to|for|with|from|at|in|on|of|my|your)"
    r"|\b(?:וגם|גם|או|אבל|כי|אם|של|עם|את|על|אל|אז|כש|ו))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WaitBounds:
    """The shortest and the longest wait after a guest's last message, in seconds."""

    shortest_s: float
    longest_s: float


def wait_s(messages: Sequence[WaitingMessage], bounds: WaitBounds) -> float:
    """How long after the last of *messages* it may be taken that no more comes, in seconds."""
    share = _unfinished(messages[-1].text.strip())
    return bounds.shortest_s + share * (bounds.longest_s - bounds.shortest_s)


def _unfinished(text: str) -> float:
    """How much *text* looks like the first piece of more: 0 is whole, 1 is cut off."""
    if not text or _GOES_ON.search(text):
        return 1.0
    if _ENDS.search(text):
        return 0.0
    missing = _WHOLE_SENTENCE_WORDS - len(text.split())
    return max(0.0, missing / _WHOLE_SENTENCE_WORDS)

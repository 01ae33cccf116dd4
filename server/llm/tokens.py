"""How many tokens a text has, near enough to plan with; what counts in the end is what the provider tells."""

from __future__ import annotations

import math
from collections.abc import Iterable

# English has about four characters a token, Hebrew two to three; a prompt of ours is mostly English.
_CHARACTERS_A_TOKEN = 3.5


def estimated_tokens(texts: Iterable[str]) -> int:
    """The tokens of all *texts* together, rounded up."""
    return math.ceil(sum(map(len, texts)) / _CHARACTERS_A_TOKEN)

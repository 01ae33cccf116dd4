"""The vectors of guests' questions: the same words are embedded once for as long as they are remembered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.knowledge.cache import SingleFlightCache
from server.observability.metrics import CACHE_LOOKUPS
from server.ports.ai import Embedder

# A vector takes 1.5 kB.
REMEMBERED = 5_000
# Its name in figures.
CACHE = "questions"


class QueryVectors:
    """Embeds questions; threads that ask for the same one at the same time wait for one embedding.

    Args:
        remembered: how many are kept; 0 embeds each anew, so that what remembering is worth can be measured.
    """

    def __init__(self, embedder: Embedder, remembered: int = REMEMBERED) -> None:
        self._embedder = embedder
        self._kept: SingleFlightCache[str, NDArray[np.float32]] = SingleFlightCache(remembered)

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape ``(len(texts), dimensions)``. Takes 10 to 15 ms a text that is not remembered."""
        return np.stack([self._of(text) for text in texts])

    def _of(self, text: str) -> NDArray[np.float32]:
        is_known = True

        def embed() -> NDArray[np.float32]:
            nonlocal is_known
            is_known = False
            return self._embed(text)

        vector = self._kept.get(text, embed)
        CACHE_LOOKUPS.inc(cache=CACHE, result="hit" if is_known else "miss")
        return vector

    def _embed(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._embedder.queries([text])[0]
        return vector

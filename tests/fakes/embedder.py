"""An embedding model without a model: texts are alike as far as they share words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256


class FakeEmbedder:
    """Keeps the ``Embedder`` port. Each word is a direction of its own, the same on every run."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    @property
    def name(self) -> str:
        """Model and version."""
        return "fake-1"

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts that will be searched; ``embedded`` remembers them."""
        self.embedded.extend(texts)
        return self._embed(texts)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions."""
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                digest = hashlib.sha256(word.encode()).digest()
                vectors[row] += np.random.default_rng(list(digest)).standard_normal(DIMENSIONS, np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

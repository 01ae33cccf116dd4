"""What we ask of a language model, and of an embedding model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line of a prompt. ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A prompt and its limits. ``first_token_s`` and ``total_s`` are counted from the call."""

    lines: Sequence[ChatLine]
    first_token_s: float
    total_s: float


class LanguageModel(Protocol):
    """Streams the words of an answer."""

    async def warm(self) -> None:
        """Load what the first request would otherwise wait for."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[str, None]:
        """Yield pieces of text as they arrive; closing the iterator closes the connection.

        Raises:
            ProviderUnavailable: a limit passed, the connection broke, 429 or 5xx.
            ProviderRejected: the key, the model or the request is refused.
        """
        ...

    async def aclose(self) -> None:
        """Close pooled connections."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors of unit length; each row belongs to the text at its place."""

    @property
    def name(self) -> str:
        """Model and version: vectors of different names must not be compared."""
        ...

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts that will be searched. Shape ``(len(texts), dimensions)``."""
        ...

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed questions. Shape ``(len(texts), dimensions)``."""
        ...
